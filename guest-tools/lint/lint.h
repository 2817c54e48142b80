/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/config/config.h"
#include "hv/lib/arena.h"

/*
 * Make the files below the directory 'path' the entries of a ramdisk, whose root is the directory,
 * or those in the archive 'path'. Large files, also sparse ones, only cost address space. False:
 * reported on standard error.
 */
bool lint_read_ramdisk(const char *path, struct arena *arena, struct image_list *ret);

/*
 * Report what would fail when the VMs of this configuration, which config_open() accepted, start on
 * the simulated machine: a kernel of no known kind, a broken one, or one without enough RAM; VMs
 * that need more memory than -max-private or the machine gives; more clones than can exist.
 */
void lint_check_start(const struct config *config, struct diag *diag);

/* Report what would keep the EFI file from fetching what host -fetch in 'text' names. */
void lint_check_fetch(const struct config *config, const char *text, size_t len, struct diag *diag);

/* Print the accepted objects, one line for each VM. False: no memory. */
bool lint_print_json(const struct config *config);

/* Give the simulated machine 'size' bytes of memory. False: reported on standard error. */
bool lint_add_memory(uint64_t size);
