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
};

#define ELF_PT_LOAD 1
#define ELF_PT_NOTE 4

struct elf_segment {
	uint64_t header; /* offset of its program header, for messages */
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

enum status elf_open(struct loader *loader, struct elf *ret);
/* The segment of program header 'i', which is below elf->phnum. */
struct elf_segment elf_segment(const struct elf *elf, uint16_t i);
/*
 * Copy all loadable segments to their physical addresses, and set kernel_start and kernel_end.
 * '*ret_entry' is the physical address of the entry point in the ELF header.
 */
enum status elf_load(struct loader *loader, const struct elf *elf, uint64_t *ret_entry);
