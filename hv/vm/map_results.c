/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/map_results.h"

#include "hv/lib/string.h"
#include "hv/vm/cpio_write.h"
#include "hv/vm/map_text.h"

struct page {
	map_page_t next;      /* of the stream, or of the spare ones */
	map_page_t next_file; /* in the first page of a file */
	uint64_t size;	      /* of the file, with its name, in its first page; bytes */
	char data[PAGE_SIZE - 16];
};
_Static_assert(sizeof(struct page) == PAGE_SIZE, "pages of a share");
#define DATA_SIZE sizeof(((struct page *)0)->data)
_Static_assert(DATA_SIZE > MAP_NAME_MAX, "a name is in the first page");

static struct page *page_at(const struct map_results *results, map_page_t page)
{
	return (struct page *)(results->share + (page - 1) * PAGE_SIZE);
}

/* Bytes of the archive that a job needs with nothing to read: a folder and three files. */
static uint64_t least_size(size_t name_len)
{
	enum { PADDING = 3 };

	return cpio_entry_size(name_len, 0) +
	       cpio_entry_size(name_len + strlen("/status.json"), MAP_STATUS_MAX) +
	       2 * (cpio_entry_size(name_len + strlen("/stdout"), 0) + PADDING) +
	       cpio_entry_size(name_len + strlen("/files"), 0);
}

/* Of a file and its folders, as if no other file had one of them. */
static uint64_t file_size(size_t name_len, const char *name, uint64_t size)
{
	size_t before = name_len + strlen("/files/"), len = strlen(name);
	uint64_t sum = cpio_entry_size(before + len, size);

	for (size_t i = 0; i < len; i++)
		if (name[i] == '/')
			sum += cpio_entry_size(before + i, 0);
	return sum;
}

void map_results_begin(struct map_results *results, char *share, uint64_t size)
{
	*results = (struct map_results){.share = share, .n_pages = (uint32_t)(size / PAGE_SIZE)};
}

void map_results_open(struct map_results *results, const char *name, struct ept *payer)
{
	for (; results->n_taken > 0; results->n_taken--)
		ept_discharge(results->payer);
	map_results_begin(results, results->share, results->n_pages * PAGE_SIZE);
	results->payer = payer;
	results->name_len = strlen(name);
	if (results->share != NULL)
		results->left = results->n_pages * PAGE_SIZE - least_size(results->name_len);
}

/* 0: there is none, or the payer cannot pay. */
static map_page_t take_page(struct map_results *results)
{
	map_page_t page = results->spare;

	if (page != 0) {
		results->spare = page_at(results, page)->next;
	} else {
		if (results->n_taken == results->n_pages || ept_charge(results->payer) != OK)
			return 0;
		page = ++results->n_taken;
	}
	page_at(results, page)->next = 0;
	return page;
}

/* Room after the stream's last byte; NULL: there is none. */
static char *find_room(struct map_results *results, struct map_stream *stream, size_t *ret_len)
{
	size_t used = stream->size % DATA_SIZE;

	if (used == 0) {
		map_page_t page = take_page(results);

		if (page == 0)
			return NULL;
		if (stream->first == 0)
			stream->first = page;
		else
			page_at(results, stream->last)->next = page;
		stream->last = page;
	}
	*ret_len = DATA_SIZE - used;
	return page_at(results, stream->last)->data + used;
}

/* Returns how many bytes fit. */
static size_t append(struct map_results *results, struct map_stream *stream, const char *bytes,
		     size_t len)
{
	size_t done = 0, room;

	while (done < len) {
		char *to = find_room(results, stream, &room);

		if (to == NULL)
			break;
		if (room > len - done)
			room = len - done;
		memcpy(to, bytes + done, room);
		done += room;
		stream->size += room;
	}
	return done;
}

void map_results_write(struct map_results *results, enum job_channel channel, const char *bytes,
		       size_t len)
{
	size_t fits = len, done;

	if (results->share == NULL || results->is_cut[channel])
		return;
	if (channel != JOB_FILE && fits > results->left)
		fits = results->left;
	done = append(results, &results->stream[channel], bytes, fits);
	if (channel != JOB_FILE)
		results->left -= done;
	results->is_cut[channel] = done < len;
}

/* A component of a path, of 'len' bytes. */
static bool is_component(const char *text, size_t len)
{
	return len > 0 && !(len == 1 && text[0] == '.') &&
	       !(len == 2 && text[0] == '.' && text[1] == '.');
}

static bool is_name(const char *text, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
		if (text[i] != '/')
			continue;
		if (!is_component(text + start, i - start))
			return false;
		start = i + 1;
	}
	return len <= MAP_NAME_MAX && is_component(text + start, len - start);
}

/* What is in a folder comes next after it: '/' is the least character. */
static int compare(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	if (*a == '\0' || *b == '\0')
		return (*a != '\0') - (*b != '\0');
	return (*a == '/' ? 1 : *a) - (*b == '/' ? 1 : *b);
}

/* Whether 'name' is in the folder of that name. */
static bool is_in(const char *name, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(name, folder, len) == 0 && name[len] == '/';
}

static const char *name_of(const struct map_results *results, map_page_t file)
{
	return page_at(results, file)->data;
}

/* The file after which one of this name belongs; 0: it is the first. */
static map_page_t find_place(const struct map_results *results, const char *name)
{
	map_page_t before = 0, next = results->files;

	while (next != 0 && compare(name_of(results, next), name) < 0) {
		before = next;
		next = map_next_file(results, next);
	}
	return before;
}

/* Whether a file has this name, or is a folder of it, or the other way round. */
static bool is_taken(const struct map_results *results, map_page_t before, const char *name)
{
	map_page_t next = before != 0 ? map_next_file(results, before) : results->files;

	if (before != 0 && is_in(name, name_of(results, before)))
		return true;
	return next != 0 &&
	       (strcmp(name, name_of(results, next)) == 0 || is_in(name_of(results, next), name));
}

static void insert(struct map_results *results, map_page_t before, map_page_t file)
{
	map_page_t *link = before != 0 ? &page_at(results, before)->next_file : &results->files;

	page_at(results, file)->next_file = *link;
	*link = file;
	results->n_files++;
}

/* A file whose name is known. Its cost is taken off what is left. */
static bool keep(struct map_results *results, const struct map_stream *stream)
{
	const char *name = name_of(results, stream->first);
	uint64_t cost = file_size(results->name_len, name, stream->size - strlen(name) - 1);
	map_page_t before = find_place(results, name);

	if (results->n_files == MAP_FILES_MAX || cost > results->left ||
	    is_taken(results, before, name))
		return false;
	results->left -= cost;
	page_at(results, stream->first)->size = stream->size;
	insert(results, before, stream->first);
	return true;
}

static bool has_name(const struct map_results *results, const struct map_stream *stream)
{
	size_t max = stream->size < MAP_NAME_MAX + 1 ? stream->size : MAP_NAME_MAX + 1;
	const char *name, *end;

	if (stream->size == 0)
		return false;
	name = name_of(results, stream->first);
	end = memchr(name, '\0', max);
	return end != NULL && is_name(name, (size_t)(end - name));
}

static void begin_file(struct map_results *results)
{
	results->stream[JOB_FILE] = (struct map_stream){0};
	results->is_cut[JOB_FILE] = false;
}

void map_results_drop(struct map_results *results)
{
	struct map_stream *stream = &results->stream[JOB_FILE];

	if (stream->first != 0) {
		page_at(results, stream->last)->next = results->spare;
		results->spare = stream->first;
	}
	begin_file(results);
}

bool map_results_put(struct map_results *results)
{
	struct map_stream *stream = &results->stream[JOB_FILE];
	bool is_kept =
		!results->is_cut[JOB_FILE] && has_name(results, stream) && keep(results, stream);

	if (is_kept)
		begin_file(results);
	else
		map_results_drop(results);
	return is_kept;
}

struct map_reader map_read_stream(const struct map_results *results, enum job_channel channel)
{
	const struct map_stream *stream = &results->stream[channel];

	return (struct map_reader){results, stream->first, 0, stream->size};
}

struct map_reader map_read_file(const struct map_results *results, map_page_t file,
				const char **ret_name)
{
	*ret_name = name_of(results, file);
	return (struct map_reader){results, file, strlen(*ret_name) + 1,
				   page_at(results, file)->size};
}

map_page_t map_next_file(const struct map_results *results, map_page_t file)
{
	return page_at(results, file)->next_file;
}

size_t map_reader_next(struct map_reader *reader, const char **ret)
{
	size_t used = reader->at % DATA_SIZE, len = DATA_SIZE - used;
	const struct page *page;

	if (reader->at == reader->size)
		return 0;
	page = page_at(reader->results, reader->page);
	if (len > reader->size - reader->at)
		len = reader->size - reader->at;
	*ret = page->data + used;
	reader->at += len;
	if (reader->at % DATA_SIZE == 0)
		reader->page = page->next;
	return len;
}
