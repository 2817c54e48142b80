/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of ELF kernels by Xen's PVH boot protocol: a note holds a 32-bit entry point, EBX points
 * to a hvm_start_info with memory map, command line and modules.
 *
 * Source: Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h.
 */
#include "hv/loader/pvh.h"

#include "hv/lib/string.h"
#include "hv/loader/elf.h"
#include "hv/loader/kernel_file.h"

#define NOTE_HEADER	   12 /* name size, descriptor size, type */
#define NOTE_PHYS32_ENTRY  18
#define START_INFO_MAGIC   0x336ec578
#define START_INFO_VERSION 1 /* the first version with a memory map */
#define START_INFO_SIZE	   56
#define MEMORY_ENTRY_SIZE  24
#define MODULE_ENTRY_SIZE  32

/* A note in a PT_NOTE segment. */
struct note {
	const uint8_t *desc;
	uint64_t desc_len;
	uint32_t type;
	bool is_xen;
};

/*
 * Read the note at '*at' of a segment's 'len' bytes, and advance to the next. False: the end, or a
 * truncated note. Alignment counts from the start of the segment.
 */
static bool next_note(const uint8_t *segment, uint64_t len, uint64_t align, uint64_t *at,
		      struct note *ret)
{
	if (len - *at < NOTE_HEADER)
		return false;
	const uint8_t *p = segment + *at;
	uint64_t name_len = loader_get_u32(p), desc_len = loader_get_u32(p + 4);
	uint64_t desc = align_up(*at + NOTE_HEADER + name_len, align);

	if (desc > len || len - desc < desc_len)
		return false;
	*ret = (struct note){
		.desc = segment + desc,
		.desc_len = desc_len,
		.type = loader_get_u32(p + 8),
		.is_xen = name_len == 4 && memcmp(p + NOTE_HEADER, "Xen", 4) == 0,
	};
	*at = align_up(desc + desc_len, align);
	if (*at > len)
		*at = len;
	return true;
}

static bool find_in_segment(const struct elf *elf, const struct elf_segment *segment, uint64_t *ret)
{
	uint64_t at = 0, end;
	struct note note;

	if (segment->type != ELF_PT_NOTE ||
	    __builtin_add_overflow(segment->offset, segment->filesz, &end) || end > elf->len)
		return false;
	while (next_note(elf->file + segment->offset, segment->filesz, segment->align == 8 ? 8 : 4,
			 &at, &note)) {
		if (!note.is_xen || note.type != NOTE_PHYS32_ENTRY)
			continue;
		if (note.desc_len != 4 && note.desc_len != 8)
			continue;
		*ret = note.desc_len == 8 ? loader_get_u64(note.desc) : loader_get_u32(note.desc);
		return true;
	}
	return false;
}

/* The physical address in the PHYS32_ENTRY note. */
static bool find_entry(const struct elf *elf, uint64_t *ret)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_segment segment = elf_segment(elf, i);

		if (find_in_segment(elf, &segment, ret))
			return true;
	}
	return false;
}

/* A damaged ELF file is not a PVH kernel: its note cannot be found. */
bool pvh_detect(const uint8_t *file, uint64_t len)
{
	struct loader_input input = {.kernel = file, .kernel_len = len, .kernel_name = ""};
	struct loader loader = {.input = &input};
	struct elf elf;
	uint64_t entry;

	return elf_open(&loader, &elf) == OK && find_entry(&elf, &entry);
}

static enum status write_memory_map(struct loader *loader)
{
	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];
		const struct loader_field fields[] = {
			{0, 8, entry->addr},
			{8, 8, entry->len},
			{16, 4, entry->type},
			{20, 4, 0},
		};

		TRY(loader_write_fields(
			loader, loader_at(loader, LOADER_MEMORY_MAP) + i * MEMORY_ENTRY_SIZE,
			fields, ARRAY_SIZE(fields)));
	}
	return OK;
}

/* The first module lies highest. */
static enum status copy_module(struct loader *loader, size_t i, uint64_t *limit)
{
	const struct loader_module *module = &loader->input->modules[i];
	uint64_t entry = loader_at(loader, LOADER_MODULE_LIST) + i * MODULE_ENTRY_SIZE;
	uint64_t cmdline;

	TRY(loader_copy_high(loader, module, *limit, "module", limit));
	TRY(loader_write_string(loader, module->cmdline, "module's command line", &cmdline));
	if (i == 0)
		loader->state->initrd_start = (gpa_t){*limit};

	const struct loader_field fields[] = {
		{0, 8, *limit},
		{8, 8, module->len},
		{16, 8, cmdline},
		{24, 8, 0},
	};

	return loader_write_fields(loader, entry, fields, ARRAY_SIZE(fields));
}

static enum status copy_modules(struct loader *loader)
{
	uint64_t limit = loader->input->ram_below_4g;

	TRY(loader_check_modules(loader));
	for (size_t i = 0; i < loader->input->n_modules; i++)
		TRY(copy_module(loader, i, &limit));
	return OK;
}

static enum status write_start_info(struct loader *loader)
{
	const char *append = loader->input->append != NULL ? loader->input->append : "";
	uint64_t n_modules = loader->input->n_modules;
	uint64_t cmdline;

	TRY(loader_write_string(loader, append, "command line", &cmdline));
	const struct loader_field fields[] = {
		{0, 4, START_INFO_MAGIC},
		{4, 4, START_INFO_VERSION},
		{12, 4, n_modules},
		{16, 8, n_modules > 0 ? loader_at(loader, LOADER_MODULE_LIST) : 0},
		{24, 8, cmdline},
		{32, 8, loader->input->acpi_rsdp.raw},
		{40, 8, loader_at(loader, LOADER_MEMORY_MAP)},
		{48, 4, loader->input->n_e820},
	};

	TRY(loader_zero(loader, loader_at(loader, LOADER_INFO), START_INFO_SIZE));
	return loader_write_fields(loader, loader_at(loader, LOADER_INFO), fields,
				   ARRAY_SIZE(fields));
}

enum status pvh_load(struct loader *loader)
{
	struct elf elf;
	uint64_t entry = 0, ignored;

	TRY(elf_open(loader, &elf));
	if (!find_entry(&elf, &entry))
		return loader_refuse(loader, ERR_CORRUPT, "no PVH entry point");
	TRY(elf_load(loader, &elf, &ignored));
	if (entry < loader->state->kernel_start.raw || entry >= loader->state->kernel_end.raw)
		return loader_refuse(loader, ERR_CORRUPT,
				     "the PVH entry point 0x%lx is outside the kernel", entry);
	TRY(loader_avoid_kernel(loader));
	loader->state->mode = ENTRY_PROTECTED32;
	loader->state->rip = entry;
	loader->state->rbx = loader_at(loader, LOADER_INFO);
	TRY(write_memory_map(loader));
	TRY(copy_modules(loader));
	return write_start_info(loader);
}
