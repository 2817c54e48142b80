/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/fault.h"
#include "hv/guest/guest_memory.h"

/* Where an access to a linear address failed. */
struct guest_fault {
	uint64_t linear;     /* the first byte that could not be reached */
	gpa_t gpa;	     /* ERR_RANGE: what is not memory; ERR_NOMEM: what lacks a frame */
	uint32_t error_code; /* with ERR_NOTFOUND only */
};

/* The registers of a guest that determine how its linear addresses are translated. */
struct guest_paging {
	struct guest_memory *memory;
	uint64_t cr0, cr3, cr4, efer, rflags;
	unsigned cpl;
	unsigned phys_bits; /* MAXPHYADDR of the guest; 0: as wide as the format, 52 */

	/* For PAE paging outside long mode: what the processor holds (VMCS), not memory. */
	uint64_t pdpte[4];

	/* Written by each function below that returns an error. */
	struct guest_fault fault;
};

/*
 * The entries of a walk in long mode, as they were after it. While they, the EPT and the registers
 * of struct guest_paging are unchanged, so is the translation. The pointers are as guest_byte()'s.
 */
#define GUEST_WALK_MAX 5
struct guest_walk {
	unsigned n; /* 0: nothing was noted */
	struct guest_walk_entry {
		const uint64_t *at;
		uint64_t value;
	} entry[GUEST_WALK_MAX];
};

/* #PF error code. SDM vol. 3, "Page-Fault Exceptions". */
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER	    BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH    BIT(4)

/*
 * Translate one address as the processor would for an explicit access at 'cpl',
 * with 'access' of enum access (bits may be combined). Supports all modes: no
 * paging, 32-bit, PAE, 4 and 5 levels. Sets accessed and dirty bits in the
 * guest's tables like the processor, once the access is found to be allowed.
 * Outside long mode addresses wrap at 4 GiB. Assumes support of 1 GiB pages;
 * ignores protection keys and shadow stacks.
 *
 * OK: '*ret' is written; the address need not be memory. ERR_NOTFOUND: #PF with
 * the fault's error code. ERR_INVAL: the address is not canonical (#GP or #SS).
 * ERR_NOMEM: no frame for the copy of a paging structure.
 */
enum status guest_translate(struct guest_paging *paging, uint64_t linear, unsigned access,
			    gpa_t *ret);
/* The same, and note the walk in '*ret_walk', which is written if the status is OK. */
enum status guest_translate_noting(struct guest_paging *paging, uint64_t linear, unsigned access,
				   gpa_t *ret, struct guest_walk *ret_walk);
/* Whether the entries of a noted walk are unchanged. The EPT is, the caller knows. */
static inline bool guest_walk_holds(const struct guest_walk *walk)
{
	const struct guest_walk_entry *entry = walk->entry, *end = entry + walk->n;

	for (; entry < end; entry++)
		if (__atomic_load_n(entry->at, __ATOMIC_RELAXED) != entry->value)
			return false;
	return walk->n > 0;
}

/*
 * Access [linear, linear + len) like one instruction: nothing is read or
 * written unless every page can be reached. 'access' is ACCESS_READ or
 * ACCESS_EXEC to read, and ACCESS_WRITE to write, which may be combined with
 * ACCESS_READ. Errors are those of guest_translate(), and ERR_RANGE: the
 * address translates to a place that is not memory (perhaps a device).
 * ERR_NOMEM: as guest_write().
 */
enum status guest_read_linear(struct guest_paging *paging, uint64_t linear, void *buf, size_t len,
			      unsigned access);
enum status guest_write_linear(struct guest_paging *paging, uint64_t linear, const void *buf,
			       size_t len, unsigned access);

/*
 * Translate, and read, for an observer of the guest: what the guest may access does not matter, and
 * nothing of it changes, its accessed flags included. The fault is not written. Errors are those of
 * guest_read_linear(); the bytes before the one that failed may have been read.
 */
enum status guest_peek(struct guest_paging *paging, uint64_t linear, gpa_t *ret);
enum status guest_peek_linear(struct guest_paging *paging, uint64_t linear, void *buf, size_t len);
