/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot modules have the right place and content. n= on the command line is their number.
 * Each module's own line describes it: size= in bytes, sum= of its bytes, pattern (8 bytes at
 * offset o hold PATTERN(o)).
 */
#include "tests/guest/lib/lib.h"

static bool in_free_ram(const struct multiboot_info *mb, uint64_t start, uint64_t end)
{
	uint32_t at = mb->mmap_addr;

	while (at < mb->mmap_addr + mb->mmap_length) {
		const struct multiboot_mmap *entry = (const void *)(uintptr_t)at;

		if (entry->type == 1 && start >= entry->base && end <= entry->base + entry->length)
			return true;
		at += entry->size + (uint32_t)sizeof(entry->size);
	}
	return false;
}

static bool outside_image(uint64_t start, uint64_t end)
{
	return end <= (uint64_t)(uintptr_t)image_start || start >= (uint64_t)(uintptr_t)image_end;
}

static uint64_t sum_of(const struct multiboot_module *m)
{
	uint64_t sum = 0;

	for (uint32_t at = m->start; at < m->end; at++)
		sum += *(const uint8_t *)(uintptr_t)at;
	return sum;
}

static bool holds_pattern(const struct multiboot_module *m)
{
	for (uint32_t o = 0; o + 8 <= m->end - m->start; o += 8) {
		if (*(const uint64_t *)(uintptr_t)(m->start + o) != PATTERN(o))
			return false;
	}
	return true;
}

static void check_module(const struct multiboot_info *mb, const struct multiboot_module *m)
{
	const char *text = (const char *)(uintptr_t)m->string;
	uint64_t sum = sum_of(m);
	uint64_t size = m->end - m->start;

	print("module %#x to %#x, sum %#lx: \"%s\"\n", m->start, m->end, sum, text);
	report(m->start % PAGE_SIZE == 0, "modules: start on a page");
	report(outside_image(m->start, m->end), "modules: not in the kernel");
	report(in_free_ram(mb, m->start, m->end), "modules: in free RAM");
	report(line_number(text, "size", size) == size, "modules: %lu bytes", size);
	report(line_number(text, "sum", sum) == sum, "modules: sum %#lx", sum);
	if (line_given(text, "pattern"))
		report(holds_pattern(m), "modules: the pattern");
}

void payload(void)
{
	const struct multiboot_info *mb = multiboot();
	const struct multiboot_module *m;

	if (!report(mb != NULL, "modules: loaded by Multiboot"))
		return;
	report((mb->flags & MB_MEMORY) && mb->mem_upper > 4096, "modules: %u KiB above 1 MiB",
	       mb->mem_upper);
	report(mb->flags & MB_CMDLINE, "modules: command line \"%s\"", command_line());
	report(mb->flags & MB_MMAP, "modules: memory map of %u bytes", mb->mmap_length);
	report(mb->mods_count == param_number("n", 0), "modules: %u of them", mb->mods_count);
	m = (const void *)(uintptr_t)mb->mods_addr;
	for (uint32_t i = 0; i < mb->mods_count; i++) {
		check_module(mb, &m[i]);
		for (uint32_t j = 0; j < i; j++)
			report(m[j].end <= m[i].start || m[i].end <= m[j].start,
			       "modules: %u and %u apart", j, i);
	}
}
