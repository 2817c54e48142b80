/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules of Multiboot and PVH have the right place and content. n= on the command line is their
 * number. Each module's own line describes it: size= in bytes, sum= of its bytes, pattern (8 bytes
 * at offset o hold PATTERN(o)).
 */
#include "tests/guest/lib/lib.h"

struct module {
	uint64_t start, end;
	const char *text;
};

static struct module modules[16];
static uint32_t n_modules;

static bool in_free_ram_of_multiboot(uint64_t start, uint64_t end)
{
	const struct multiboot_info *mb = multiboot();
	uint32_t at = mb->mmap_addr;

	while (at < mb->mmap_addr + mb->mmap_length) {
		const struct multiboot_mmap *entry = (const void *)(uintptr_t)at;

		if (entry->type == 1 && start >= entry->base && end <= entry->base + entry->length)
			return true;
		at += entry->size + (uint32_t)sizeof(entry->size);
	}
	return false;
}

static bool in_free_ram_of_pvh(uint64_t start, uint64_t end)
{
	const struct pvh_memory *entry = (const void *)(uintptr_t)pvh()->memmap;

	for (uint32_t i = 0; i < pvh()->n_memmap; i++, entry++) {
		if (entry->type == 1 && start >= entry->base && end <= entry->base + entry->length)
			return true;
	}
	return false;
}

static bool outside_image(uint64_t start, uint64_t end)
{
	return end <= (uint64_t)(uintptr_t)image_start || start >= (uint64_t)(uintptr_t)image_end;
}

static uint64_t sum_of(const struct module *m)
{
	uint64_t sum = 0;

	for (uint64_t at = m->start; at < m->end; at++)
		sum += *(const uint8_t *)(uintptr_t)at;
	return sum;
}

static bool holds_pattern(const struct module *m)
{
	for (uint64_t o = 0; o + 8 <= m->end - m->start; o += 8) {
		if (*(const uint64_t *)(uintptr_t)(m->start + o) != PATTERN(o))
			return false;
	}
	return true;
}

static void check_module(const struct module *m)
{
	uint64_t sum = sum_of(m), size = m->end - m->start;
	bool in_ram = multiboot() != NULL ? in_free_ram_of_multiboot(m->start, m->end)
					  : in_free_ram_of_pvh(m->start, m->end);

	print("module %#lx to %#lx, sum %#lx: \"%s\"\n", m->start, m->end, sum, m->text);
	report(m->start % PAGE_SIZE == 0, "modules: start on a page");
	report(outside_image(m->start, m->end), "modules: not in the kernel");
	report(in_ram, "modules: in free RAM");
	report(line_number(m->text, "size", size) == size, "modules: %lu bytes", size);
	report(line_number(m->text, "sum", sum) == sum, "modules: sum %#lx", sum);
	if (line_given(m->text, "pattern"))
		report(holds_pattern(m), "modules: the pattern");
}

static void read_multiboot(const struct multiboot_info *mb)
{
	const struct multiboot_module *m = (const void *)(uintptr_t)mb->mods_addr;

	report((mb->flags & MB_MEMORY) && mb->mem_upper > 4096, "modules: %u KiB above 1 MiB",
	       mb->mem_upper);
	report(mb->flags & MB_CMDLINE, "modules: command line \"%s\"", command_line());
	report(mb->flags & MB_MMAP, "modules: memory map of %u bytes", mb->mmap_length);
	n_modules = mb->mods_count;
	for (uint32_t i = 0; i < n_modules && i < 16; i++)
		modules[i] =
			(struct module){m[i].start, m[i].end, (const char *)(uintptr_t)m[i].string};
}

static void read_pvh(const struct pvh_info *info)
{
	const struct pvh_module *m = (const void *)(uintptr_t)info->modules;

	n_modules = info->n_modules;
	for (uint32_t i = 0; i < n_modules && i < 16; i++)
		modules[i] = (struct module){m[i].address, m[i].address + m[i].size,
					     (const char *)(uintptr_t)m[i].cmdline};
}

void payload(void)
{
	if (multiboot() != NULL)
		read_multiboot(multiboot());
	else
		read_pvh(pvh());
	if (!report(n_modules == param_number("n", 0) && n_modules <= 16, "modules: %u of them",
		    n_modules))
		return;
	for (uint32_t i = 0; i < n_modules; i++) {
		check_module(&modules[i]);
		for (uint32_t j = 0; j < i; j++)
			report(modules[j].end <= modules[i].start ||
				       modules[i].end <= modules[j].start,
			       "modules: %u and %u apart", j, i);
	}
}
