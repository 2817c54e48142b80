/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/config/config.h"
#include "hv/lib/arena.h"

/*
 * Make the files below 'directory' the entries of a ramdisk: names begin at the root, modes are
 * the owner's. Nothing is read: large files, sparse ones too, cost address space only.
 * False: said on standard error.
 */
bool lint_read_ramdisk(const char *directory, struct arena *arena, struct image_list *ret);

/* Print the accepted objects of each VM, one VM a line. False: no memory. */
bool lint_print_json(const struct config *config);

/* Memory of the machine that the configuration is for, in bytes. False: said. */
bool lint_add_memory(uint64_t size);
