/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"

/* The first section of a VM's state: where its memory is, and what else must be loaded. */
#define SAVED_NAME_SIZE 64

struct saved_head {
	/* Tells saves of different memory apart. 0: not known, in files of versions 1 to 5. */
	uint64_t id;
	/* The id of the save whose memory the VM's begins as; 0: it is saved as a whole. */
	uint64_t below;
	char template[SAVED_NAME_SIZE]; /* the name that the VM of that save had */
	uint64_t size;	/* bytes of memory, as one file of hv/guest/saved_memory.h */
	bool has_parts; /* the memory is in files of hv/lib/memory_part.h, PATH.mem.0 and so on */
};

void saved_head_put(struct state_writer *writer, const struct saved_head *head);
/* As state_read_section() and what follows it. */
enum status saved_head_get(struct state_reader *reader, struct saved_head *ret);
/* Read the head of a whole file, any bytes, and check the file as state_open(). */
enum status saved_head_read(const void *data, size_t len, struct saved_head *ret,
			    char why[STATE_WHY_MAX]);
