/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * "save [-s] NAME PATH": when NAME becomes a template, its state goes into PATH.state and its
 * memory into PATH.mem; -s: by the console. 'words' begin behind the keyword 'save'. An error is
 * said; ERR_NOMEM: the arena is full.
 */
enum status save_read(struct config *config, const struct word *keyword, struct arena *arena,
		      struct diag *diag);
/* Once all lines are read: there is such a template. */
void save_check_templates(const struct config *config, struct diag *diag);
/* Once there is a ramdisk: the files can be made. */
void save_check_paths(const struct config *config, const struct image_list *images,
		      struct diag *diag);

/* Of PATH, so that both names are ones that can be sent. */
#define SAVE_PATH_MAX 190
