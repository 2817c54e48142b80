/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* What one character becomes, and a NUL. */
enum { JSON_ESCAPED_SIZE = 7 };

/*
 * Write the first character of 'text', of 'len' bytes and at least one, as it is in a string of
 * JSON. Returns how many bytes it has in 'text'. What is not printable UTF-8 becomes \u00XX, byte
 * by byte.
 */
size_t json_escape(const char *text, size_t len, char ret[JSON_ESCAPED_SIZE]);
