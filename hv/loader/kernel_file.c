/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be read from a kernel's file before there is a VM to load it into: whether it is a Linux
 * or Multiboot kernel, and which files -initrd names for a kernel that takes several.
 */
#include "hv/loader/kernel_file.h"

#include "hv/lib/string.h"

#define LINUX_MAGIC_AT 0x202
#define LINUX_MAGIC    0x53726448 /* "HdrS" */

#define ELF_MAGIC 0x464c457f

#define MULTIBOOT_MAGIC	   0x1badb002
#define MULTIBOOT_FLAGS	   4
#define MULTIBOOT_CHECKSUM 8
#define MULTIBOOT_LEN	   12

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_ARCH	 4 /* 0: i386 */
#define MULTIBOOT2_LEN	 16
#define MULTIBOOT2_ALIGN 8

uint16_t loader_get_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint32_t loader_get_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t loader_get_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool linux_detect(const uint8_t *file, uint64_t len)
{
	return len >= LINUX_MAGIC_AT + 4 && loader_get_u32(file + LINUX_MAGIC_AT) == LINUX_MAGIC;
}

uint64_t multiboot_find_header(const uint8_t *file, uint64_t len)
{
	for (uint64_t i = 0; i + MULTIBOOT_LEN <= MULTIBOOT_SEARCH_LEN && i + MULTIBOOT_LEN <= len;
	     i += 4) {
		uint32_t sum = MULTIBOOT_MAGIC + loader_get_u32(file + i + MULTIBOOT_FLAGS) +
			       loader_get_u32(file + i + MULTIBOOT_CHECKSUM);

		if (loader_get_u32(file + i) == MULTIBOOT_MAGIC && sum == 0)
			return i;
	}
	return MULTIBOOT_SEARCH_LEN;
}

bool multiboot_detect(const uint8_t *file, uint64_t len)
{
	return multiboot_find_header(file, len) < MULTIBOOT_SEARCH_LEN;
}

uint64_t multiboot2_find_header(const uint8_t *file, uint64_t len)
{
	for (uint64_t i = 0;
	     i + MULTIBOOT2_LEN <= MULTIBOOT2_SEARCH_LEN && i + MULTIBOOT2_LEN <= len;
	     i += MULTIBOOT2_ALIGN) {
		const uint8_t *p = file + i;
		uint32_t sum = 0;

		for (unsigned field = 0; field < MULTIBOOT2_LEN; field += 4)
			sum += loader_get_u32(p + field);
		if (loader_get_u32(p) == MULTIBOOT2_MAGIC && sum == 0 &&
		    loader_get_u32(p + MULTIBOOT2_ARCH) == 0)
			return i;
	}
	return MULTIBOOT2_SEARCH_LEN;
}

bool multiboot2_detect(const uint8_t *file, uint64_t len)
{
	return multiboot2_find_header(file, len) < MULTIBOOT2_SEARCH_LEN;
}

bool elf_detect(const uint8_t *file, uint64_t len)
{
	return len >= 4 && loader_get_u32(file) == ELF_MAGIC;
}

bool loader_takes_modules(const void *kernel, uint64_t len)
{
	return !linux_detect(kernel, len);
}

enum status loader_next_module(const char **list, char *buf, size_t size, size_t *ret_name_len)
{
	const char *p = *list;
	size_t len = 0;

	if (*p == '\0')
		return ERR_NOTFOUND;
	for (; *p != '\0'; p++) {
		if (*p == ',' && *++p != ',')
			break;
		if (len >= size)
			return ERR_RANGE;
		buf[len++] = *p;
	}
	if (len >= size)
		return ERR_RANGE;
	buf[len] = '\0';
	*list = p;
	const char *space = strchr(buf, ' ');

	*ret_name_len = space != NULL ? (size_t)(space - buf) : len;
	return OK;
}
