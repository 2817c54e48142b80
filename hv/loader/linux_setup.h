/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The start of Linux, and of what looks like it, in real mode after firmware: where an option ROM
 * puts the kernel's parts that it finds in fw_cfg, and what the setup header then says. Source:
 * Linux, Documentation/x86/boot.rst, "The Real-Mode Kernel Header" and "Memory Layout".
 */
struct linux_setup_input {
	const uint8_t *kernel;
	uint64_t kernel_len;
	uint64_t initrd_len; /* 0: none */
	const char *append;  /* NULL: none */
	uint64_t ram_below_4g;
};

struct linux_setup {
	uint32_t setup_addr, setup_len;	    /* the file's first sectors, which run in real mode */
	uint32_t kernel_addr, kernel_len;   /* the rest */
	uint32_t cmdline_addr, cmdline_len; /* with its NUL */
	uint32_t initrd_addr, initrd_len;
	uint16_t version; /* of the boot protocol */
};

/* Decide about the places. NULL, or the reason why it cannot be started. */
const char *linux_setup_plan(const struct linux_setup_input *input, struct linux_setup *ret);

/* Complete the setup header in a copy of the file's first setup_len bytes. */
void linux_setup_complete(const struct linux_setup *plan, uint8_t *setup);
