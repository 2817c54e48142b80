/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/map_results.h"
#include "hv/vm/map_text.h"

/*
 * Write the part of a job to an archive: its folder, status.json, stdout, stderr, and its files, by
 * name, in their folders. It is not longer than the job's share. '*inode' is the next entry's
 * number. Returns the part's length.
 */
uint64_t map_archive_write(const struct map_results *results, const struct map_result *result,
			   char *to, uint32_t *inode);
