/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The result of anything that can fail for a reason outside the code itself.
 * A broken invariant is not a status; it is an assert().
 */
/* clang-format 14 takes the attribute for an initializer. */
/* clang-format off */
enum [[nodiscard]] status {
	OK = 0,
	ERR_INVAL,	 /* the request contradicts itself */
	ERR_RANGE,	 /* outside what the machine or the VM has */
	ERR_OVERLAP,	 /* collides with something already there */
	ERR_NOMEM,	 /* no frames left, or the VM's ceiling reached */
	ERR_NOTFOUND,	 /* nothing of that name or at that place */
	ERR_UNSUPPORTED, /* this processor, or this version, cannot */
	ERR_CORRUPT,	 /* input data break their own format */
};
/* clang-format on */

/* Pass a failure on to whoever has the context to say it. */
#define TRY(call) \
	do { \
		enum status s_ = (call); \
		if (s_ != OK) \
			return s_; \
	} while (0)
