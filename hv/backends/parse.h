/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/word.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * QEMU's sizes: [blanks][+]digits[.digits][BKMGTPE], 1024-based, or hexadecimal without
 * fraction and suffix. ERR_RANGE: negative, or 2^64 and more; ERR_INVAL: anything else.
 */
enum status parse_size(const char *text, uint64_t *ret);
/* What helps with a text that parse_size() refused: the suffix of "128MB" is M. */
void parse_advise_size(const char *text, struct diag *diag);

/*
 * C's integers: decimal, hexadecimal (0x) or octal (0), after blanks and a sign; nothing may
 * follow. '*ret' is in two's complement if negative. ERR_RANGE: above 2^64 - 1 or below -2^63.
 */
enum status parse_integer(const char *text, uint64_t *ret, bool *ret_negative);

/*
 * One item of QEMU's lists of integers: "5" or "2-5" with 2 <= 5, at most 65536 numbers, written as
 * for parse_integer() and not negative.
 */
enum status parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last);

/*
 * The value of the parameter 'name' after the first 'at' bytes of 'word': a size, rounded down to
 * whole pages and not 0. ERR_INVAL: reported.
 */
enum status parse_limit(const struct word *word, size_t at, const char *name, struct diag *diag,
			uint64_t *ret);

/* on yes true y, off no false n; lower case. */
bool parse_bool(const char *text, bool *ret);

/* The value of a hexadecimal digit; 16: it is not one. */
unsigned parse_hex_digit(char c);

/* Whether 'name' is one of the names in 'list', which are separated by single blanks. */
bool is_listed(const char *list, const char *name);

/* [A-Za-z][A-Za-z0-9._-]* */
bool is_identifier(const char *text);
