/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A part of a configuration's text; NULL: none. */
struct fetch_line {
	const char *url;
	uint64_t len;
};

/*
 * Whether a configuration only says where the real one is: the line "host -fetch URL", and besides
 * it only comments and empty lines. In all other cases the URL is NULL, and the hypervisor reads
 * the configuration, which says what is wrong with another use of -fetch.
 */
struct fetch_line fetch_line_find(const char *text, uint64_t len);
