/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* An ELF file's header, checked. The offsets of program headers are within the file. */
struct elf {
	const uint8_t *file;
	uint64_t len;
	bool is64;
	uint64_t entry;
	uint64_t phoff;
	uint16_t phentsize, phnum;
	uint64_t shoff; /* this and the next: unchecked, see elf_check_sections() */
	uint16_t shentsize, shnum, shstrndx;
	uint64_t delta; /* added to all physical addresses, modulo 2^64: 0 unless the caller sets it
			 */
};

#define ELF_PT_LOAD 1
#define ELF_PT_NOTE 4

#define ELF_SHT_NOBITS	8
#define ELF_SECTION_MAX 64 /* bytes of a section's header, of either class */

struct elf_segment {
	uint64_t header; /* offset of its program header, for messages */
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_section {
	uint32_t type;
	uint64_t addr, offset, size;
};

enum status elf_open(struct loader *loader, struct elf *ret);
/* The segment of program header 'i', which is below elf->phnum. */
struct elf_segment elf_segment(const struct elf *elf, uint16_t i);
/* The lowest address of a loadable segment, and the end of the highest, without 'delta'. */
enum status elf_span(struct loader *loader, const struct elf *elf, uint64_t *ret_start,
		     uint64_t *ret_end);
/*
 * Copy all loadable segments to their physical addresses, and set kernel_start and kernel_end.
 * '*ret_entry' is the physical address of the entry point in the ELF header.
 */
enum status elf_load(struct loader *loader, const struct elf *elf, uint64_t *ret_entry);

/* Check that the headers of the sections are in the file. */
enum status elf_check_sections(struct loader *loader, const struct elf *elf);
/* The section whose header is at 'p', a copy or in the file. */
struct elf_section elf_section(const struct elf *elf, const uint8_t *p);
/* Set the address in a copy of a section's header. */
void elf_set_section_addr(const struct elf *elf, uint8_t *p, uint64_t addr);
