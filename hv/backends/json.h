/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/word.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * JSON as QEMU reads it: RFC 8259, and strings may be in single quotes. Keys are unique.
 */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INTEGER, /* from -2^63 to 2^64 - 1 */
	JSON_FLOAT,   /* any other number; its value is not kept */
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	struct json *next; /* in its array or object */
	enum json_type type;
	const char *key;    /* of an object's member, else NULL */
	size_t key_at;	    /* where in the word the key begins */
	size_t at;	    /* where the value begins */
	size_t len;	    /* bytes in the word */
	uint64_t number;    /* JSON_INTEGER, in two's complement; JSON_BOOL: 0 or 1 */
	bool negative;	    /* JSON_INTEGER */
	const char *text;   /* JSON_STRING, in modified UTF-8: U+0000 takes two bytes */
	struct json *first; /* of a JSON_ARRAY or JSON_OBJECT; NULL: it is empty */
};

/* Arrays and objects nest no deeper than this. */
#define JSON_DEPTH_MAX 1024

/*
 * Read the word, which is one value, into 'arena'. ERR_INVAL: not JSON, reported in QEMU's words.
 * ERR_NOMEM: the arena is full, not reported. Nesting does not grow the stack.
 */
enum status json_read(const struct word *word, struct arena *arena, struct diag *diag,
		      struct json **ret);
