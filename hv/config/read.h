/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Parse, validate and resolve 'text', which is 'len' arbitrary bytes. Errors are reported to
 * 'diag'. ERR_INVAL: there was one; 'ret' may still go to config_open(), which reports its own.
 * ERR_NOMEM: the arena is full, reported. After any error no VM may start.
 *
 * A line of the text is "vm NAME OPTIONS", "template NAME OPTIONS", "clone ...", "map ...",
 * "save ..." or "host OPTIONS", with words as in word.h.
 */
enum status config_parse(const char *text, size_t len, struct arena *arena, struct diag *diag,
			 struct config *ret);

/*
 * Make a configuration of one VM that only has objects. Each of 'arguments' is the argument of an
 * -object; columns in messages count in it. Returns the same errors.
 */
enum status config_parse_objects(const char *const *arguments, size_t n, struct arena *arena,
				 struct diag *diag, struct config *ret);

/*
 * The second pass, over the files of the ramdisk: find the images of all backends by QEMU's rules
 * for files, place the DIMMs, find kernels and other files. Returns the same errors.
 */
enum status config_open(struct config *config, struct image_list *images, struct diag *diag);
