/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/sha256.h"

/*
 * The list of files in the section .hashes: lines of sha256sum (64 hexadecimal digits, two
 * spaces, a name), comments that begin with '#', and zeros at the end.
 */
struct hashes {
	const char *text;
	uint64_t len; /* bytes */
};

/* Find the hash of the file 'name'. False: the list does not have it, or not as such a line. */
bool hashes_find(const struct hashes *hashes, const char *name, uint8_t ret[SHA256_SIZE]);
