/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/info.h"

/* What the operator may want of the monitor, in the words of QEMU's where it has them. */
enum monitor_command {
	MONITOR_NOTHING, /* an empty line, or one that was answered */
	MONITOR_CLONE,
	MONITOR_CONT,
	MONITOR_DESTROY,
	MONITOR_DUMP,
	MONITOR_FREEZE,
	MONITOR_INFO_CPUS,
	MONITOR_INFO_FRAMES,
	MONITOR_INFO_MEMORY, /* 'name' is a command of info_run() */
	MONITOR_INFO_MERGE,
	MONITOR_INFO_REGISTERS,
	MONITOR_INFO_STATUS,
	MONITOR_INFO_TEMPLATES,
	MONITOR_INFO_VERSION,
	MONITOR_INFO_VMS,
	MONITOR_QUIT,
	MONITOR_REVERT,
	MONITOR_SAVE,
	MONITOR_SEND,
	MONITOR_STOP,
	MONITOR_SYSTEM_POWERDOWN,
	MONITOR_SYSTEM_RESET,
	MONITOR_VM,
};

struct monitor_request {
	enum monitor_command command;
	const char *name; /* of a VM or a file; NULL: the command has none */
	uint32_t count;	  /* of MONITOR_CLONE */
	bool is_paused;	  /* MONITOR_CLONE: they do not start */
	const char *path; /* MONITOR_SAVE: of the files, without what is at their end */
	bool is_sent;	  /* MONITOR_DUMP, MONITOR_SAVE: by the console, not into the ramdisk */
	char text[128];	  /* where 'name' may be */
};

/*
 * What the line, which is changed, asks for; names point into it or into 'ret'. Help and
 * refusals are said, line by line, and leave nothing to do.
 */
void monitor_parse(char *line, struct monitor_request *ret, info_emit *emit, void *context);
