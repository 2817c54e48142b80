/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * "clone TEMPLATE [count=N] [parallel=N] [max-private=SIZE] [precopy=on] [paused=on]": clones (1)
 * of a VM start when it becomes a template, so many at a time (all), each with such a ceiling (the
 * template's), or are made and wait for the operator. 'words' begin behind the keyword, with the
 * template's name. An error is said; ERR_NOMEM: the arena is full.
 */
enum status clone_read(struct config *config, const struct word *words, struct arena *arena,
		       struct diag *diag);

/* The word of a "vm" line that makes it a clone, "-incoming" with "template:" behind it; NULL: it
 * is an ordinary one. */
const struct word *clone_find_incoming(const struct word *words);

/* "vm NAME -incoming template:TEMPLATE": one clone with a name. 'name' is checked already. */
enum status clone_read_incoming(struct config *config, const struct word *name, struct arena *arena,
				struct diag *diag);

/* Whether a VM, or a clone that some line makes, has the name. */
bool clone_can_be_template(const struct config *config, const char *name);
/* Once all lines are read: each template is a VM, or a clone that some other line makes. */
void clone_check_templates(const struct config *config, struct diag *diag);
