/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vmx/controls.h"

/*
 * Features of VMX that a user can hide from Stencil, to test it without them. The names are those
 * of QEMU's -cpu, such as "vmx-vpid".
 */

/*
 * Read names with commas between them into a set of features. False: 'ret_unknown' is the part of
 * 'text' that begins with a word that is not a name.
 */
bool vmx_mask_read(const char *text, uint32_t *ret, const char **ret_unknown);

/* Let the processor lack the features of the set. */
void vmx_mask(struct vmx_capability *cap, uint32_t features);
