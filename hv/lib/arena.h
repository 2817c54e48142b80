/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Memory that is allocated front to back and never freed: for what the configuration is parsed
 * into, and for everything that lives as long as the configured machine. Not locked.
 */
struct arena {
	char *base;
	size_t size;
	size_t used;
	/*
	 * Where more memory comes from when this is full: at least 'size' bytes, of which there are
	 * '*ret_size'; NULL: there is no more. May be NULL.
	 */
	void *(*more)(size_t size, size_t *ret_size);
};

/* Zeroed memory for one object, aligned to 16; NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t size);
/* A NUL-terminated copy of len bytes; NULL when the arena is full. */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
