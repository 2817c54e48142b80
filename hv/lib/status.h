/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The result of anything that can fail for a reason outside the code itself. A
 * broken invariant is not a status: use assert().
 */
/* clang-format 14 takes the attribute for an initializer. */
/* clang-format off */
enum [[nodiscard]] status {
	OK = 0,
	ERR_INVAL,	 /* the request contradicts itself */
	ERR_RANGE,	 /* outside what the machine or the VM has */
	ERR_OVERLAP,	 /* collides with something that exists */
	ERR_NOMEM,	 /* no frames left, or the VM's limit reached */
	ERR_NOTFOUND,	 /* nothing of that name or at that place */
	ERR_UNSUPPORTED, /* not supported by this processor or this version */
	ERR_CORRUPT,	 /* input data violate their format */
	ERR_BUSY,	 /* something is half done: try again later */
};
/* clang-format on */

/* Pass a failure up to the caller that has the context to report it. */
#define TRY(call) \
	do { \
		enum status s_ = (call); \
		if (s_ != OK) \
			return s_; \
	} while (0)
