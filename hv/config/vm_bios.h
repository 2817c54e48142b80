/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

struct vm_reader;

/*
 * Of vm_resolve(): the file of -bios takes the place of -kernel. Errors are reported.
 */
void vm_resolve_bios(struct vm_reader *reader);

/*
 * Of config_open(), before any image is used: find the file of -bios, and make it a region's
 * image. Errors are reported.
 */
void vm_open_bios(struct vm_config *vm, struct image_list *images, struct diag *diag);
