/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine below the hypervisor's sources in the linter: messages go to standard error, frames
 * are address space that is hardly ever touched, and physical addresses are virtual ones. The
 * contents of images do not matter to a check of the configuration, so bulk data are neither
 * cleared nor moved: the linker redirects memcpy() and memset() to this file.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "guest-tools/lint/lint.h"
#include "hv/frame/frame.h"
#include "hv/frame/free_map.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"

#define BULK MIB(1)

uintptr_t phys_offset;

void *__real_memcpy(void *dst, const void *src, size_t n);
void *__real_memset(void *dst, int c, size_t n);
void *__wrap_memcpy(void *dst, const void *src, size_t n);
void *__wrap_memset(void *dst, int c, size_t n);

void *__wrap_memcpy(void *dst, const void *src, size_t n)
{
	return n < BULK ? __real_memcpy(dst, src, n) : dst;
}

void *__wrap_memset(void *dst, int c, size_t n)
{
	return n < BULK ? __real_memset(dst, c, n) : dst;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (level > LOG_WARNING)
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "stencil lint: %s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

struct frame_stack *frame_stack_here(void)
{
	static struct frame_stack stack;

	return &stack;
}

/* Apart from the machine's memory, so that the tool's user has all of what was asked for. */
void *free_map_memory(uint64_t size)
{
	return malloc(size);
}

bool lint_add_memory(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		perror("stencil lint: address space");
		return false;
	}
	frame_add_range(virt_to_phys(memory), size);
	return true;
}
