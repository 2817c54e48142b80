/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * Read "clone TEMPLATE [count=N] [parallel=N] [max-private=SIZE] [precopy=on] [paused=on]": 'count'
 * clones (default 1) start when the VM becomes a template, 'parallel' at a time (all), each with
 * the limit 'max-private' (the template's). Paused ones are made and wait for the operator. Errors
 * are reported; ERR_NOMEM: the arena is full, not reported.
 */
enum status clone_read(struct config *config, const struct word *keyword, struct arena *arena,
		       struct diag *diag);

/* Add a copy of the line to the configuration's. ERR_NOMEM: the arena is full, not reported. */
enum status clone_add(struct config *config, const struct clone_config *clone, struct arena *arena);

/*
 * The word of a "vm" line that makes the VM a clone: "-incoming" before "template:...". NULL: the
 * VM is not a clone.
 */
const struct word *clone_find_incoming(const struct word *words);

/*
 * Read "vm NAME -incoming template:TEMPLATE", one clone with a name. 'name' was checked. Returns
 * the same errors.
 */
enum status clone_read_incoming(struct config *config, const struct word *name, struct arena *arena,
				struct diag *diag);

/*
 * Read "-incoming file:PATH": the VM, or the template of a "template" line, starts from a saved
 * state. ERR_INVAL: reported.
 */
enum status incoming_read(struct vm_config *vm, const struct word *argument, struct diag *diag);
/*
 * Of config_open(): find the file and those of its memory, and check that all are there and the
 * state is whole. ERR_INVAL: reported.
 */
enum status incoming_open(struct vm_config *vm, struct image_list *images, struct diag *diag);

/*
 * Read "save [-s] [-z|-i] NAME PATH": when NAME becomes a template, save its state as PATH.state
 * and its memory as PATH.mem; with -s send them over the console. With -z the memory goes into
 * compressed parts, with -i only what differs from the template of the clone NAME. Errors are
 * reported; ERR_NOMEM: the arena is full, not reported.
 */
enum status save_read(struct config *config, const struct word *keyword, struct arena *arena,
		      struct diag *diag);
/* Of config_open(): check that the files of each save line can be created. Errors are reported. */
void save_check_paths(const struct config *config, const struct image_list *images,
		      struct diag *diag);

/*
 * Check that a new file, of a path of at most SAVE_PATH_MAX bytes, can be created for a line that
 * begins with 'keyword'. Errors are reported.
 */
void file_check_new(const char *path, struct diag_place place, const char *keyword,
		    const struct image_list *images, struct diag *diag);

/*
 * After all lines are read: check that each template is a VM, or a clone that another line makes.
 * Errors are reported.
 */
void template_lines_check(const struct config *config, struct diag *diag);
