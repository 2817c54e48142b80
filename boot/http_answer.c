/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges the answers of HTTP servers. Redirects are not followed: the configuration, which may be
 * signed, names the server. A body of unknown length is refused before it is read, because memory
 * is allocated for the whole.
 */
#include "boot/http_answer.h"

#include <stddef.h>

#include "boot/url.h"

/* UEFI specification, "EFI_HTTP_STATUS_CODE": the numbers of RFC 2616 in order, without 306. */
unsigned http_answer_number(uint32_t efi_status)
{
	static const struct {
		uint16_t first, n;
	} rows[] = {{100, 2}, {200, 7}, {300, 6}, {307, 1}, {400, 18}, {500, 6}, {308, 1}};
	uint32_t left = efi_status - 1;

	if (efi_status == 0)
		return 0;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (left < rows[i].n)
			return rows[i].first + left;
		left -= rows[i].n;
	}
	return 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a header whose name is in lower case; NULL: there is none. */
static const char *find(const struct http_answer_header *headers, uint64_t n, const char *name)
{
	for (uint64_t i = 0; i < n; i++) {
		const char *a = headers[i].name, *b = name;

		while (*b != '\0' && lower(*a) == *b)
			a++, b++;
		if (*a == '\0' && *b == '\0')
			return headers[i].value;
	}
	return NULL;
}

static bool read_length(const struct http_answer_header *headers, uint64_t n, uint64_t *ret)
{
	const char *value = find(headers, n, "content-length");

	if (value == NULL || find(headers, n, "transfer-encoding") != NULL ||
	    find(headers, n, "content-encoding") != NULL)
		return false;
	while (*value == ' ' || *value == '\t')
		value++;
	return url_read_number(value, url_length(value), ret);
}

enum http_answer http_answer_to_read(unsigned number, const struct http_answer_header *headers,
				     uint64_t n, uint64_t *ret_len)
{
	if (number == 404 || number == 410)
		return HTTP_ANSWER_MISSING;
	if (number >= 300 && number < 400)
		return HTTP_ANSWER_REDIRECT;
	if (number != 200)
		return HTTP_ANSWER_REFUSED;
	return read_length(headers, n, ret_len) ? HTTP_ANSWER_OK : HTTP_ANSWER_NO_LENGTH;
}

enum http_answer http_answer_to_write(unsigned number)
{
	if (number == 200 || number == 201 || number == 202 || number == 204)
		return HTTP_ANSWER_OK;
	if (number >= 300 && number < 400)
		return HTTP_ANSWER_REDIRECT;
	return HTTP_ANSWER_REFUSED;
}
