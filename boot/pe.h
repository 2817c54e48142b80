/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Find a section by its name in a PE32+ image as the firmware's loader leaves it in
 * memory: headers at 'image', sections at their offsets, 'size' bytes in all. Returns
 * where the section is from 'image' on and how many of its bytes came from the file
 * (which may be padded with zeros). False when there is none, or when headers or
 * section reach outside the image.
 */
bool pe_find_section(const void *image, uint64_t size, const char *name, uint64_t *ret_offset,
		     uint64_t *ret_len);
