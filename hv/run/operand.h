/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_paging.h"

/* Where the operands of the current instruction are looked for. */
struct operand_space {
	struct guest_paging paging;
	uint64_t linear_mask; /* of code that is not of 64 bits: addresses wrap at 4 GiB */
	/* A translation that the processor made for this instruction, and what it checked. */
	uint64_t known_linear;
	gpa_t known_gpa;
	bool known_is_memory;
	unsigned known_rights; /* enum access; 0: there is none */
};

/* The bytes of a memory operand, in one page or two. Each page is memory or a device. */
struct operand {
	unsigned n_parts;
	struct operand_part {
		gpa_t gpa;
		uint8_t len; /* bytes */
		bool is_memory;
	} part[2];
};

/* Whether all of the operand is in the page that the processor has translated and checked. */
static inline bool operand_is_known(const struct operand_space *space, uint64_t linear, size_t size,
				    unsigned rights)
{
	return (space->known_linear ^ linear) < PAGE_SIZE && (rights & ~space->known_rights) == 0 &&
	       linear % PAGE_SIZE <= PAGE_SIZE - size;
}

static inline gpa_t operand_known_gpa(const struct operand_space *space, uint64_t linear)
{
	return (gpa_t){align_down(space->known_gpa.raw, PAGE_SIZE) | linear % PAGE_SIZE};
}

/*
 * Translate all of an operand of 'size' bytes, before anything is read or written, with the effects
 * of guest_translate() on accessed and dirty flags. Errors are those of guest_translate(), and
 * 'space->paging.fault' says where; ERR_NOMEM also: there is no frame for a page that will be
 * written. The VM's lock is held.
 */
enum status operand_find(struct operand_space *space, uint64_t linear, size_t size, unsigned rights,
			 struct operand *ret);
