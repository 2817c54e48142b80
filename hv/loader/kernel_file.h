/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* Numbers in files: little-endian, unaligned. The caller has checked the bounds. */
uint16_t loader_get_u16(const void *p);
uint32_t loader_get_u32(const void *p);
uint64_t loader_get_u64(const void *p);

/* Whether a file is of the kind: a Linux bzImage, a Multiboot 1 or 2 kernel. */
bool linux_detect(const uint8_t *file, uint64_t len);
bool multiboot_detect(const uint8_t *file, uint64_t len);
bool multiboot2_detect(const uint8_t *file, uint64_t len);
/* Whether it has an ELF file's first bytes, of any machine. */
bool elf_detect(const uint8_t *file, uint64_t len);

/* The Multiboot header's offset in the file, or MULTIBOOT_SEARCH_LEN. */
#define MULTIBOOT_SEARCH_LEN 8192
uint64_t multiboot_find_header(const uint8_t *file, uint64_t len);

/* The Multiboot 2 header's offset in the file, or MULTIBOOT2_SEARCH_LEN. */
#define MULTIBOOT2_SEARCH_LEN 32768
uint64_t multiboot2_find_header(const uint8_t *file, uint64_t len);

/* Whether -initrd names a list of modules, or one file, as it does for Linux. */
bool loader_takes_modules(const void *kernel, uint64_t len);

/*
 * Take the next module off a list as QEMU has it for Multiboot, "FILE ARGS,FILE ARGS";
 * two commas stand for one that does not separate. '*list' advances. 'buf' receives
 * the whole element, which is the module's command line; its first
 * '*ret_name_len' bytes are the file's name.
 * ERR_NOTFOUND  the end of the list
 * ERR_RANGE     the element does not fit 'size' bytes; '*list' is unchanged
 */
enum status loader_next_module(const char **list, char *buf, size_t size, size_t *ret_name_len);
