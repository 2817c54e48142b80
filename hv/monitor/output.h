/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/monitor/send.h"

/*
 * A file that is written piece by piece: into the ramdisk, or by the console. The boot processor's.
 * A file of the ramdisk is there, as zeros, once output_create() says OK.
 */
#define OUTPUT_WHY_MAX 320

struct output {
	char name[SEND_NAME_MAX + 1];
	uint64_t size, at;   /* bytes: in all, and taken so far */
	struct image *image; /* NULL: it is sent */
	struct send send;
};

/*
 * In the ramdisk. An error is in 'why'; nothing is left then. A file of that name must not be
 * there: some VM's memory may be in it.
 */
enum status output_create(struct output *output, struct image_list *images,
			  char why[OUTPUT_WHY_MAX]);
/* The file goes again. */
void output_remove(struct output *output, struct image_list *images);
/* Or by the console: its first line. */
void output_begin_sending(struct output *output);
/* Take some of the bytes at 'at', which moves on by what is returned. */
size_t output_take(struct output *output, const void *bytes, size_t len);
/* After the last byte. */
void output_end(struct output *output);
