/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's walk of a guest's page tables, in software: SDM vol. 3,
 * chapter "Paging". For string I/O, and for fetching instructions to decode;
 * therefore each walk starts from scratch, without a cache. Assumes that the
 * guest's registers passed the checks of VM entry. Does not support protection
 * keys, shadow stacks, linear-address masking.
 */
#include "hv/guest/guest_paging.h"

#define CR0_WP	  BIT(16)
#define CR0_PG	  BIT(31)
#define CR4_PSE	  BIT(4)
#define CR4_PAE	  BIT(5)
#define CR4_LA57  BIT(12)
#define CR4_SMEP  BIT(20)
#define CR4_SMAP  BIT(21)
#define EFER_LMA  BIT(10)
#define EFER_NXE  BIT(11)
#define RFLAGS_AC BIT(18)
#define USER_CPL  3

#define PTE_P	 BIT(0)
#define PTE_W	 BIT(1)
#define PTE_U	 BIT(2)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PTE_PS	 BIT(7)
#define PTE_ADDR BITS(51, 12)
#define PTE_NX	 BIT(63)

/* A translation in progress. Levels count down to 0, as in the EPT. */
struct walk {
	const struct guest_paging *paging;
	uint64_t linear;
	unsigned access;
	bool is_wide; /* entries have 8 bytes: all modes except 32-bit paging */
	unsigned level;
	uint64_t table;	  /* at the current level */
	uint64_t entry;	  /* the last one read */
	uint64_t allowed; /* PTE_W and PTE_U of all entries so far, ANDed */
	uint64_t nx;	  /* PTE_NX of all entries so far, ORed */
	gpa_t flagged;	  /* the last entry whose flags were to be set */
	unsigned n_read;
	struct { /* the entries, root first */
		gpa_t gpa;
		const void *at;
		uint64_t value;
	} read[GUEST_WALK_MAX];
};

static bool is_long(const struct guest_paging *paging)
{
	return paging->efer & EFER_LMA;
}

static unsigned index_bits(const struct walk *walk)
{
	return walk->is_wide ? 9 : 10;
}

static unsigned shift_at(const struct walk *walk, unsigned level)
{
	return PAGE_SHIFT + level * index_bits(walk);
}

static bool is_large(const struct walk *walk)
{
	if (walk->level == 0 || !(walk->entry & PTE_PS))
		return false;
	return walk->is_wide || (walk->paging->cr4 & CR4_PSE);
}

/* The physical-address bits that the guest's processor does not implement. */
static uint64_t too_wide(const struct walk *walk)
{
	unsigned bits = walk->paging->phys_bits;

	if (bits == 0 || bits >= 52)
		return 0;
	return BITS(51, bits);
}

/* SDM vol. 3, "4-MByte Page" of 32-bit paging: bits 20:13 of the entry are bits 39:32 of the
 * address. */
static uint64_t reserved_narrow(const struct walk *walk)
{
	uint64_t too_high = too_wide(walk) & BITS(39, 32);

	return is_large(walk) ? BIT(21) | (too_high >> 19) : 0;
}

static uint64_t reserved_wide(const struct walk *walk)
{
	uint64_t mask = too_wide(walk);

	if (!(walk->paging->efer & EFER_NXE))
		mask |= PTE_NX;
	if (!is_long(walk->paging))
		mask |= BITS(62, 52);
	if (walk->level >= 3)
		mask |= PTE_PS;
	else if (is_large(walk)) /* except bit 12, which is PAT */
		mask |= BITS(shift_at(walk, walk->level) - 1, 13);
	return mask;
}

static bool has_reserved(const struct walk *walk)
{
	return walk->entry & (walk->is_wide ? reserved_wide(walk) : reserved_narrow(walk));
}

static uint32_t error_code(const struct walk *walk, uint32_t cause)
{
	const struct guest_paging *paging = walk->paging;
	bool has_nx = walk->is_wide && (paging->efer & EFER_NXE);

	if (walk->access & ACCESS_WRITE)
		cause |= PF_WRITE;
	if (paging->cpl == USER_CPL)
		cause |= PF_USER;
	if ((walk->access & ACCESS_EXEC) && (has_nx || (paging->cr4 & CR4_SMEP)))
		cause |= PF_FETCH;
	return cause;
}

/*
 * Read the next entry. The table's address is valid for the guest: no reserved bit was set. Where
 * there is no memory it reads as ones, as everything does there.
 */
static void read_entry(struct walk *walk)
{
	static const uint64_t ones = UINT64_MAX;
	unsigned size = walk->is_wide ? 8 : 4;
	uint64_t index = (walk->linear >> shift_at(walk, walk->level)) % BIT(index_bits(walk));
	gpa_t gpa = {walk->table + index * size};

	const void *at = guest_byte(walk->paging->memory, gpa);

	if (at == NULL)
		at = &ones;
	/* One load: other vCPUs may change the entry. */
	walk->entry = walk->is_wide ? __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED)
				    : __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
	walk->read[walk->n_read].gpa = gpa;
	walk->read[walk->n_read].at = at;
	walk->read[walk->n_read++].value = walk->entry;
}

/* Descend to the leaf. '*ret_cause' is the cause for the error code. */
static enum status descend(struct walk *walk, uint32_t *ret_cause)
{
	for (;; walk->level--) {
		read_entry(walk);
		if (!(walk->entry & PTE_P)) {
			*ret_cause = 0;
			return ERR_NOTFOUND;
		}
		if (has_reserved(walk)) {
			*ret_cause = PF_PRESENT | PF_RESERVED;
			return ERR_NOTFOUND;
		}
		walk->allowed &= walk->entry;
		walk->nx |= walk->entry & PTE_NX;
		if (walk->level == 0 || is_large(walk))
			return OK;
		walk->table = walk->entry & PTE_ADDR;
	}
}

static bool may_access_as_supervisor(const struct walk *walk)
{
	const struct guest_paging *paging = walk->paging;
	unsigned access = walk->access;
	bool is_user_page = walk->allowed & PTE_U;

	if (is_user_page && (access & ACCESS_EXEC) && (paging->cr4 & CR4_SMEP))
		return false;
	if (is_user_page && (access & (ACCESS_READ | ACCESS_WRITE)) && (paging->cr4 & CR4_SMAP) &&
	    !(paging->rflags & RFLAGS_AC))
		return false;
	return !(access & ACCESS_WRITE) || (walk->allowed & PTE_W) || !(paging->cr0 & CR0_WP);
}

/* SDM vol. 3, "Determination of Access Rights". */
static bool may_access(const struct walk *walk)
{
	if ((walk->access & ACCESS_EXEC) && walk->nx)
		return false;
	if (walk->paging->cpl != USER_CPL)
		return may_access_as_supervisor(walk);
	if (!(walk->allowed & PTE_U))
		return false;
	return !(walk->access & ACCESS_WRITE) || (walk->allowed & PTE_W);
}

/* Set accessed flags in all entries, and the dirty flag in the leaf. Both are in the low byte. */
static enum status set_flags(struct walk *walk)
{
	for (unsigned i = 0; i < walk->n_read; i++) {
		uint8_t flags = PTE_A;

		if (i + 1 == walk->n_read && (walk->access & ACCESS_WRITE))
			flags |= PTE_D;
		if ((walk->read[i].value & flags) == flags)
			continue;
		walk->flagged = walk->read[i].gpa;
		TRY(guest_set_bits(walk->paging->memory, walk->flagged, flags));
		walk->read[i].value |= flags;
	}
	return OK;
}

static gpa_t leaf_address(const struct walk *walk)
{
	uint64_t offset_mask = BIT(shift_at(walk, walk->level)) - 1;
	uint64_t base = walk->entry & PTE_ADDR & ~offset_mask;

	if (!walk->is_wide && walk->level == 1)
		base |= (walk->entry & BITS(20, 13)) << 19;
	return (gpa_t){base | (walk->linear & offset_mask)};
}

/* Start the walk at the first table in memory. ERR_NOTFOUND: in PAE paging, there is none. */
static enum status start(struct walk *walk)
{
	const struct guest_paging *paging = walk->paging;

	walk->allowed = PTE_W | PTE_U;
	walk->is_wide = is_long(paging) || (paging->cr4 & CR4_PAE);
	walk->table = paging->cr3 & PTE_ADDR;
	if (is_long(paging)) {
		walk->level = paging->cr4 & CR4_LA57 ? 4 : 3;
	} else if (!walk->is_wide) {
		walk->level = 1;
		walk->table &= BITS(31, 12);
	} else {
		uint64_t pdpte = paging->pdpte[(walk->linear >> 30) & 3];

		if (!(pdpte & PTE_P))
			return ERR_NOTFOUND;
		walk->level = 1;
		walk->table = pdpte & PTE_ADDR;
	}
	return OK;
}

static enum status translate(struct walk *walk, uint32_t *ret_cause)
{
	*ret_cause = 0;
	TRY(start(walk));
	TRY(descend(walk, ret_cause));
	if (!may_access(walk)) {
		*ret_cause = PF_PRESENT;
		return ERR_NOTFOUND;
	}
	return set_flags(walk);
}

static bool is_canonical(const struct guest_paging *paging, uint64_t linear)
{
	unsigned unused = paging->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

/* Cut an address to what the processor uses: 32 bits outside long mode. */
static uint64_t clip(const struct guest_paging *paging, uint64_t linear)
{
	return is_long(paging) ? linear : linear & UINT32_MAX;
}

static enum status translate_in(struct walk *walk, struct guest_paging *paging, gpa_t *ret)
{
	enum status status;
	uint32_t cause;

	paging->fault = (struct guest_fault){.linear = walk->linear};
	if (!(paging->cr0 & CR0_PG)) {
		*ret = (gpa_t){walk->linear};
		return OK;
	}
	if (is_long(paging) && !is_canonical(paging, walk->linear))
		return ERR_INVAL;
	status = translate(walk, &cause);
	if (status == ERR_NOTFOUND)
		paging->fault.error_code = error_code(walk, cause);
	if (status == ERR_NOMEM)
		paging->fault.gpa = walk->flagged;
	if (status == OK)
		*ret = leaf_address(walk);
	return status;
}

/* Not an initializer, which would clear the notes of the entries too. */
static void init(struct walk *walk, const struct guest_paging *paging, uint64_t linear,
		 unsigned access)
{
	walk->paging = paging;
	walk->linear = clip(paging, linear);
	walk->access = access;
	walk->n_read = 0;
	walk->nx = 0;
}

enum status guest_translate(struct guest_paging *paging, uint64_t linear, unsigned access,
			    gpa_t *ret)
{
	struct walk walk;

	init(&walk, paging, linear, access);
	return translate_in(&walk, paging, ret);
}

enum status guest_translate_noting(struct guest_paging *paging, uint64_t linear, unsigned access,
				   gpa_t *ret, struct guest_walk *ret_walk)
{
	struct walk walk;

	init(&walk, paging, linear, access);
	TRY(translate_in(&walk, paging, ret));
	ret_walk->n = is_long(paging) ? walk.n_read : 0;
	for (unsigned i = 0; i < ret_walk->n; i++) {
		ret_walk->entry[i].at = walk.read[i].at;
		ret_walk->entry[i].value = walk.read[i].value;
	}
	return OK;
}

/* As translate_in(), without rights and flags. */
enum status guest_peek(struct guest_paging *paging, uint64_t linear, gpa_t *ret)
{
	struct walk walk;
	uint32_t cause;

	init(&walk, paging, linear, 0);
	if (!(paging->cr0 & CR0_PG)) {
		*ret = (gpa_t){walk.linear};
		return OK;
	}
	if (is_long(paging) && !is_canonical(paging, walk.linear))
		return ERR_INVAL;
	TRY(start(&walk));
	TRY(descend(&walk, &cause));
	*ret = leaf_address(&walk);
	return OK;
}

enum status guest_peek_linear(struct guest_paging *paging, uint64_t linear, void *buf, size_t len)
{
	char *to = buf;
	gpa_t gpa;

	while (len > 0) {
		uint64_t n = part_in_page(linear, len);

		TRY(guest_peek(paging, linear, &gpa));
		TRY(guest_read(paging->memory, gpa, to, n));
		linear += n;
		to += n;
		len -= n;
	}
	return OK;
}

/* Whether the address translates to memory, which is a matter of whole pages. */
static enum status probe_page(struct guest_paging *paging, uint64_t linear, unsigned access,
			      gpa_t *ret)
{
	TRY(guest_translate(paging, linear, access, ret));
	paging->fault.gpa = *ret;
	return guest_byte(paging->memory, *ret) != NULL ? OK : ERR_RANGE;
}

/*
 * Probe all pages of a range that crosses pages, so that nothing has happened
 * if one of them faults.
 */
static enum status probe(struct guest_paging *paging, uint64_t linear, size_t len, unsigned access)
{
	gpa_t gpa;

	if (part_in_page(linear, len) == len)
		return OK;
	while (len > 0) {
		uint64_t n = part_in_page(linear, len);

		TRY(probe_page(paging, linear, access, &gpa));
		linear += n;
		len -= n;
	}
	return OK;
}

enum status guest_read_linear(struct guest_paging *paging, uint64_t linear, void *buf, size_t len,
			      unsigned access)
{
	char *to = buf;
	gpa_t gpa;

	TRY(probe(paging, linear, len, access));
	while (len > 0) {
		uint64_t n = part_in_page(linear, len);

		TRY(probe_page(paging, linear, access, &gpa));
		TRY(guest_read(paging->memory, gpa, to, n));
		linear += n;
		to += n;
		len -= n;
	}
	return OK;
}

enum status guest_write_linear(struct guest_paging *paging, uint64_t linear, const void *buf,
			       size_t len, unsigned access)
{
	const char *from = buf;
	gpa_t gpa;

	TRY(probe(paging, linear, len, access));
	while (len > 0) {
		uint64_t n = part_in_page(linear, len);

		TRY(probe_page(paging, linear, access, &gpa));
		TRY(guest_write(paging->memory, gpa, from, n));
		linear += n;
		from += n;
		len -= n;
	}
	return OK;
}
