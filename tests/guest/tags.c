/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Multiboot 2 kernel is told. Started with the command line "a=b" and a module "FILE one
 * two". */
#include "tests/guest/lib/lib.h"

struct section {
	uint32_t name, type, flags, addr, offset, size;
	uint32_t rest[4];
};

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void check_strings(void)
{
	report(same(command_line(), "a=b"), "tags: command line \"%s\"", command_line());
	report(same(multiboot2(MB2_LOADER_NAME), "stencil"), "tags: the loader's name");
}

static void check_memory(void)
{
	const uint32_t *sizes = multiboot2(MB2_MEMORY), *map = multiboot2(MB2_MEMORY_MAP);
	const struct pvh_memory *entry = (const void *)(map + 2);

	report(sizes[0] == 639, "tags: %u KiB of low memory", sizes[0]);
	report(sizes[1] == 15 << 10, "tags: %u KiB above 1 MiB", sizes[1]);
	report(map[0] == sizeof(*entry) && map[1] == 0, "tags: entries of %u bytes", map[0]);
	report(entry->base == 0 && entry->length == 639 << 10 && entry->type == 1,
	       "tags: the first one is low memory");
}

static void check_module(void)
{
	const uint32_t *module = multiboot2(MB2_MODULE);
	const char *elf = (const char *)(uintptr_t)module[0];

	report(module[0] % PAGE_SIZE == 0 && module[1] > module[0], "tags: the module's place");
	report(elf[0] == 0x7f && elf[1] == 'E', "tags: the module's content");
	report(same((const char *)(module + 2), "one two"), "tags: the module's line");
}

/* The section at the image's start has its name in the table of strings, which is loaded. */
static void check_sections(void)
{
	const uint32_t *tag = multiboot2(MB2_SECTIONS);
	const struct section *section = (const void *)(tag + 3);
	const char *names = (const char *)(uintptr_t)section[tag[2]].addr;
	unsigned n_found = 0;

	report(tag[1] == sizeof(*section), "tags: %u sections", tag[0]);
	for (uint32_t i = 0; i < tag[0]; i++) {
		if (section[i].addr == (uint32_t)(uintptr_t)image_start)
			n_found += same(names + section[i].name, ".multiboot");
	}
	report(n_found == 1, "tags: the name of a section");
}

static void check_acpi(void)
{
	const uint8_t *rsdp = multiboot2(MB2_ACPI);
	const char *xsdt = (const char *)(uintptr_t) * (const uint32_t *)(rsdp + 24);
	uint8_t sum = 0;

	for (unsigned i = 0; i < 36; i++)
		sum += rsdp[i];
	report(sum == 0 && rsdp[15] == 2, "tags: a copy of the RSDP");
	report(xsdt[0] == 'X' && xsdt[1] == 'S', "tags: it leads to the XSDT");
}

void payload(void)
{
	if (!report(multiboot2(MB2_END) != NULL, "tags: loaded by Multiboot 2"))
		return;
	report(multiboot2(MB2_FRAMEBUFFER) == NULL, "tags: no framebuffer");
	check_strings();
	check_memory();
	check_module();
	check_sections();
	check_acpi();
}
