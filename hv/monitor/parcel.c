/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first half of a hand-over: files are copied to where the firmware of the next start probably
 * does not write. Firmware allocates from the end of memory downwards, and unpacks itself at its
 * beginning; the middle is left alone. The bytes are flushed out of all caches, whose contents a
 * reset drops.
 */
#include "hv/monitor/parcel.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define CACHE_LINE 64

/* CLFLUSH reaches the caches of all processors (SDM vol. 2, "CLFLUSH"). */
static void flush(const void *start, uint64_t len)
{
	for (const char *line = start; line < (const char *)start + len; line += CACHE_LINE)
		asm volatile("clflush %0" : : "m"(*line) : "memory");
	asm volatile("mfence" : : : "memory");
}

static bool is_handed_over(const struct image *image)
{
	return image->type == IMAGE_FILE && image->target == NULL && image->size > 0 &&
	       (image->grown || image->is_written);
}

static const struct image *next_file(const struct image *image)
{
	while (image != NULL && !is_handed_over(image))
		image = image->next;
	return image;
}

/* Count the files and their bytes. Logs an error if the format cannot hold them. */
static enum status measure(const struct image *files, unsigned *ret_n, uint64_t *ret_size)
{
	*ret_n = 0;
	*ret_size = 0;
	for (const struct image *i = next_file(files); i != NULL; i = next_file(i->next)) {
		if (strlen(i->path) >= PARCEL_NAME_SIZE) {
			log_error("hand-over: the name of '%s' is longer than %u characters",
				  i->path, (unsigned)PARCEL_NAME_SIZE - 1);
			return ERR_INVAL;
		}
		if (++*ret_n > PARCEL_FILES_MAX || i->size > PARCEL_SIZE_MAX - *ret_size) {
			log_error("hand-over: there are more than %u files, or more than %lu MiB",
				  (unsigned)PARCEL_FILES_MAX, PARCEL_SIZE_MAX / MIB(1));
			return ERR_INVAL;
		}
		*ret_size += align_up(i->size, PAGE_SIZE);
	}
	return OK;
}

/* A run comes from the end of free memory: take a longer one, and use its beginning. */
static phys_t find_room(uint64_t size)
{
	uint64_t n_frames = size / PAGE_SIZE, n_beyond = frame_available() / 2;
	phys_t start;

	for (; (start = frame_alloc_run(n_frames + n_beyond, PAGE_SIZE)) == 0; n_beyond /= 2)
		if (n_beyond == 0)
			return 0;
	return start;
}

static void copy_file(const struct image *image, phys_t to, struct parcel_file *ret)
{
	void *bytes = phys_to_virt(to);

	memset(ret, 0, sizeof(*ret));
	memcpy(bytes, phys_to_virt(image->base), image->size);
	memcpy(ret->name, image->path, strlen(image->path));
	ret->start = to;
	ret->size = image->size;
	ret->checksum = parcel_checksum(bytes, image->size);
	flush(bytes, image->size);
}

static void fill_head(struct parcel *head, enum parcel_after after, phys_t table, unsigned n)
{
	uint64_t size = n * sizeof(struct parcel_file);

	*head = (struct parcel){
		.magic = PARCEL_MAGIC,
		.version = PARCEL_VERSION,
		.after = after,
		.table = table,
		.n_files = n,
		.table_checksum = parcel_checksum(phys_to_virt(table), size),
	};
	head->checksum = parcel_head_checksum(head);
	flush(phys_to_virt(table), size);
	flush(head, sizeof(*head));
}

enum status parcel_make(const struct image *files, enum parcel_after after, struct parcel *head,
			unsigned *ret_n)
{
	uint64_t size, table_size;
	struct parcel_file *table;
	phys_t start, to;

	TRY(measure(files, ret_n, &size));
	if (*ret_n == 0) {
		log_info("hand-over: this run has made no files");
		return OK;
	}
	table_size = align_up(*ret_n * sizeof(*table), PAGE_SIZE);
	start = find_room(table_size + size);
	if (start == 0) {
		log_error("hand-over: not enough memory in this machine for a copy of the files, "
			  "%lu KiB",
			  size / KIB(1));
		return ERR_NOMEM;
	}
	table = phys_to_virt(start);
	to = start + table_size;
	for (const struct image *i = next_file(files); i != NULL; i = next_file(i->next)) {
		copy_file(i, to, table++);
		to += align_up(i->size, PAGE_SIZE);
	}
	fill_head(head, after, start, *ret_n);
	log_info("hand-over: %u files, %lu KiB: the next start writes them to the disk", *ret_n,
		 size / KIB(1));
	return OK;
}
