/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocate memory front to back. Single objects are never freed. */
#include "hv/lib/arena.h"

#include "hv/lib/string.h"

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t start = (size_t)align_up(arena->used, 16);

	if (start < arena->used || start > arena->size || size > arena->size - start)
		return NULL;
	arena->used = start + size;
	return memset(arena->base + start, 0, size);
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;

	return copy ? memcpy(copy, s, len) : NULL;
}
