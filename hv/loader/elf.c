/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files as kernels: 32-bit i386 or 64-bit x86-64. Loadable segments are copied to their
 * physical addresses; relocations are ignored. Segments must neither overlap
 * nor leave RAM, so that the VM's memory bounds the loader's work.
 */
#include "hv/loader/elf.h"

#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"

#define ELF_CLASS	   4
#define ELF_DATA	   5
#define ELF_VERSION	   6
#define ELF_TYPE	   16
#define ELF_MACHINE	   18
#define ELF_CLASS_32	   1
#define ELF_CLASS_64	   2
#define ELF_LITTLE_ENDIAN  1
#define ELF_TYPE_EXEC	   2
#define ELF_TYPE_DYN	   3
#define ELF_MACHINE_386	   3
#define ELF_MACHINE_X86_64 62
#define ELF_HEADER_32	   52
#define ELF_HEADER_64	   64
#define ELF_PH_32	   32
#define ELF_PH_64	   56
#define ELF_PH_MAX	   128
#define ELF_SH_32	   40
#define ELF_SH_64	   64

static bool has_magic(const void *file, uint64_t len)
{
	return len >= ELF_HEADER_32 && elf_detect(file, len);
}

static enum status check_ident(struct loader *loader, const uint8_t *file, bool is64)
{
	uint16_t machine = loader_get_u16(file + ELF_MACHINE);
	uint16_t type = loader_get_u16(file + ELF_TYPE);

	if (file[ELF_CLASS] != ELF_CLASS_32 && !is64)
		return loader_refuse_at(loader, ERR_CORRUPT, ELF_CLASS,
					"the ELF class is neither 32-bit nor 64-bit");
	if (file[ELF_DATA] != ELF_LITTLE_ENDIAN || file[ELF_VERSION] != 1)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, ELF_DATA,
					"not a little-endian ELF file of version 1");
	if (type != ELF_TYPE_EXEC && type != ELF_TYPE_DYN)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, ELF_TYPE,
					"the ELF type is %u, not an executable", type);
	if (machine != (is64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386))
		return loader_refuse_at(loader, ERR_UNSUPPORTED, ELF_MACHINE,
					"the ELF machine %u is not x86", machine);
	return OK;
}

static enum status check_headers(struct loader *loader, const struct elf *elf)
{
	uint64_t end;

	if (elf->phnum == 0 || elf->phnum > ELF_PH_MAX ||
	    elf->phentsize < (elf->is64 ? ELF_PH_64 : ELF_PH_32))
		return loader_refuse_at(loader, ERR_CORRUPT, elf->is64 ? 54 : 42,
					"%u program headers of %u bytes each", elf->phnum,
					elf->phentsize);
	if (__builtin_add_overflow(elf->phoff, (uint64_t)elf->phnum * elf->phentsize, &end) ||
	    end > elf->len)
		return loader_refuse_at(loader, ERR_CORRUPT, elf->is64 ? 32 : 28,
					"the program headers at 0x%lx are outside the file",
					elf->phoff);
	return OK;
}

enum status elf_open(struct loader *loader, struct elf *ret)
{
	const uint8_t *file = loader->input->kernel;
	uint64_t len = loader->input->kernel_len;

	if (!has_magic(file, len))
		return loader_refuse_at(loader, ERR_CORRUPT, 0, "no ELF header");
	bool is64 = file[ELF_CLASS] == ELF_CLASS_64;

	if (len < ELF_HEADER_64 && is64)
		return loader_refuse_at(loader, ERR_CORRUPT, len,
					"the file ends within the ELF header");
	TRY(check_ident(loader, file, is64));
	*ret = (struct elf){
		.file = file,
		.len = len,
		.is64 = is64,
		.entry = is64 ? loader_get_u64(file + 24) : loader_get_u32(file + 24),
		.phoff = is64 ? loader_get_u64(file + 32) : loader_get_u32(file + 28),
		.phentsize = loader_get_u16(file + (is64 ? 54 : 42)),
		.phnum = loader_get_u16(file + (is64 ? 56 : 44)),
		.shoff = is64 ? loader_get_u64(file + 40) : loader_get_u32(file + 32),
		.shentsize = loader_get_u16(file + (is64 ? 58 : 46)),
		.shnum = loader_get_u16(file + (is64 ? 60 : 48)),
		.shstrndx = loader_get_u16(file + (is64 ? 62 : 50)),
	};
	return check_headers(loader, ret);
}

struct elf_segment elf_segment(const struct elf *elf, uint16_t i)
{
	uint64_t header = elf->phoff + (uint64_t)i * elf->phentsize;
	const uint8_t *p = elf->file + header;

	if (elf->is64)
		return (struct elf_segment){
			.header = header,
			.type = loader_get_u32(p),
			.offset = loader_get_u64(p + 8),
			.vaddr = loader_get_u64(p + 16),
			.paddr = loader_get_u64(p + 24) + elf->delta,
			.filesz = loader_get_u64(p + 32),
			.memsz = loader_get_u64(p + 40),
			.align = loader_get_u64(p + 48),
		};
	return (struct elf_segment){
		.header = header,
		.type = loader_get_u32(p),
		.offset = loader_get_u32(p + 4),
		.vaddr = loader_get_u32(p + 8),
		.paddr = loader_get_u32(p + 12) + elf->delta,
		.filesz = loader_get_u32(p + 16),
		.memsz = loader_get_u32(p + 20),
		.align = loader_get_u32(p + 28),
	};
}

static bool is_loadable(const struct elf_segment *segment)
{
	return segment->type == ELF_PT_LOAD && segment->memsz > 0;
}

/* What of a segment does not depend on the VM's memory. */
static enum status check_bounds(struct loader *loader, const struct elf *elf,
				const struct elf_segment *segment)
{
	uint64_t end, file_end;

	if (__builtin_add_overflow(segment->offset, segment->filesz, &file_end) ||
	    file_end > elf->len || segment->filesz > segment->memsz)
		return loader_refuse_at(loader, ERR_CORRUPT, segment->header,
					"the segment's bytes from 0x%lx on, 0x%lx of 0x%lx, are "
					"outside the file or too many",
					segment->offset, segment->filesz, segment->memsz);
	if (__builtin_add_overflow(segment->paddr, segment->memsz, &end) || end > GIB(4))
		return loader_refuse_at(loader, ERR_RANGE, segment->header,
					"the segment at 0x%lx, 0x%lx bytes long, is not below 4 "
					"GiB",
					segment->paddr, segment->memsz);
	return OK;
}

static enum status check_segment(struct loader *loader, const struct elf *elf,
				 const struct elf_segment *segment)
{
	TRY(check_bounds(loader, elf, segment));
	if (segment->paddr < LOADER_SEGMENT_MIN)
		return loader_refuse_at(loader, ERR_RANGE, segment->header,
					"the segment at 0x%lx is below 0x%x, in the BIOS data area",
					segment->paddr, LOADER_SEGMENT_MIN);
	if (loader_ram_end(loader, segment->paddr) < segment->paddr + segment->memsz)
		return loader_refuse_size(loader, "kernel's segment", segment->paddr,
					  segment->memsz);
	return OK;
}

/* Compare with the loadable segments before this one, whose sums have been checked. */
static enum status check_overlap(struct loader *loader, const struct elf *elf, uint16_t i,
				 const struct elf_segment *segment)
{
	for (uint16_t k = 0; k < i; k++) {
		struct elf_segment other = elf_segment(elf, k);

		if (is_loadable(&other) && other.paddr < segment->paddr + segment->memsz &&
		    segment->paddr < other.paddr + other.memsz)
			return loader_refuse_at(loader, ERR_CORRUPT, segment->header,
						"the segment at 0x%lx overlaps the one at 0x%lx",
						segment->paddr, other.paddr);
	}
	return OK;
}

static enum status copy_segment(struct loader *loader, const struct elf *elf,
				const struct elf_segment *segment)
{
	struct loader_state *state = loader->state;
	uint64_t end = segment->paddr + segment->memsz;

	if (state->kernel_end.raw == 0 || segment->paddr < state->kernel_start.raw)
		state->kernel_start = (gpa_t){segment->paddr};
	if (end > state->kernel_end.raw)
		state->kernel_end = (gpa_t){end};
	if (segment->filesz > 0)
		TRY(loader_write(loader, segment->paddr, elf->file + segment->offset,
				 segment->filesz));
	if (segment->filesz < segment->memsz)
		TRY(loader_zero(loader, segment->paddr + segment->filesz,
				segment->memsz - segment->filesz));
	return OK;
}

/* The entry point is a virtual address; translate it by the place of its segment. */
static uint64_t physical_entry(const struct elf *elf)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_segment segment = elf_segment(elf, i);

		if (is_loadable(&segment) && elf->entry >= segment.vaddr &&
		    elf->entry - segment.vaddr < segment.memsz)
			return elf->entry - segment.vaddr + segment.paddr;
	}
	return elf->entry;
}

static enum status refuse_empty(struct loader *loader, const struct elf *elf)
{
	return loader_refuse_at(loader, ERR_CORRUPT, elf->phoff, "there is no segment to load");
}

enum status elf_span(struct loader *loader, const struct elf *elf, uint64_t *ret_start,
		     uint64_t *ret_end)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_segment segment = elf_segment(elf, i);

		if (!is_loadable(&segment))
			continue;
		TRY(check_bounds(loader, elf, &segment));
		if (segment.paddr < start)
			start = segment.paddr;
		if (segment.paddr + segment.memsz > end)
			end = segment.paddr + segment.memsz;
	}
	*ret_start = start;
	*ret_end = end;
	return end == 0 ? refuse_empty(loader, elf) : OK;
}

enum status elf_load(struct loader *loader, const struct elf *elf, uint64_t *ret_entry)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_segment segment = elf_segment(elf, i);

		if (!is_loadable(&segment))
			continue;
		TRY(check_segment(loader, elf, &segment));
		TRY(check_overlap(loader, elf, i, &segment));
		TRY(copy_segment(loader, elf, &segment));
	}
	if (loader->state->kernel_end.raw == 0)
		return refuse_empty(loader, elf);
	*ret_entry = physical_entry(elf);
	return OK;
}

enum status elf_check_sections(struct loader *loader, const struct elf *elf)
{
	uint64_t end;

	if (elf->shentsize != (elf->is64 ? ELF_SH_64 : ELF_SH_32))
		return loader_refuse_at(loader, ERR_CORRUPT, elf->is64 ? 58 : 46,
					"%u section headers of %u bytes each", elf->shnum,
					elf->shentsize);
	if (__builtin_add_overflow(elf->shoff, (uint64_t)elf->shnum * elf->shentsize, &end) ||
	    end > elf->len)
		return loader_refuse_at(loader, ERR_CORRUPT, elf->is64 ? 40 : 32,
					"the section headers at 0x%lx are outside the file",
					elf->shoff);
	return OK;
}

struct elf_section elf_section(const struct elf *elf, const uint8_t *p)
{
	if (elf->is64)
		return (struct elf_section){
			.type = loader_get_u32(p + 4),
			.addr = loader_get_u64(p + 16),
			.offset = loader_get_u64(p + 24),
			.size = loader_get_u64(p + 32),
		};
	return (struct elf_section){
		.type = loader_get_u32(p + 4),
		.addr = loader_get_u32(p + 12),
		.offset = loader_get_u32(p + 16),
		.size = loader_get_u32(p + 20),
	};
}

void elf_set_section_addr(const struct elf *elf, uint8_t *p, uint64_t addr)
{
	if (elf->is64)
		memcpy(p + 16, &addr, 8);
	else
		memcpy(p + 12, &addr, 4);
}
