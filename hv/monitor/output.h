/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/monitor/send.h"

/*
 * A file that is written piece by piece, into the ramdisk, over the console or to the emulators'
 * debug port, by the boot processor. A file of the ramdisk exists after output_create(), and is
 * removed unless it is written completely.
 */
#define OUTPUT_WHY_MAX 320

struct output {
	char name[SEND_NAME_MAX + 1];
	uint64_t size, at;   /* bytes in total, bytes taken so far */
	struct image *image; /* NULL: the file is sent */
	struct send send;
};

/*
 * Create the file in the ramdisk. An existing file is an error, because it may hold a VM's memory.
 * On an error 'why' has the reason, and nothing is left of the file.
 */
enum status output_create(struct output *output, struct image_list *images,
			  char why[OUTPUT_WHY_MAX]);
/* Remove the file. */
void output_remove(struct output *output, struct image_list *images);
/* Whether files are sent to the emulators' debug port, which must be present; at first not. */
void output_use_debug_port(bool on);
/* Begin to send the file over the console or to that port: its first line. 'work' stays in use. */
void output_begin_sending(struct output *output, struct send_work *work);
/* Take bytes of the file from its 'at', which advances by the number returned. */
size_t output_take(struct output *output, const void *bytes, size_t len);
/* Take zeros, some of 'len' bytes or all: as many as can be taken in some microseconds. */
void output_take_zeros(struct output *output, uint64_t len);
/* To be called after the last byte. */
void output_end(struct output *output);
