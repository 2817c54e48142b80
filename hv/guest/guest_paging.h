/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/fault.h"
#include "hv/guest/guest_memory.h"

/*
 * The guest's registers that decide how a linear address is translated. 'pdpte'
 * counts only in PAE paging outside long mode, and is what the processor holds
 * (VMCS), not memory.
 */
struct guest_paging {
	uint64_t cr0, cr3, cr4, efer, rflags;
	unsigned cpl;
	unsigned phys_bits; /* MAXPHYADDR of the guest; 0: as wide as the format, 52 */
	uint64_t pdpte[4];
};

/* #PF error code. SDM vol. 3, "Page-Fault Exceptions". */
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER	    BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH    BIT(4)

/* A linear address as the processor uses it: 32 bits outside long mode. */
uint64_t guest_linear(const struct guest_paging *paging, uint64_t linear);

/*
 * Translate one address as the processor would for an explicit access at 'cpl',
 * with 'access' of enum access (bits may be combined): without paging, 32-bit,
 * PAE, 4 and 5 levels. Sets accessed and dirty bits in the guest's tables like
 * the processor, once the access is found to be allowed. Without long mode
 * addresses wrap at 4 GiB. 1 GiB pages are taken to be supported; protection
 * keys and shadow stacks are not looked at.
 *
 * OK: '*ret' is written; there need not be memory there. ERR_NOTFOUND: #PF,
 * with '*ret_error_code' written. ERR_INVAL: the address is not canonical (#GP
 * or #SS). ERR_CORRUPT: a paging structure is not in memory. ERR_NOMEM: no
 * frame for the copy of a paging structure.
 */
enum status guest_translate(struct guest_memory *memory, const struct guest_paging *paging,
			    uint64_t linear, unsigned access, gpa_t *ret, uint32_t *ret_error_code);

/*
 * Where a linear access failed; 'error_code' counts with ERR_NOTFOUND, 'gpa'
 * with ERR_RANGE.
 */
struct guest_fault {
	uint64_t linear; /* the first byte that could not be reached */
	uint32_t error_code;
	gpa_t gpa;
};

/*
 * Access [linear, linear + len) like one instruction: nothing is read or
 * written unless every page can be reached ('access' is ACCESS_READ or
 * ACCESS_EXEC to read, and may have ACCESS_READ besides ACCESS_WRITE to write).
 * Any error but ERR_NOMEM is guest_translate()'s, or ERR_RANGE: the address
 * translates to a place without memory (a device's, perhaps). 'ret_fault' is
 * written on every error. ERR_NOMEM: as guest_write().
 */
enum status guest_read_linear(struct guest_memory *memory, const struct guest_paging *paging,
			      uint64_t linear, void *buf, size_t len, unsigned access,
			      struct guest_fault *ret_fault);
enum status guest_write_linear(struct guest_memory *memory, const struct guest_paging *paging,
			       uint64_t linear, const void *buf, size_t len, unsigned access,
			       struct guest_fault *ret_fault);
