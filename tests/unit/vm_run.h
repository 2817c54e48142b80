/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <string.h>

#include "hv/config/read.h"

/*
 * Run configurations of one VM over the files of ramdisk_files.h. Include this after support.h,
 * machine_frames.h and ramdisk_files.h.
 */
static char run_memory[1 << 19] __attribute__((aligned(16)));
static struct config config;

/* Parse and open a VM with these options. 'messages' are all that are logged; NULL: any. */
static struct vm_config *run_vm(const char *options, const char *messages)
{
	struct arena arena = {.base = run_memory, .size = sizeof(run_memory)};
	struct image_list images = {.first = ramdisk_list(), .arena = &arena};
	struct diag diag = {0};
	static char text[20000];
	enum status status;

	snprintf(text, sizeof(text), "vm v -kernel k %s", options);
	log_reset();
	status = config_parse(text, strlen(text), &arena, &diag, &config);
	assert_int_not_equal(status, ERR_NOMEM);
	if (config_open(&config, &images, &diag) != OK)
		status = ERR_INVAL;
	if (messages != NULL)
		assert_string_equal(logged, messages);
	assert_int_equal(status == OK, diag.n_errors == 0);
	return config.vms;
}
