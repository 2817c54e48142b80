/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of Multiboot 2 kernels: ELF files, or flat files whose header gives their addresses. EAX
 * holds the magic number, EBX points to the information, a list of tags.
 *
 * Source: Multiboot2 Specification version 2.0. As with GRUB, command lines are without the names
 * of the files.
 */
#include "hv/loader/multiboot2.h"

#include "hv/lib/string.h"
#include "hv/loader/acpi.h"
#include "hv/loader/elf.h"
#include "hv/loader/flat.h"
#include "hv/loader/kernel_file.h"
#include "hv/loader/multiboot2_header.h"

#define LOADER_MAGIC	  0x36d76289
#define TAG_ALIGN	  8
#define TAG_HEADER	  8 /* type, size */
#define INFO_HEADER	  8 /* total size, reserved */
#define MEMORY_ENTRY_SIZE 24

/* The range is RAM, and where the header allows the kernel to be. */
static bool is_allowed(const struct loader *loader, const struct multiboot2_header *header,
		       uint64_t start, uint64_t len)
{
	return start >= header->place.min && start + len - 1 <= header->place.max &&
	       is_aligned(start, header->place.align) &&
	       loader_ram_end(loader, start) >= start + len;
}

/* The place for a kernel of 'len' bytes, linked for 'start', that can be relocated; 0: none. */
static uint64_t choose_place(const struct loader *loader, const struct multiboot2_header *header,
			     uint64_t start, uint64_t len)
{
	uint64_t place;

	if (header->place.preference == MB2_ANYWHERE && is_allowed(loader, header, start, len))
		return start;
	if (header->place.preference == MB2_HIGHEST)
		place = loader_place_high(loader, header->place.max + 1, len, header->place.align);
	else
		place = loader_place_low(loader, header->place.min, len, header->place.align);
	return place != 0 && is_allowed(loader, header, place, len) ? place : 0;
}

/* How much higher than 'start' the kernel of 'len' bytes goes; modulo 2^64. */
static enum status relocate(struct loader *loader, const struct multiboot2_header *header,
			    uint64_t start, uint64_t len, uint64_t *ret_delta)
{
	uint64_t place;

	*ret_delta = 0;
	if (!header->is_relocatable)
		return OK;
	place = choose_place(loader, header, start, len);
	if (place == 0)
		return loader_refuse(loader, ERR_RANGE,
				     "no room for the kernel's 0x%lx bytes from 0x%lx to 0x%lx, "
				     "aligned to 0x%lx",
				     len, header->place.min, header->place.max,
				     header->place.align);
	*ret_delta = place - start;
	return OK;
}

static enum status load_flat(struct loader *loader, const struct multiboot2_header *header)
{
	const struct flat_header fields = {
		.header = header->at,
		.fields = header->addresses,
		.entry = header->entry,
		.may_be_whole = true,
	};
	struct flat flat;
	uint64_t delta;

	TRY(flat_read(loader, &fields, &flat));
	TRY(relocate(loader, header, flat.load, flat.end - flat.load, &delta));
	return flat_load(loader, &flat, delta);
}

static enum status load_elf(struct loader *loader, const struct multiboot2_header *header,
			    struct elf *elf)
{
	struct loader_state *state = loader->state;
	uint64_t start, end;

	TRY(elf_open(loader, elf));
	TRY(elf_span(loader, elf, &start, &end));
	TRY(relocate(loader, header, start, end - start, &elf->delta));
	TRY(elf_load(loader, elf, &state->rip));
	if (header->entry != 0)
		state->rip = loader_get_u32(elf->file + header->entry) + elf->delta;
	if (state->rip < state->kernel_start.raw || state->rip >= state->kernel_end.raw)
		return loader_refuse(loader, ERR_CORRUPT,
				     "the entry point 0x%lx is outside the kernel", state->rip);
	return OK;
}

/* Append to the information, which lies where other kinds of kernels have several tables. */
static enum status put(struct loader *loader, const void *data, uint64_t len)
{
	uint64_t room = loader_at(loader, LOADER_STRINGS_END) - loader->string_end;

	if (len > room)
		return loader_refuse(loader, ERR_RANGE,
				     "the Multiboot 2 information is longer than %d KiB",
				     (LOADER_STRINGS_END - LOADER_INFO) >> 10);
	TRY(loader_write(loader, loader->string_end, data, len));
	loader->string_end += len;
	return OK;
}

static enum status put_u32(struct loader *loader, uint32_t value)
{
	return put(loader, &value, sizeof(value));
}

/* Begin a tag whose content has 'len' bytes, after the padding of the one before. */
static enum status put_tag(struct loader *loader, enum multiboot2_info_tag type, uint64_t len)
{
	static const uint8_t padding[TAG_ALIGN];

	TRY(put(loader, padding, align_up(loader->string_end, TAG_ALIGN) - loader->string_end));
	TRY(put_u32(loader, type));
	return put_u32(loader, (uint32_t)(TAG_HEADER + len));
}

static enum status put_string(struct loader *loader, enum multiboot2_info_tag type, const char *s)
{
	size_t len = strlen(s) + 1;

	TRY(put_tag(loader, type, len));
	return put(loader, s, len);
}

static enum status put_module(struct loader *loader, size_t i, uint64_t *end)
{
	const struct loader_module *module = &loader->input->modules[i];
	const char *space = strchr(module->cmdline, ' ');
	const char *args = space != NULL ? space + 1 : "";
	uint64_t addr;

	TRY(loader_copy_module(loader, i, end, &addr));
	TRY(put_tag(loader, MB2_MODULE, 8 + strlen(args) + 1));
	TRY(put_u32(loader, (uint32_t)addr));
	TRY(put_u32(loader, (uint32_t)(addr + module->len)));
	return put(loader, args, strlen(args) + 1);
}

static enum status put_memory(struct loader *loader)
{
	const uint64_t low = loader_ram_end(loader, 0), high = loader_ram_end(loader, MIB(1));

	TRY(put_tag(loader, MB2_MEMORY, 8));
	TRY(put_u32(loader, (uint32_t)((low < KIB(640) ? low : KIB(640)) >> 10)));
	return put_u32(loader, (uint32_t)((high - MIB(1)) >> 10));
}

static enum status put_memory_map(struct loader *loader)
{
	TRY(put_tag(loader, MB2_MEMORY_MAP, 8 + loader->input->n_e820 * MEMORY_ENTRY_SIZE));
	TRY(put_u32(loader, MEMORY_ENTRY_SIZE));
	TRY(put_u32(loader, 0)); /* version of the entries */
	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];

		TRY(put(loader, &entry->addr, 8));
		TRY(put(loader, &entry->len, 8));
		TRY(put_u32(loader, entry->type));
		TRY(put_u32(loader, 0));
	}
	return OK;
}

/*
 * Copy a section that no segment has loaded, symbols and debug information, to after the kernel,
 * and tell its address in the copy 'header' of its header.
 */
static enum status copy_section(struct loader *loader, const struct elf *elf, uint64_t at,
				uint8_t *header)
{
	struct elf_section section = elf_section(elf, header);
	uint64_t addr;

	if (section.addr != 0 || section.size == 0 || section.type == ELF_SHT_NOBITS)
		return OK;
	if (section.offset > elf->len || section.size > elf->len - section.offset)
		return loader_refuse_at(loader, ERR_CORRUPT, at,
					"the section's 0x%lx bytes from 0x%lx on are outside the "
					"file",
					section.size, section.offset);
	addr = loader_place_low(loader, loader->state->kernel_end.raw, section.size, PAGE_SIZE);
	if (addr == 0)
		return loader_refuse(loader, ERR_RANGE,
				     "no room for a section of 0x%lx bytes after the kernel",
				     section.size);
	TRY(loader_write(loader, addr, elf->file + section.offset, section.size));
	loader->state->kernel_end = (gpa_t){addr + section.size};
	elf_set_section_addr(elf, header, addr);
	return OK;
}

static enum status put_sections(struct loader *loader, const struct elf *elf)
{
	uint8_t header[ELF_SECTION_MAX];

	TRY(elf_check_sections(loader, elf));
	TRY(put_tag(loader, MB2_SECTIONS, 12 + (uint64_t)elf->shnum * elf->shentsize));
	TRY(put_u32(loader, elf->shnum));
	TRY(put_u32(loader, elf->shentsize));
	TRY(put_u32(loader, elf->shstrndx));
	for (uint16_t i = 0; i < elf->shnum; i++) {
		uint64_t at = elf->shoff + (uint64_t)i * elf->shentsize;

		memcpy(header, elf->file + at, elf->shentsize);
		TRY(copy_section(loader, elf, at, header));
		TRY(put(loader, header, elf->shentsize));
	}
	return OK;
}

static enum status put_acpi(struct loader *loader)
{
	uint8_t rsdp[ACPI_RSDP_SIZE];

	if (loader->input->acpi_rsdp.raw == 0)
		return OK;
	acpi_make_rsdp(loader->input->acpi_rsdp.raw, rsdp);
	TRY(put_tag(loader, MB2_ACPI_NEW, sizeof(rsdp)));
	return put(loader, rsdp, sizeof(rsdp));
}

static enum status put_modules(struct loader *loader)
{
	uint64_t end = loader->state->kernel_end.raw;

	TRY(loader_check_modules(loader));
	for (size_t i = 0; i < loader->input->n_modules; i++)
		TRY(put_module(loader, i, &end));
	return OK;
}

/* 'elf' has no sections if the kernel is flat. */
static enum status write_info(struct loader *loader, const struct multiboot2_header *header,
			      const struct elf *elf)
{
	const uint64_t info = loader_at(loader, LOADER_INFO);
	const char *append = loader->input->append != NULL ? loader->input->append : "";

	loader->string_end = info + INFO_HEADER;
	TRY(put_string(loader, MB2_CMDLINE, append));
	TRY(put_string(loader, MB2_LOADER_NAME, "stencil"));
	TRY(put_memory(loader));
	TRY(put_memory_map(loader));
	if (header->wants_sections && elf->shnum > 0)
		TRY(put_sections(loader, elf));
	TRY(put_modules(loader));
	TRY(put_acpi(loader));
	if (header->is_relocatable) {
		TRY(put_tag(loader, MB2_LOAD_BASE, 4));
		TRY(put_u32(loader, (uint32_t)loader->state->kernel_start.raw));
	}
	TRY(put_tag(loader, MB2_END, 0));

	const struct loader_field sizes[] = {{0, 4, loader->string_end - info}, {4, 4, 0}};

	return loader_write_fields(loader, info, sizes, ARRAY_SIZE(sizes));
}

enum status multiboot2_load(struct loader *loader)
{
	struct multiboot2_header header;
	struct elf elf = {0};

	TRY(multiboot2_read_header(loader, &header));
	if (header.addresses != 0)
		TRY(load_flat(loader, &header));
	else
		TRY(load_elf(loader, &header, &elf));
	TRY(loader_avoid_kernel(loader));
	loader->state->mode = ENTRY_PROTECTED32;
	loader->state->rax = LOADER_MAGIC;
	loader->state->rbx = loader_at(loader, LOADER_INFO);
	return write_info(loader, &header, &elf);
}
