/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/platform.h"
#include "hv/guest/region.h"

/*
 * What QEMU's monitor tells about memory: "info memdev", "info memory-devices",
 * "info memory_size_summary", "info mtree -f", "info numa", "query-memdev",
 * "query-memory-devices" and "query-memory-size-summary". The queries' JSON comes with one
 * object a line.
 */

/* A VM that is asked about. */
struct info_vm {
	const struct vm_config *config;
	const struct mem_map *memory;
	const struct device_list *devices;
};

/* Takes one line, without its end; the text is gone afterwards. */
typedef void info_emit(void *context, const char *line);

/* Whether info_run() knows the command. */
bool info_is_command(const char *command);

/*
 * Answer 'command' line by line. A line of more than INFO_LINE_MAX bytes is cut. ERR_NOTFOUND: no
 * such command, nothing is emitted.
 */
#define INFO_LINE_MAX 1023
enum status info_run(const struct info_vm *vm, const char *command, info_emit *emit, void *context);

/* Log the answer to each of the commands, after a line that names it, with the VM's name. */
void info_print(struct info_vm *vm, const struct info_config *commands);
