/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vm;

/*
 * Faults of the image BOOTX64-inject.EFI. The configuration asks for them in comments: "# inject
 * fields",
 * "# inject frame 17". Without a comment the image is like BOOTX64.EFI.
 */

/* Whether the configuration has "inject NAME"; '*ret' is the number that follows, or 0. */
bool inject_asked(const char *name, uint64_t *ret);

/* A number below 'below', the next of a series that is the same in each boot. */
uint64_t inject_random(uint64_t below);

/* The stray writes of writes.c, before this VM starts. */
void inject_writes(const struct vm *vm);
