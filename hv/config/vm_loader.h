/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/config/config.h"

struct vm_reader;

/*
 * Of vm_resolve(): a file of -device loader that has cpu-num= takes the place of -kernel. Errors
 * are reported.
 */
void vm_resolve_loader(struct vm_reader *reader);

/* Find the files of -device loader in the ramdisk. ERR_INVAL: an error was reported. */
enum status vm_open_blobs(struct vm_config *vm, struct image_list *images, struct diag *diag);
