/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* What the loader's own files share; nothing for others. */
struct loader {
	struct guest_memory *memory;
	const struct loader_input *input;
	struct loader_state *state; /* filled in on the way */
	char *error;
	size_t error_size;
	uint64_t string_end; /* the next free byte of the strings' area */
};

/* A little-endian number in guest memory, at an offset from something. */
struct loader_field {
	uint16_t offset, size; /* bytes, size up to 8 */
	uint64_t value;
};

/* Numbers in files: little-endian, unaligned. The caller has checked the bounds. */
uint16_t loader_get_u16(const void *p);
uint32_t loader_get_u32(const void *p);
uint64_t loader_get_u64(const void *p);

/* Write the message "NAME: offset 0xN: ..." or, without an offset, "NAME: ..."; return 'status'. */
enum status loader_refuse_at(struct loader *loader, enum status status, uint64_t offset,
			     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
enum status loader_refuse(struct loader *loader, enum status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Guest memory, with a message when it fails. */
enum status loader_write(struct loader *loader, uint64_t addr, const void *buf, uint64_t len);
enum status loader_zero(struct loader *loader, uint64_t addr, uint64_t len);
enum status loader_write_fields(struct loader *loader, uint64_t addr,
				const struct loader_field *fields, size_t n);

/*
 * Put 's' and its NUL into the strings' area. 'what' names it in the message
 * when there is no room.
 */
enum status loader_write_string(struct loader *loader, const char *s, const char *what,
				uint64_t *ret_addr);

/* One past the last byte of the RAM that begins at 'start' and has no gap; 'start' if it is not
 * RAM. */
uint64_t loader_ram_end(const struct loader *loader, uint64_t start);

/*
 * Where 'len' bytes of RAM begin that lie above LOADER_KERNEL_MIN: the highest page outside
 * the kernel of loader->state that leaves them below 'limit',
 * or the lowest multiple of 'align' from 'from' on. 0: nowhere.
 */
uint64_t loader_place_high(const struct loader *loader, uint64_t len, uint64_t limit);
uint64_t loader_place_low(const struct loader *loader, uint64_t from, uint64_t len, uint64_t align);

/* Refuse with the memory a VM would need so that [start, start + len) is RAM. */
enum status loader_refuse_size(struct loader *loader, const char *what, uint64_t start,
			       uint64_t len);

/* Place the initrd as high as 'limit' and RAM allow and copy it; *ret_addr is 0 without one. */
enum status loader_copy_initrd(struct loader *loader, uint64_t limit, uint64_t *ret_addr);

/* loader_elf.c: an ELF file's header, checked. Offsets of program headers are in bounds. */
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
	uint64_t header; /* its program header's offset, for messages */
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

bool elf_has_magic(const void *file, uint64_t len);
enum status elf_open(struct loader *loader, struct elf *ret);
/* Program header 'i' < elf->phnum. */
struct elf_segment elf_segment(const struct elf *elf, uint16_t i);
/*
 * Copy all loadable segments to their physical addresses; sets kernel_start and
 * kernel_end. '*ret_entry' is the physical address of the ELF header's entry point.
 */
enum status elf_load(struct loader *loader, const struct elf *elf, uint64_t *ret_entry);

/* Whether a file is of the kind, and the rest of loader_load() for it. */
bool linux_detect(const uint8_t *file, uint64_t len);
enum status linux_load(struct loader *loader);
bool multiboot_detect(const uint8_t *file, uint64_t len);
/* The Multiboot header's offset in the file, or MULTIBOOT_SEARCH_LEN. */
#define MULTIBOOT_SEARCH_LEN 8192
uint64_t multiboot_find_header(const uint8_t *file, uint64_t len);
enum status multiboot_load(struct loader *loader);
bool pvh_detect(const uint8_t *file, uint64_t len);
enum status pvh_load(struct loader *loader);
