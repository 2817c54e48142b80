/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Parse, validate and resolve 'text' (any bytes, 'len' of them). All errors go
 * to 'diag'; returns ERR_INVAL if there was any, ERR_NOMEM if the arena is full (said too).
 * After ERR_INVAL 'ret' may still go to config_open(), so that its errors are said as well;
 * after any error no VM may start.
 *
 * The text: one "vm NAME OPTIONS", "template NAME OPTIONS", "clone ...", "save ..." or
 * "host OPTIONS" a line, words as in word.h.
 */
enum status config_parse(const char *text, size_t len, struct arena *arena, struct diag *diag,
			 struct config *ret);

/*
 * A configuration of one VM that has nothing but objects: each of 'arguments' is what would stand
 * behind an -object. Columns in messages are those of its argument. Same returns.
 */
enum status config_parse_objects(const char *const *arguments, size_t n, struct arena *arena,
				 struct diag *diag, struct config *ret);

/*
 * Second pass, once the ramdisk is there: find the images of all backends, apply QEMU's file
 * rules, place the DIMMs. Same returns.
 */
enum status config_open(struct config *config, struct image_list *images, struct diag *diag);
