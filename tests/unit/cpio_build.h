/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <string.h>

/* Build valid and invalid cpio archives for tests. */
struct cpio_build {
	char *buf;
	size_t len, size;
	size_t archive_at; /* alignment counts from here */
};

struct cpio_entry {
	const char *name;
	unsigned mode;
	const void *data;
	size_t len;
	unsigned ino, nlink, devmajor, devminor;
	const char *magic; /* NULL: newc */
	unsigned check;
	size_t name_padding; /* further NULs after the name */
};

#define CPIO_FILE 0100000U
#define CPIO_DIR  0040000U
#define CPIO_LINK 0120000U
#define CPIO_FIFO 0010000U

static void cpio_bytes(struct cpio_build *build, const void *data, size_t len)
{
	assert_true(len <= build->size - build->len);
	if (len > 0)
		memcpy(build->buf + build->len, data, len);
	build->len += len;
}

static void cpio_pad(struct cpio_build *build, size_t align)
{
	while ((build->len - build->archive_at) % align != 0)
		cpio_bytes(build, "", 1);
}

/* Returns where the data are. */
static size_t cpio_put(struct cpio_build *build, struct cpio_entry e)
{
	char header[111];
	size_t data_at;

	snprintf(header, sizeof(header), "%s%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		 e.magic != NULL ? e.magic : "070701", e.ino, e.mode, 0, 0, e.nlink, 0, e.len,
		 e.devmajor, e.devminor, 0, 0, strlen(e.name) + 1 + e.name_padding, e.check);
	cpio_bytes(build, header, 110);
	cpio_bytes(build, e.name, strlen(e.name) + 1);
	for (size_t i = 0; i < e.name_padding; i++)
		cpio_bytes(build, "", 1);
	cpio_pad(build, 4);
	data_at = build->len;
	cpio_bytes(build, e.data, e.len);
	cpio_pad(build, 4);
	return data_at;
}

static size_t cpio_file(struct cpio_build *build, const char *name, const void *data, size_t len)
{
	return cpio_put(build, (struct cpio_entry){.name = name,
						   .mode = CPIO_FILE | 0644,
						   .data = data,
						   .len = len,
						   .nlink = 1});
}

static void cpio_end(struct cpio_build *build)
{
	cpio_put(build, (struct cpio_entry){.name = "TRAILER!!!", .nlink = 1});
	build->archive_at = build->len;
}
