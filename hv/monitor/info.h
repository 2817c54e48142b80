/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/platform.h"
#include "hv/guest/region.h"

/*
 * The answers of QEMU's monitor about memory and disks: "info block", "info memdev", "info
 * memory-devices", "info memory_size_summary", "info mtree", "info mtree -f", "info numa",
 * "query-memdev", "query-memory-devices" and "query-memory-size-summary". The queries answer in
 * JSON, with one object on a line.
 */

/* The VM that the question is about. */
struct info_vm {
	const struct vm_config *config;
	const struct mem_map *memory;
	const struct device_list *devices;
};

/* Receives one line, without a newline. 'line' is valid during the call only. */
typedef void info_emit(void *context, const char *line);

/* QEMU's word for it. */
const char *info_policy(enum backend_policy policy);

/* Whether info_run() knows the command. */
bool info_is_command(const char *command);

/*
 * Answer 'command' line by line. Lines are cut after INFO_LINE_MAX bytes. ERR_NOTFOUND: there is no
 * such command, and nothing was emitted.
 */
#define INFO_LINE_MAX 1023
enum status info_run(const struct info_vm *vm, const char *command, info_emit *emit, void *context);

/*
 * The same for a part of the answer: up to n lines, after the first ones. Sets n to the number of
 * lines that were emitted: fewer than asked for at the end of the answer.
 */
struct info_part {
	unsigned first, n;
};
enum status info_run_part(const struct info_vm *vm, const char *command, struct info_part *part,
			  info_emit *emit, void *context);

/*
 * Log each command and its answer, each line after the VM's name. 'vm' is not changed. All commands
 * are known to info_is_command().
 */
void info_print(struct info_vm *vm, const struct info_config *commands);
