/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The names of the image's functions, for the backtrace of a panic. The build puts the table at
 * the end of the image (boot/make-symbols), sorted by offset; hosted tests define their own.
 */
struct symbol_entry {
	uint32_t offset; /* from image_base */
	uint32_t name;	 /* index into symbol_names; an empty name ends the code before it */
};

extern const struct symbol_entry symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

/* First byte of the loaded image: from the linker script. */
extern const char image_base[];

/*
 * The first pages of the image, from the linker script: code and constants that only start needs.
 * main.c makes them free memory before the first VM runs.
 */
extern const char init_start[], init_end[];

/*
 * The function that contains 'addr', or NULL; *ret_offset is the offset of 'addr' in it. Takes no
 * locks, may be called in a panic.
 */
const char *symbol_find(uint64_t addr, uint64_t *ret_offset);

/* The start-only function that contains 'addr', or NULL. */
const char *symbol_find_start_only(uint64_t addr);
