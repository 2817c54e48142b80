/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a server's answer to a request means. */
enum http_answer {
	HTTP_ANSWER_OK,
	HTTP_ANSWER_MISSING,   /* there is no such file */
	HTTP_ANSWER_REDIRECT,  /* it is elsewhere */
	HTTP_ANSWER_NO_LENGTH, /* it is there, but not as a file of known length */
	HTTP_ANSWER_REFUSED,   /* everything else */
};

/* Same layout as UEFI's EFI_HTTP_HEADER. */
struct http_answer_header {
	const char *name, *value;
};

/* The number of a status (404), of which UEFI has its own count; 0: unknown. */
unsigned http_answer_number(uint32_t efi_status);
/* Of HEAD and GET: OK only with a length, in '*ret_len', and without a coding of the body. */
enum http_answer http_answer_to_read(unsigned number, const struct http_answer_header *headers,
				     uint64_t n, uint64_t *ret_len);
/* Of PUT. */
enum http_answer http_answer_to_write(unsigned number);
