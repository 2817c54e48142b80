/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "guest-tools/lint/help.h"

#define OBJECTS_MAX   1024
#define PHYS_BITS_MAX 47

/* The command line. */
struct request {
	const char *config; /* NULL: 'objects' */
	const char *ramdisk;
	const char *objects[OBJECTS_MAX];
	size_t n_objects;
	enum lint_help_option help_option; /* whose help is wanted, instead of a check */
	const char *help_text;
	bool json;
	uint64_t memory; /* bytes */
	unsigned phys_bits;
};

/* Wrong usage is reported and ends the program with status 2, --help and --version with 0. */
void request_parse(struct request *ret, int argc, char **argv);
