/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers of cpio's newc format: 13 numbers of 8 hexadecimal digits after a magic number. */
#include "boot/newc.h"

#define PAGE	    UINT64_C(4096)
#define LARGE_PAGE  (UINT64_C(1) << 21)
#define HEADER_SIZE 110U
#define ALIGNMENT   4U
#define MODE_FILE   0100644U
#define FILLER_NAME ".fill/000000"

static unsigned name_length(const char *name)
{
	unsigned len = 0;

	while (name[len] != '\0')
		len++;
	return len;
}

/* With the name, its NUL, and the padding before the data. */
static unsigned header_size(const char *name)
{
	return (HEADER_SIZE + name_length(name) + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

unsigned newc_padding(uint64_t size)
{
	return -size % ALIGNMENT;
}

static char *put_number(char *out, uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		*out++ = "0123456789abcdef"[value >> shift & 15];
	return out;
}

static unsigned put_member(struct newc *archive, const char *name, uint32_t mode, uint32_t size,
			   char *ret)
{
	uint32_t name_size = name_length(name) + 1;
	const uint32_t fields[] = {
		++archive->n_members, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0};
	char *out = ret;

	for (const char *c = "070701"; *c != '\0'; c++)
		*out++ = *c;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		out = put_number(out, fields[i]);
	for (uint32_t i = 0; i < name_size; i++)
		*out++ = name[i];
	while ((unsigned)(out - ret) < header_size(name))
		*out++ = '\0';
	archive->at += header_size(name) + (uint64_t)size + newc_padding(size);
	return header_size(name);
}

unsigned newc_add(struct newc *archive, const char *name, uint64_t size, char ret[NEWC_HEADER_MAX])
{
	return put_member(archive, name, MODE_FILE, (uint32_t)size, ret);
}

static void name_filler(uint32_t number, char name[sizeof(FILLER_NAME)])
{
	__builtin_memcpy(name, FILLER_NAME, sizeof(FILLER_NAME));
	for (char *digit = name + sizeof(FILLER_NAME) - 2; number > 0; number /= 10)
		*digit-- = (char)('0' + number % 10);
}

unsigned newc_add_filler(struct newc *archive, const char *name, uint64_t size,
			 char ret[NEWC_HEADER_MAX], uint64_t *ret_size)
{
	uint64_t alignment = size >= LARGE_PAGE ? LARGE_PAGE : size >= PAGE ? PAGE : ALIGNMENT;
	uint64_t data = archive->at + header_size(name);
	char filler[sizeof(FILLER_NAME)];

	if (data % alignment == 0)
		return 0;
	name_filler(archive->n_fillers++, filler);
	*ret_size = -(data + header_size(filler)) % alignment;
	return put_member(archive, filler, MODE_FILE, (uint32_t)*ret_size, ret);
}

unsigned newc_end(struct newc *archive, char ret[NEWC_HEADER_MAX])
{
	return put_member(archive, "TRAILER!!!", 0, 0, ret);
}
