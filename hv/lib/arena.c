/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocate memory front to back. Nothing is freed. */
#include "hv/lib/arena.h"

#include "hv/lib/string.h"

static void *take(struct arena *arena, size_t size)
{
	size_t start = (size_t)align_up(arena->used, 16);

	if (start < arena->used || start > arena->size || size > arena->size - start)
		return NULL;
	arena->used = start + size;
	return memset(arena->base + start, 0, size);
}

/* What is left of the memory so far is given up. */
static bool grow(struct arena *arena, size_t size)
{
	size_t new_size;
	void *base = arena->more ? arena->more(size, &new_size) : NULL;

	if (base == NULL)
		return false;
	arena->base = base;
	arena->size = new_size;
	arena->used = 0;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *object = take(arena, size);

	return object == NULL && grow(arena, size) ? take(arena, size) : object;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;

	return copy ? memcpy(copy, s, len) : NULL;
}
