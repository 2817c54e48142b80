/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/map_archive.h"

#include "hv/devices/clone_name.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/cpio_write.h"

#define PATH_MAX (CLONE_NAME_SIZE + sizeof("/files/") + MAP_NAME_MAX)

/* What is being written. */
struct part {
	char *to;
	uint64_t len;
	uint32_t *inode;
	char path[PATH_MAX];
	size_t base; /* length of the beginning that all names have */
};

/* 'name' follows the beginning; its first 'len' bytes. */
static void write_head(struct part *part, const char *name, size_t len, bool is_folder,
		       uint64_t size)
{
	struct cpio_entry entry = {(*part->inode)++, is_folder, part->path, size};

	memcpy(part->path + part->base, name, len);
	part->path[part->base + len] = '\0';
	part->len += cpio_write_head(part->to + part->len, &entry);
}

static void write_file(struct part *part, const char *name, struct map_reader reader)
{
	uint64_t size = reader.size - reader.at;
	const char *bytes;
	size_t len;

	write_head(part, name, strlen(name), false, size);
	while ((len = map_reader_next(&reader, &bytes)) > 0) {
		memcpy(part->to + part->len, bytes, len);
		part->len += len;
	}
	part->len += cpio_write_end(part->to + part->len, size);
}

static void write_status(struct part *part, const struct map_results *results,
			 const struct map_result *result)
{
	struct map_kept kept = {results->is_cut[JOB_STDOUT], results->is_cut[JOB_STDERR],
				results->n_files};
	char text[MAP_STATUS_MAX];
	size_t len = map_text_status(result, &kept, text);

	write_head(part, "/status.json", strlen("/status.json"), false, len);
	memcpy(part->to + part->len, text, len);
	part->len += len;
	part->len += cpio_write_end(part->to + part->len, len);
}

/* The folders of 'name' that the file before does not have. */
static void write_folders(struct part *part, const char *name, const char *before)
{
	size_t same = 0;

	while (name[same] != '\0' && name[same] == before[same])
		same++;
	for (size_t i = same; name[i] != '\0'; i++)
		if (name[i] == '/')
			write_head(part, name, i, true, 0);
}

static void write_files(struct part *part, const struct map_results *results)
{
	const char *before = "", *name;

	for (map_page_t file = results->files; file != 0; file = map_next_file(results, file)) {
		struct map_reader reader = map_read_file(results, file, &name);

		write_folders(part, name, before);
		write_file(part, name, reader);
		before = name;
	}
}

uint64_t map_archive_write(const struct map_results *results, const struct map_result *result,
			   char *to, uint32_t *inode)
{
	struct part part = {.to = to, .inode = inode};

	part.base = format(part.path, PATH_MAX, "%s", result->name);
	write_head(&part, "", 0, true, 0);
	write_status(&part, results, result);
	write_file(&part, "/stdout", map_read_stream(results, JOB_STDOUT));
	write_file(&part, "/stderr", map_read_stream(results, JOB_STDERR));
	if (results->files != 0) {
		write_head(&part, "/files", strlen("/files"), true, 0);
		part.base = format(part.path, PATH_MAX, "%s/files/", result->name);
		write_files(&part, results);
	}
	return part.len;
}
