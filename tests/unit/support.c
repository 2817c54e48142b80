/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosted side of the seams: physical memory is a heap block, the console is
 * a buffer that tests can read, a broken assertion aborts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv/frame/frame.h"
#include "hv/frame/free_map.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/version.h"

uintptr_t phys_offset;

const char stencil_version[] = "0.0.0 (test)";

static struct frame_stack first_stack;
_Thread_local struct frame_stack *stack_here = &first_stack;
bool free_map_is_apart = true;

char logged[65536];
static size_t n_logged;
static enum log_level max_level = LOG_DEBUG;

void log_reset(void);
void *phys_arena(phys_t start, size_t size);
bool aborts(void (*f)(void));

void log_reset(void)
{
	n_logged = 0;
	logged[0] = '\0';
}

const char *log_prefix(enum log_level level)
{
	static const char *const prefix[] = {"error: ", "warning: ", "", ""};

	return level <= max_level ? prefix[level] : NULL;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	const char *prefix = log_prefix(level);
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (prefix == NULL || n_logged + strlen(line) + 16 > sizeof(logged))
		return;
	n_logged += (size_t)sprintf(logged + n_logged, "%s%s\n", prefix, line);
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

bool aborts(void (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fclose(stderr);
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

void *phys_arena(phys_t start, size_t size)
{
	static void *arena;
	static size_t arena_size;

	/* Existing pages are much cheaper. */
	if (size != arena_size) {
		free(arena);
		arena = aligned_alloc(1 << 21, size);
		if (arena == NULL)
			abort();
		arena_size = size;
	}
	memset(arena, 0, size);
	phys_offset = (uintptr_t)arena - start;
	return arena;
}

struct frame_stack *frame_stack_here(void)
{
	return stack_here;
}

/* Those of cases that have ended are used again. */
#define MAPS_AT_ONCE 2048
void *free_map_memory(uint64_t size)
{
	static char memory[MAPS_AT_ONCE][FREE_MAP_RECORDS] __attribute__((aligned(8)));
	static unsigned n;

	return free_map_is_apart ? memory[n++ % MAPS_AT_ONCE] : NULL;
}
