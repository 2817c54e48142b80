/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * Read "map TEMPLATE jobs=PATH [out=PATH] [first=N] [parallel=N] [timeout=TIME]
 * [max-private=SIZE]": for each line of the file a clone, which finds the line in fw_cfg. Errors
 * are reported; ERR_NOMEM: the arena is full, not reported.
 */
enum status map_read(struct config *config, const struct word *keyword, struct arena *arena,
		     struct diag *diag);
/*
 * Of config_open(): find the files and check their jobs, and that no two clones of a template have
 * one number. Errors are reported.
 */
void map_open(const struct config *config, struct image_list *images, struct diag *diag);
