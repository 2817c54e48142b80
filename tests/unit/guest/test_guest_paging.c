/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/guest_paging.h"

#include "tests/unit/ept_freeze.h"
#include "tests/unit/guest_regions.h"
#include "tests/unit/support.h"

#define P   UINT64_C(0x01)
#define W   UINT64_C(0x02)
#define U   UINT64_C(0x04)
#define A   UINT64_C(0x20)
#define D   UINT64_C(0x40)
#define PS  UINT64_C(0x80)
#define NX  BIT(63)
#define ALL (P | W | U | A | D)

#define CR0_PE	 BIT(0)
#define CR0_WP	 BIT(16)
#define CR0_PG	 BIT(31)
#define CR4_PSE	 BIT(4)
#define CR4_PAE	 BIT(5)
#define CR4_LA57 BIT(12)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define AC	 BIT(18)

/* Tables at fixed places, one for each level. The address selects the entry in each. */
enum mode { NARROW, PAE, FOUR, FIVE, N_MODES };
static const unsigned n_levels[] = {2, 2, 4, 5}; /* in memory */

static uint64_t table_at_level(unsigned level)
{
	return RAM + (1 + level) * 0x1000;
}

static struct guest_paging paging_of(enum mode mode)
{
	struct guest_paging paging = {
		.memory = &memory,
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.phys_bits = 46,
	};

	paging.cr3 = table_at_level(n_levels[mode] - 1);
	if (mode == NARROW) {
		paging.cr4 = CR4_PSE;
		paging.cr3 |= BIT(40); /* left from long mode: ignored */
		return paging;
	}
	paging.cr4 = CR4_PAE;
	paging.efer = EFER_NXE;
	if (mode == PAE) {
		for (unsigned i = 0; i < 4; i++)
			paging.pdpte[i] = table_at_level(1) | P;
		paging.cr3 = BIT(50); /* ignored */
		return paging;
	}
	paging.efer |= EFER_LME | EFER_LMA;
	if (mode == FIVE)
		paging.cr4 |= CR4_LA57;
	return paging;
}

static unsigned entry_size(enum mode mode)
{
	return mode == NARROW ? 4 : 8;
}

static uint64_t slot_at(enum mode mode, unsigned level, uint64_t linear)
{
	unsigned bits = mode == NARROW ? 10 : 9;

	return table_at_level(level) +
	       (linear >> (12 + bits * level)) % (UINT64_C(1) << bits) * entry_size(mode);
}

static void set_entry(enum mode mode, unsigned level, uint64_t linear, uint64_t entry)
{
	assert_int_equal(
		guest_write(&memory, at(slot_at(mode, level, linear)), &entry, entry_size(mode)),
		OK);
}

static uint64_t get_entry(enum mode mode, unsigned level, uint64_t linear)
{
	uint64_t entry = 0;

	assert_int_equal(
		guest_read(&memory, at(slot_at(mode, level, linear)), &entry, entry_size(mode)),
		OK);
	return entry;
}

/* Map down to 'leaf_level' with 'bits' everywhere. */
static void build(enum mode mode, uint64_t linear, unsigned leaf_level, uint64_t leaf,
		  uint64_t bits)
{
	for (unsigned level = n_levels[mode] - 1; level > leaf_level; level--)
		set_entry(mode, level, linear, table_at_level(level - 1) | bits);
	set_entry(mode, leaf_level, linear, leaf | bits | (leaf_level > 0 ? PS : 0));
}

static enum status translate(struct guest_paging *paging, uint64_t linear, unsigned access,
			     uint64_t *ret, uint32_t *error)
{
	gpa_t gpa = {BIT(60)};
	enum status status;

	status = guest_translate(paging, linear, access, &gpa);
	*ret = gpa.raw;
	*error = paging->fault.error_code;
	/* Written on success only. */
	assert_int_equal(gpa.raw != BIT(60), status == OK);
	assert_true(*error == 0 || status == ERR_NOTFOUND);
	return status;
}

static void without_paging_linear_is_physical(void **state)
{
	struct guest_paging paging = {
		.memory = &memory,
		.cr0 = CR0_PE,
		.cr4 = CR4_PAE | CR4_SMAP,
		.cpl = 3,
	};
	uint64_t gpa;
	uint32_t error;

	assert_int_equal(translate(&paging, 0x12345678, ACCESS_WRITE, &gpa, &error), OK);
	assert_int_equal(gpa, 0x12345678);
	paging.cr0 = 0;
	assert_int_equal(translate(&paging, 0x100000123, ACCESS_READ, &gpa, &error), OK);
	assert_int_equal(gpa, 0x123);
}

static void every_page_size_in_every_mode(void **state)
{
	static const struct {
		enum mode mode;
		uint64_t linear;
		unsigned level;
		uint64_t leaf, want;
	} cases[] = {
		{NARROW, 0xdeadb123, 0, 0xfedcb000, 0xfedcb123},
		{NARROW, 0xdeadb123, 1, 0xfec00000, 0xfeedb123},
		{NARROW, 0x00400000, 1, 0x00c00000 | 0x5a << 13, 0x5a00c00000},
		{PAE, 0xdeadb123, 0, 0x23456789a000, 0x23456789a123},
		{PAE, 0xdeadb123, 1, 0x234567800000, 0x2345678db123},
		{PAE, 0xffffffff, 1, 0x234567800000, 0x2345679fffff},
		{FOUR, 0x7f123456789a, 0, 0x23456789a000, 0x23456789a89a},
		{FOUR, 0x7f123456789a, 1, 0x234567800000, 0x23456796789a},
		{FOUR, 0x7f123456789a, 2, 0x234540000000, 0x23457456789a},
		{FOUR, 0xffff800000000fff, 0, 0x5000, 0x5fff},
		{FOUR, 0xffffffffffffffff, 1, 0x200000, 0x3fffff},
		{FIVE, 0x7f123456789abc, 0, 0x23456789a000, 0x23456789aabc},
		{FIVE, 0xff00000000000123, 1, 0x200000, 0x200123},
		{FIVE, 0xffffffffffffffff, 2, 0x40000000, 0x7fffffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_paging paging = paging_of(cases[i].mode);
		uint64_t gpa;
		uint32_t error;

		build(cases[i].mode, cases[i].linear, cases[i].level, cases[i].leaf, P | W);
		assert_int_equal(translate(&paging, cases[i].linear, ACCESS_READ, &gpa, &error),
				 OK);
		assert_int_equal(gpa, cases[i].want);
	}
}

static void outside_long_mode_addresses_wrap(void **state)
{
	struct guest_paging paging = paging_of(PAE);
	uint64_t gpa;
	uint32_t error;

	build(PAE, 0x5000, 0, 0x9000, P);
	assert_int_equal(translate(&paging, 0x700005123, ACCESS_READ, &gpa, &error), OK);
	assert_int_equal(gpa, 0x9123);
}

static void pse_is_needed_for_large_pages_in_32_bit_paging(void **state)
{
	struct guest_paging paging = paging_of(NARROW);
	uint64_t gpa;
	uint32_t error;

	paging.cr4 = 0;
	build(NARROW, 0x5000, 0, 0x9000, P);
	set_entry(NARROW, 1, 0x5000, table_at_level(0) | P | PS);
	assert_int_equal(translate(&paging, 0x5123, ACCESS_READ, &gpa, &error), OK);
	assert_int_equal(gpa, 0x9123);
}

static void pae_goes_by_the_registers(void **state)
{
	struct guest_paging paging = paging_of(PAE);
	uint64_t gpa;
	uint32_t error;

	build(PAE, 0xc0005000, 0, 0x9000, P);
	assert_int_equal(translate(&paging, 0xc0005123, ACCESS_READ, &gpa, &error), OK);
	paging.pdpte[3] = 0;
	assert_int_equal(translate(&paging, 0xc0005123, ACCESS_WRITE, &gpa, &error), ERR_NOTFOUND);
	assert_int_equal(error, PF_WRITE);
	assert_int_equal(translate(&paging, 0x5123, ACCESS_READ, &gpa, &error), OK);
}

static void only_canonical_addresses(void **state)
{
	static const struct {
		uint64_t linear;
		bool in_four, in_five;
	} cases[] = {
		{0, true, true},
		{0x00007fffffffffff, true, true},
		{0x0000800000000000, false, true},
		{0xffff7fffffffffff, false, true},
		{0xffff800000000000, true, true},
		{0x00ffffffffffffff, false, true},
		{0x0100000000000000, false, false},
		{0xfeffffffffffffff, false, false},
		{0xff00000000000000, false, true},
		{0x8000000000000000, false, false},
		{UINT64_MAX, true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned five = 0; five < 2; five++) {
			enum mode mode = five ? FIVE : FOUR;
			struct guest_paging paging = paging_of(mode);
			bool ok = five ? cases[i].in_five : cases[i].in_four;
			uint64_t gpa;
			uint32_t error;

			build(mode, cases[i].linear, 0, 0x9000, P);
			assert_int_equal(
				translate(&paging, cases[i].linear, ACCESS_READ, &gpa, &error),
				ok ? OK : ERR_INVAL);
		}
}

/* A second formulation of the rules, from the words of the manual. */
struct attempt {
	bool user_mode, read, write, fetch;
	bool page_user, page_write, page_nx;
	bool wp, smep, smap, ac, nxe, has_nx;
};

static bool allowed(const struct attempt *t)
{
	if (t->fetch && t->page_nx)
		return false;
	if (t->user_mode)
		return t->page_user && (!t->write || t->page_write);
	if (t->page_user && t->fetch && t->smep)
		return false;
	if (t->page_user && (t->read || t->write) && t->smap && !t->ac)
		return false;
	return !t->write || t->page_write || !t->wp;
}

static void try_permission(enum mode mode, unsigned bits, uint64_t upper, uint64_t leaf)
{
	struct guest_paging paging = paging_of(mode);
	const uint64_t linear = 0x5123;
	struct attempt t = {
		.user_mode = bits & 1,
		.wp = bits & 2,
		.smep = bits & 4,
		.smap = bits & 8,
		.ac = bits & 16,
		.nxe = mode != NARROW && bits & 32,
		.page_user = upper & leaf & U,
		.page_write = upper & leaf & W,
	};

	if (!t.nxe) {
		upper &= ~NX;
		leaf &= ~NX;
	}
	t.page_nx = (upper | leaf) & NX;
	paging.cpl = t.user_mode ? 3 : bits & 64 ? 1 : 0;
	paging.cr0 = CR0_PE | CR0_PG | (t.wp ? CR0_WP : 0);
	paging.cr4 |= (t.smep ? CR4_SMEP : 0) | (t.smap ? CR4_SMAP : 0);
	paging.rflags = t.ac ? AC : 0;
	paging.efer = (paging.efer & ~EFER_NXE) | (bits & 32 ? EFER_NXE : 0);
	set_entry(mode, 1, linear, table_at_level(0) | upper);
	set_entry(mode, 0, linear, 0x9000 | leaf);
	for (unsigned access = 1; access < 8; access++) {
		uint32_t error, want = PF_PRESENT;
		uint64_t gpa;

		t.read = access & ACCESS_READ;
		t.write = access & ACCESS_WRITE;
		t.fetch = access & ACCESS_EXEC;
		want |= (t.write ? PF_WRITE : 0) | (t.user_mode ? PF_USER : 0);
		want |= t.fetch && (t.smep || t.nxe) ? PF_FETCH : 0;
		assert_int_equal(translate(&paging, linear, access, &gpa, &error),
				 allowed(&t) ? OK : ERR_NOTFOUND);
		if (!allowed(&t))
			assert_int_equal(error, want);
	}
}

static void every_permission(void **state)
{
	static const uint64_t rights[] = {0, W, U, W | U, NX, NX | W, NX | U, NX | W | U};

	for (enum mode mode = NARROW; mode < N_MODES; mode++) {
		uint64_t no_nx = mode == NARROW ? ~NX : ~UINT64_C(0);

		build(mode, 0x5123, 0, 0x9000, ALL);
		for (unsigned bits = 0; bits < 128; bits++)
			for (unsigned i = 0; i < 64; i++)
				try_permission(mode, bits, (rights[i / 8] & no_nx) | P | A | D,
					       (rights[i % 8] & no_nx) | P | A | D);
	}
}

static void rights_count_at_every_level(void **state)
{
	static const struct {
		uint64_t without, with;
		unsigned access;
	} cases[] = {{W, 0, ACCESS_WRITE}, {U, 0, ACCESS_READ}, {0, NX, ACCESS_EXEC}};

	for (enum mode mode = PAE; mode < N_MODES; mode++)
		for (unsigned level = 0; level < n_levels[mode]; level++)
			for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
				struct guest_paging paging = paging_of(mode);
				uint64_t gpa;
				uint32_t error;

				paging.cpl = 3;
				build(mode, 0x5000, 0, 0x9000, ALL);
				assert_int_equal(
					translate(&paging, 0x5000, cases[i].access, &gpa, &error),
					OK);
				set_entry(mode, level, 0x5000,
					  (get_entry(mode, level, 0x5000) & ~cases[i].without) |
						  cases[i].with);
				assert_int_equal(
					translate(&paging, 0x5000, cases[i].access, &gpa, &error),
					ERR_NOTFOUND);
				assert_true(error & PF_PRESENT);
			}
}

static void not_present_at_every_level(void **state)
{
	for (enum mode mode = NARROW; mode < N_MODES; mode++)
		for (unsigned level = 0; level < n_levels[mode]; level++) {
			struct guest_paging paging = paging_of(mode);
			uint64_t gpa;
			uint32_t error;

			paging.cpl = 3;
			build(mode, 0x5000, 0, 0x9000, ALL);
			/* All other bits set: without P, reserved bits are ignored. */
			set_entry(mode, level, 0x5000, ~P);
			assert_int_equal(translate(&paging, 0x5000, ACCESS_EXEC | ACCESS_WRITE,
						   &gpa, &error),
					 ERR_NOTFOUND);
			assert_int_equal(error,
					 PF_WRITE | PF_USER | (mode == NARROW ? 0 : PF_FETCH));
		}
}

/* Bits that must be zero with 46 bits of physical address. */
static uint64_t reserved(enum mode mode, unsigned level, bool is_large, bool nxe)
{
	uint64_t mask = BITS(51, 46);

	if (mode == NARROW)
		return is_large ? BIT(21) : 0;
	if (!nxe)
		mask |= NX;
	if (mode == PAE)
		mask |= BITS(62, 52);
	if (level >= 3)
		mask |= PS;
	if (is_large && level == 1)
		mask |= BITS(20, 13);
	if (is_large && level == 2)
		mask |= BITS(29, 13);
	return mask;
}

static void try_reserved(enum mode mode, unsigned leaf_level, unsigned level, bool nxe)
{
	bool is_large = level == leaf_level && level > 0;
	struct guest_paging paging = paging_of(mode);

	if (!nxe)
		paging.efer &= ~EFER_NXE;
	for (unsigned bit = 8; bit < 8 * entry_size(mode); bit++) {
		uint64_t gpa, linear = 0x5000, good;
		bool want = reserved(mode, level, is_large, nxe) & BIT(bit);
		uint32_t error;

		build(mode, linear, leaf_level, 0, ALL);
		good = get_entry(mode, level, linear);
		/* An address bit of a table leads to another place, perhaps outside memory. */
		if (!want && level > leaf_level && bit >= 12 && bit < 52)
			continue;
		set_entry(mode, level, linear, good | BIT(bit));
		assert_int_equal(translate(&paging, linear, ACCESS_READ, &gpa, &error),
				 want ? ERR_NOTFOUND : OK);
		if (want)
			assert_int_equal(error, PF_PRESENT | PF_RESERVED);
	}
}

static void every_reserved_bit(void **state)
{
	for (enum mode mode = NARROW; mode < N_MODES; mode++)
		for (unsigned leaf = 0; leaf < (mode < FOUR ? 2U : 3U); leaf++)
			for (unsigned level = leaf; level < n_levels[mode]; level++)
				for (unsigned nxe = 0; nxe < 2; nxe++)
					try_reserved(mode, leaf, level, nxe);
}

static void large_bit_where_there_are_no_large_pages(void **state)
{
	add(0, PAGE_SIZE, MEM_COW, NULL, 0);
	for (enum mode mode = FOUR; mode < N_MODES; mode++)
		for (unsigned level = 3; level < n_levels[mode]; level++) {
			struct guest_paging paging = paging_of(mode);
			uint64_t gpa;
			uint32_t error;

			build(mode, 0x5000, 0, 0x9000, ALL);
			/* A table at 0, which is aligned as a large page. */
			set_entry(mode, level, 0x5000, ALL | PS);
			assert_int_equal(translate(&paging, 0x5000, ACCESS_READ, &gpa, &error),
					 ERR_NOTFOUND);
			assert_int_equal(error, PF_PRESENT | PF_RESERVED);
		}
}

static void address_width_decides_what_is_reserved(void **state)
{
	static const struct {
		enum mode mode;
		unsigned phys_bits, level, bit;
		bool is_reserved;
	} cases[] = {
		{FOUR, 0, 0, 51, false},    {FOUR, 52, 0, 51, false},	{FOUR, 51, 0, 51, true},
		{FOUR, 39, 0, 38, false},   {FOUR, 39, 0, 39, true},	{NARROW, 40, 1, 20, false},
		{NARROW, 39, 1, 20, true},  {NARROW, 39, 1, 19, false}, {NARROW, 36, 1, 17, true},
		{NARROW, 36, 1, 16, false}, {NARROW, 32, 1, 13, true},	{NARROW, 0, 1, 20, false},
		{NARROW, 36, 0, 31, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_paging paging = paging_of(cases[i].mode);
		uint64_t gpa;
		uint32_t error;

		paging.phys_bits = cases[i].phys_bits;
		build(cases[i].mode, 0x5000, cases[i].level, BIT(cases[i].bit), ALL);
		assert_int_equal(translate(&paging, 0x5000, ACCESS_READ, &gpa, &error),
				 cases[i].is_reserved ? ERR_NOTFOUND : OK);
	}
}

static void accessed_and_dirty_like_the_processor(void **state)
{
	static const unsigned accesses[] = {ACCESS_READ, ACCESS_EXEC, ACCESS_WRITE,
					    ACCESS_READ | ACCESS_WRITE};

	for (enum mode mode = NARROW; mode < N_MODES; mode++)
		for (unsigned leaf = 0; leaf < 2; leaf++)
			for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
				struct guest_paging paging = paging_of(mode);
				uint64_t gpa;
				uint32_t error;
				bool write = accesses[i] & ACCESS_WRITE;

				build(mode, 0x5000, leaf, 0, P | W);
				assert_int_equal(
					translate(&paging, 0x5000, accesses[i], &gpa, &error), OK);
				for (unsigned level = leaf; level < n_levels[mode]; level++)
					assert_int_equal(get_entry(mode, level, 0x5000) & (A | D),
							 level == leaf && write ? A | D : A);
			}
}

static void a_refused_access_leaves_no_trace(void **state)
{
	struct guest_paging paging = paging_of(FOUR);
	uint64_t gpa;
	uint32_t error;

	build(FOUR, 0x5000, 0, 0x9000, P);
	assert_int_equal(translate(&paging, 0x5000, ACCESS_WRITE, &gpa, &error), ERR_NOTFOUND);
	for (unsigned level = 0; level < 4; level++)
		assert_int_equal(get_entry(FOUR, level, 0x5000) & (A | D), 0);
}

/* Not even a page of a supervisor's tables without accessed flags becomes private. */
static void a_peek_changes_nothing(void **state)
{
	static const uint32_t written[2] = {0x12345678, 0x9abcdef0};
	uint32_t read[2];

	for (enum mode mode = NARROW; mode < N_MODES; mode++) {
		struct guest_paging paging = paging_of(mode);
		struct ept_layer *layer;

		paging.cpl = 3;
		build(mode, 0x5000, 0, 0x9000, P);
		build(mode, 0x6000, 0, 0xb000, P);
		assert_int_equal(guest_write(&memory, at(RAM + 0x9ffc), &written[0], 4), OK);
		set_entry(mode, 0, 0x5000, (RAM + 0x9000) | P);
		set_entry(mode, 0, 0x6000, (RAM + 0xb000) | P);
		assert_int_equal(guest_write(&memory, at(RAM + 0xb000), &written[1], 4), OK);
		assert_int_equal(freeze_tree(&ept, &layer), OK);
		assert_int_equal(guest_peek_linear(&paging, 0x5ffc, read, 8), OK);
		assert_memory_equal(read, written, 8);
		assert_int_equal(ept.n_owned, 0);
		assert_int_equal(get_entry(mode, 0, 0x5000) & A, 0);
		set_entry(mode, 0, 0x6000, 0);
		assert_int_equal(guest_peek_linear(&paging, 0x5ffc, read, 8), ERR_NOTFOUND);
		set_entry(mode, 0, 0x6000, 0x7f000000 | P); /* not memory */
		assert_int_equal(guest_peek_linear(&paging, 0x5ffc, read, 8), ERR_RANGE);
		ept_layer_put(layer);
	}
}

static void a_peek_without_paging_or_at_a_wrong_address(void **state)
{
	struct guest_paging paging = paging_of(FOUR), off = {.memory = &memory};
	uint64_t value = 0;

	set_entry(FOUR, 0, 0x5000, 0x1234);
	assert_int_equal(guest_peek_linear(&off, slot_at(FOUR, 0, 0x5000), &value, 8), OK);
	assert_int_equal(value, 0x1234);
	assert_int_equal(guest_peek_linear(&paging, BIT(47), &value, 8), ERR_INVAL);
	paging = paging_of(PAE);
	paging.pdpte[0] = 0;
	assert_int_equal(guest_peek_linear(&paging, 0, &value, 8), ERR_NOTFOUND);
}

static void flags_already_set_copy_nothing(void **state)
{
	struct guest_paging paging = paging_of(FOUR);
	struct ept_layer *layer;
	uint64_t gpa;
	uint32_t error;

	build(FOUR, 0x5000, 0, 0x9000, P | W | A);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	assert_int_equal(translate(&paging, 0x5000, ACCESS_READ, &gpa, &error), OK);
	assert_int_equal(ept.n_owned, 0);
	/* Setting the dirty flag gives the clone its own copy of that table. */
	assert_int_equal(translate(&paging, 0x5000, ACCESS_WRITE, &gpa, &error), OK);
	assert_true(ept.n_owned > 0);
	assert_int_equal(get_entry(FOUR, 0, 0x5000) & D, D);
	ept_layer_put(layer);
}

static void tables_in_rom_work_and_stay(void **state)
{
	struct guest_paging paging = paging_of(NARROW);
	uint32_t *page = phys_to_virt(IMAGE), was[2] = {page[0], page[1]};
	uint64_t gpa;
	uint32_t error;

	/* A table in ROM, with one large page, written directly. */
	page[0] = 0x00c00000 | (uint32_t)(P | W | PS);
	paging.cr3 = ROM;
	assert_int_equal(translate(&paging, 0x123, ACCESS_WRITE, &gpa, &error), OK);
	assert_int_equal(gpa, 0xc00123);
	assert_int_equal(page[0] & (A | D), 0);
	assert_int_equal(dropped(), 1);
	memcpy(page, was, sizeof(was));
}

/* They read as ones, of which some are reserved. */
static void tables_outside_memory_are_the_guests_fault(void **state)
{
	struct guest_paging paging = paging_of(FOUR);
	uint64_t gpa;
	uint32_t error;

	paging.phys_bits = 46;
	build(FOUR, 0x5000, 0, 0x9000, ALL);
	for (unsigned level = 1; level < 4; level++) {
		uint64_t good = get_entry(FOUR, level, 0x5000);

		set_entry(FOUR, level, 0x5000, GIB(3) | ALL);
		assert_int_equal(translate(&paging, 0x5000, ACCESS_WRITE, &gpa, &error),
				 ERR_NOTFOUND);
		assert_int_equal(error, PF_PRESENT | PF_RESERVED | PF_WRITE);
		set_entry(FOUR, level, 0x5000, good);
	}
	paging.cr3 = BIT(48);
	assert_int_equal(translate(&paging, 0x5000, ACCESS_READ, &gpa, &error), ERR_NOTFOUND);
	assert_int_equal(error, PF_PRESENT | PF_RESERVED);
}

static void no_frame_for_a_table_is_an_error(void **state)
{
	struct guest_paging paging = paging_of(FOUR);
	struct ept_layer *layer;
	uint64_t gpa;
	uint32_t error;

	build(FOUR, 0x5000, 0, 0x9000, P);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept.max_owned = 0;
	assert_int_equal(translate(&paging, 0x5000, ACCESS_READ, &gpa, &error), ERR_NOMEM);
	ept.max_owned = EPT_UNLIMITED;
	ept_layer_put(layer);
}

/* Two linear pages at physical places that are not adjacent. */
#define LINEAR	   UINT64_C(0x7f0000200000)
#define FIRST_PAGE (RAM + 0x100000)
#define NEXT_PAGE  (RAM + 0x80000)

static struct guest_paging two_pages(uint64_t first, uint64_t next)
{
	build(FOUR, LINEAR, 0, first, ALL);
	set_entry(FOUR, 0, LINEAR + 0x1000, next);
	return paging_of(FOUR);
}

static void linear_accesses_cross_pages(void **state)
{
	struct guest_paging paging = two_pages(FIRST_PAGE, NEXT_PAGE | ALL);
	uint8_t buf[32], now[32];

	memset(buf, 0xab, sizeof(buf));
	buf[0] = 1;
	buf[31] = 2;
	for (uint64_t start = 0xfd0; start <= 0x1010; start++) {
		assert_int_equal(guest_zero(&memory, at(FIRST_PAGE), PAGE_SIZE), OK);
		assert_int_equal(guest_zero(&memory, at(NEXT_PAGE), PAGE_SIZE), OK);
		assert_int_equal(guest_write_linear(&paging, LINEAR + start, buf, 32, ACCESS_WRITE),
				 OK);
		for (uint64_t i = 0; i < 32; i++) {
			uint64_t gpa = start + i < 0x1000 ? FIRST_PAGE + start + i
							  : NEXT_PAGE + start + i - 0x1000;

			assert_int_equal(guest_read(&memory, at(gpa), now, 1), OK);
			assert_int_equal(now[0], buf[i]);
		}
		assert_int_equal(guest_read_linear(&paging, LINEAR + start, now, 32, ACCESS_EXEC),
				 OK);
		assert_memory_equal(now, buf, 32);
	}
}

static void a_fault_names_the_first_byte_and_nothing_happened(void **state)
{
	static const struct {
		uint64_t next;
		enum status want;
		uint32_t error; /* of a write */
	} cases[] = {
		{0, ERR_NOTFOUND, PF_WRITE},
		{NEXT_PAGE | P, ERR_NOTFOUND, PF_PRESENT | PF_WRITE},
		{NEXT_PAGE | ALL | BIT(50), ERR_NOTFOUND, PF_PRESENT | PF_WRITE | PF_RESERVED},
		{GIB(3) | ALL, ERR_RANGE, 0},
	};
	uint8_t buf[16], now[16], zeros[16] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_paging paging = two_pages(FIRST_PAGE, cases[i].next);

		memset(buf, 0xab, sizeof(buf));
		assert_int_equal(guest_write_linear(&paging, LINEAR + 0xff8, buf, 16, ACCESS_WRITE),
				 cases[i].want);
		assert_int_equal(paging.fault.linear, LINEAR + 0x1000);
		if (cases[i].want == ERR_NOTFOUND)
			assert_int_equal(paging.fault.error_code, cases[i].error);
		else
			assert_int_equal(paging.fault.gpa.raw, GIB(3));
		assert_int_equal(guest_read(&memory, at(FIRST_PAGE + 0xff0), now, 16), OK);
		assert_memory_equal(now, zeros, 16);

		if (cases[i].next & W || !(cases[i].next & P)) {
			assert_int_equal(
				guest_read_linear(&paging, LINEAR + 0xff8, buf, 16, ACCESS_READ),
				cases[i].want);
			assert_int_equal(paging.fault.linear, LINEAR + 0x1000);
			assert_int_equal(buf[0], 0xab);
		}
		/* Within one page. */
		assert_int_equal(guest_write_linear(&paging, LINEAR + 0x1004, buf, 4, ACCESS_WRITE),
				 cases[i].want);
		assert_int_equal(paging.fault.linear, LINEAR + 0x1004);
	}
}

static void linear_errors_are_told_apart(void **state)
{
	struct guest_paging paging = two_pages(FIRST_PAGE, NEXT_PAGE | ALL);
	uint64_t word = 0;

	assert_int_equal(guest_read_linear(&paging, BIT(47) - 4, &word, 8, ACCESS_READ),
			 ERR_NOTFOUND); /* the low half, which is not mapped, comes first */
	build(FOUR, BIT(47) - 4, 0, FIRST_PAGE, ALL);
	assert_int_equal(guest_read_linear(&paging, BIT(47) - 4, &word, 8, ACCESS_READ), ERR_INVAL);
	assert_int_equal(paging.fault.linear, BIT(47));
}

static void real_mode_wraps_at_the_top_of_32_bits(void **state)
{
	struct guest_paging paging = {.memory = &memory};
	uint64_t word = 0;

	/* The low half of the word is at the end of 4 GiB, the high half at 0. */
	add(GIB(4) - PAGE_SIZE, PAGE_SIZE, MEM_ROM, &image, 0);
	assert_int_equal(guest_read_linear(&paging, UINT32_MAX - 3, &word, 8, ACCESS_READ),
			 ERR_RANGE);
	assert_int_equal(paging.fault.linear, 0);
	add(0, PAGE_SIZE, MEM_ROM, &image, PAGE_SIZE);
	assert_int_equal(guest_read_linear(&paging, UINT32_MAX - 3, &word, 8, ACCESS_READ), OK);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal((word >> (8 * i)) & 0xff, pattern(0xffc + i));
	assert_int_equal(guest_read_linear(&paging, PAGE_SIZE - 4, &word, 8, ACCESS_READ),
			 ERR_RANGE);
	assert_int_equal(paging.fault.linear, PAGE_SIZE);
	assert_int_equal(paging.fault.gpa.raw, PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_paging_linear_is_physical),
		TEST(every_page_size_in_every_mode),
		TEST(outside_long_mode_addresses_wrap),
		TEST(pse_is_needed_for_large_pages_in_32_bit_paging),
		TEST(pae_goes_by_the_registers),
		TEST(only_canonical_addresses),
		TEST(every_permission),
		TEST(rights_count_at_every_level),
		TEST(not_present_at_every_level),
		TEST(every_reserved_bit),
		TEST(large_bit_where_there_are_no_large_pages),
		TEST(address_width_decides_what_is_reserved),
		TEST(accessed_and_dirty_like_the_processor),
		TEST(a_peek_changes_nothing),
		TEST(a_peek_without_paging_or_at_a_wrong_address),
		TEST(a_refused_access_leaves_no_trace),
		TEST(flags_already_set_copy_nothing),
		TEST(tables_in_rom_work_and_stay),
		TEST(tables_outside_memory_are_the_guests_fault),
		TEST(no_frame_for_a_table_is_an_error),
		TEST(linear_accesses_cross_pages),
		TEST(a_fault_names_the_first_byte_and_nothing_happened),
		TEST(linear_errors_are_told_apart),
		TEST(real_mode_wraps_at_the_top_of_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
