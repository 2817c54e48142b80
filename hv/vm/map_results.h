/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/job_port.h"
#include "hv/ept/ept.h"
#include "hv/lib/types.h"

/*
 * What a job leaves: its output and files, in pages of a share of memory that no other job touches.
 * Each job has a share of the same size, so that what is cut does not depend on other jobs.
 */
#define MAP_SHARE_MIN KIB(16)
#define MAP_SHARE_MAX MIB(16)
#define MAP_FILES_MAX 1000
#define MAP_NAME_MAX  200 /* bytes, of a file */

/* The number of a page in its share, from 1. 0: none. */
typedef uint32_t map_page_t;

/* Bytes in pages, one after the other. */
struct map_stream {
	map_page_t first, last;
	uint64_t size; /* bytes */
};

struct map_results {
	char *share;	   /* not owned; NULL: nothing is kept */
	struct ept *payer; /* each page counts against its limit */
	uint32_t n_pages, n_taken;
	map_page_t spare; /* pages of files that were refused, chained */
	size_t name_len;  /* of the clone */
	uint64_t left;	  /* bytes of the share that the archive does not need yet */
	struct map_stream stream[N_JOB_CHANNELS];
	bool is_cut[N_JOB_CHANNELS]; /* of a file: the one that is being written */
	map_page_t files;	     /* the first page of each, by name */
	unsigned n_files;
};

/* Begin with nothing in a share of 'size' bytes, whole pages. */
void map_results_begin(struct map_results *results, char *share, uint64_t size);
/* Let the clone of that name write, and pay. Also when it begins again: what it wrote is lost. */
void map_results_open(struct map_results *results, const char *name, struct ept *payer);

/* Add bytes, as many as fit. The payer's lock is held. */
void map_results_write(struct map_results *results, enum job_channel channel, const char *bytes,
		       size_t len);
/*
 * Keep the file that was written: its name, a NUL, its contents. False: the name is not allowed, or
 * known; or there is no room. The next byte begins another file.
 */
bool map_results_put(struct map_results *results);
/* Forget the file that is being written, if one is; the next byte begins another. */
void map_results_drop(struct map_results *results);

/* Read a stream from its beginning to its end. */
struct map_reader {
	const struct map_results *results;
	map_page_t page;
	uint64_t at, size; /* bytes */
};
struct map_reader map_read_stream(const struct map_results *results, enum job_channel channel);
/* The contents of the file that begins at this page; its name is at 'ret_name', with a NUL. */
struct map_reader map_read_file(const struct map_results *results, map_page_t file,
				const char **ret_name);
map_page_t map_next_file(const struct map_results *results, map_page_t file);
/* The next bytes and how many they are; 0: the end. */
size_t map_reader_next(struct map_reader *reader, const char **ret);
