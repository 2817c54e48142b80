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

/*
 * "-incoming file:PATH": the VM, or with the keyword "template" the template, goes on from a state
 * that was saved. ERR_INVAL: said.
 */
enum status incoming_read(struct vm_config *vm, const struct word *argument, struct diag *diag);
/* Of config_open(): find the file, and see whether it is whole. ERR_INVAL: said. */
enum status incoming_open(struct vm_config *vm, struct image_list *images, struct diag *diag);

/*
 * "save [-s] NAME PATH": when NAME becomes a template, its state goes into PATH.state and its
 * memory into PATH.mem; -s: by the console. 'words' begin behind the keyword 'save'. An error is
 * said; ERR_NOMEM: the arena is full.
 */
enum status save_read(struct config *config, const struct word *keyword, struct arena *arena,
		      struct diag *diag);
/* Once there is a ramdisk: the files can be made. */
void save_check_paths(const struct config *config, const struct image_list *images,
		      struct diag *diag);

/* Once all lines are read: each template is a VM, or a clone that another line makes. */
void template_lines_check(const struct config *config, struct diag *diag);
