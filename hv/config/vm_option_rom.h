/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/* Of config_open(): find the files of -option-rom. Errors are reported. */
void vm_open_option_roms(struct vm_config *vm, struct image_list *images, struct diag *diag);

/*
 * The contents of "bootorder": the option ROMs with a bootindex, the lowest first, one a line, and
 * a NUL. NULL: the arena is full.
 */
const char *vm_boot_order(const struct vm_config *vm, struct arena *arena);
