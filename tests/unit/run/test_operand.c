/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands and recently decoded instructions, over page tables of four levels. */
#include "hv/run/operand.h"
#include "hv/run/recent.h"

#include "tests/unit/guest_regions.h"
#include "tests/unit/support.h"

#define P      UINT64_C(1)
#define WU     UINT64_C(6)
#define A      UINT64_C(0x20)
#define D      UINT64_C(0x40)
#define CR0    UINT64_C(0x80010001) /* PG, WP, PE */
#define LINEAR UINT64_C(0x400000)
#define HOLE   GIB(3)

static struct operand_space space;

static uint64_t table(unsigned level)
{
	return RAM + level * PAGE_SIZE;
}

static void set_page(unsigned page, uint64_t entry)
{
	assert_int_equal(guest_write(&memory, at(table(0) + 8 * page), &entry, 8), OK);
}

static uint64_t get_page(unsigned page)
{
	uint64_t entry;

	assert_int_equal(guest_read(&memory, at(table(0) + 8 * page), &entry, 8), OK);
	return entry;
}

/* Pages of RAM, of a device, of RAM, and none, from LINEAR on. */
static int setup_space(void **state)
{
	setup(state);
	memory.last = NULL;
	for (unsigned level = 1; level < 4; level++) {
		uint64_t entry = table(level - 1) | P | WU;
		uint64_t slot = LINEAR >> (12 + 9 * level) & 511;

		assert_int_equal(guest_write(&memory, at(table(level) + 8 * slot), &entry, 8), OK);
	}
	set_page(0, (RAM + 0x10000) | P | WU);
	set_page(1, HOLE | P | WU);
	set_page(2, (RAM + 0x11000) | P | WU);
	set_page(3, 0);
	space = (struct operand_space){
		.paging = {.memory = &memory,
			   .cr0 = CR0,
			   .cr3 = table(3),
			   .cr4 = 0x20,
			   .efer = 0xd00},
		.linear_mask = UINT64_MAX,
	};
	return 0;
}

static void an_operand_may_lie_in_memory_and_in_a_device(void **state)
{
	struct operand operand;

	assert_int_equal(operand_find(&space, LINEAR + 0xffd, 8, ACCESS_READ, &operand), OK);
	assert_int_equal(operand.n_parts, 2);
	assert_int_equal(operand.part[0].gpa.raw, RAM + 0x10ffd);
	assert_int_equal(operand.part[0].len, 3);
	assert_true(operand.part[0].is_memory);
	assert_int_equal(operand.part[1].gpa.raw, HOLE);
	assert_int_equal(operand.part[1].len, 5);
	assert_false(operand.part[1].is_memory);

	assert_int_equal(operand_find(&space, LINEAR + 0x1ff8, 8, ACCESS_READ, &operand), OK);
	assert_int_equal(operand.n_parts, 1);
	assert_int_equal(operand.part[0].len, 8);
}

static void a_missing_second_page_faults(void **state)
{
	struct operand operand;

	assert_int_equal(operand_find(&space, LINEAR + 0x2fff, 2, ACCESS_WRITE, &operand),
			 ERR_NOTFOUND);
	assert_int_equal(space.paging.fault.linear, LINEAR + 0x3000);
	assert_int_equal(space.paging.fault.error_code, PF_WRITE);
}

static void the_exit_tells_about_one_page_and_its_rights(void **state)
{
	struct operand operand;

	space.known_linear = LINEAR + 0x1123;
	space.known_gpa = at(HOLE + 0x7123);
	space.known_rights = ACCESS_READ;
	assert_int_equal(operand_find(&space, LINEAR + 0x1010, 4, ACCESS_READ, &operand), OK);
	assert_int_equal(operand.part[0].gpa.raw, HOLE + 0x7010);
	assert_false(get_page(1) & A);

	/* The tables decide about what the processor has not checked, and about other pages. */
	assert_int_equal(operand_find(&space, LINEAR + 0x1010, 4, ACCESS_WRITE, &operand), OK);
	assert_int_equal(operand.part[0].gpa.raw, HOLE + 0x10);
	assert_int_equal(get_page(1) & (A | D), A | D);
	assert_int_equal(operand_find(&space, LINEAR + 0x1ffe, 4, ACCESS_READ, &operand), OK);
	assert_int_equal(operand.part[0].gpa.raw, HOLE + 0x7ffe);
	assert_int_equal(operand.part[1].gpa.raw, RAM + 0x11000);
	assert_true(operand.part[1].is_memory);
}

/* One page, the rights that were checked, and not a byte of the next page. */
static void what_the_exit_tells_ends_with_its_page(void **state)
{
	static const struct {
		uint64_t linear;
		size_t size;
		unsigned rights;
		bool is_known;
	} cases[] = {
		{0x1000, 1, ACCESS_READ, true},
		{0x1ff8, 8, ACCESS_READ, true},
		{0x1ff9, 8, ACCESS_READ, false},
		{0x1fff, 1, ACCESS_READ, true},
		{0x1fff, 2, ACCESS_READ, false},
		{0x0fff, 1, ACCESS_READ, false},
		{0x2000, 1, ACCESS_READ, false},
		{0x1000, 1, ACCESS_WRITE, false},
		{0x1000, 1, ACCESS_READ | ACCESS_WRITE, false},
	};

	space.known_linear = LINEAR + 0x1123;
	space.known_gpa = at(HOLE + 0x7123);
	space.known_rights = ACCESS_READ;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t linear = LINEAR + cases[i].linear;

		assert_int_equal(operand_is_known(&space, linear, cases[i].size, cases[i].rights),
				 cases[i].is_known);
		if (cases[i].is_known)
			assert_int_equal(operand_known_gpa(&space, linear).raw,
					 HOLE + 0x7000 + cases[i].linear % PAGE_SIZE);
	}
}

static void compatibility_mode_wraps_at_4_gib(void **state)
{
	struct operand operand;

	space.paging.cr0 = 0;
	space.linear_mask = UINT32_MAX;
	assert_int_equal(operand_find(&space, 0xfffffffe, 4, ACCESS_READ, &operand), OK);
	assert_int_equal(operand.part[1].gpa.raw, 0);
}

static struct recent_insn slot;
static struct recent_key key;

static void decode_at(uint64_t linear)
{
	gpa_t gpa;

	key = (struct recent_key){5, ept.generation, linear, INSN_64};
	assert_int_equal(
		guest_translate_noting(&space.paging, linear, ACCESS_EXEC, &gpa, &slot.walk), OK);
	slot.code = guest_byte(&memory, gpa);
	assert_non_null(slot.code);
	memcpy(slot.bytes, slot.code, sizeof(slot.bytes));
	key.generation = ept.generation;
	recent_keep(&slot, &key, &space.paging);
}

static bool holds(void)
{
	return recent_holds(&slot, &key, &space.paging);
}

#define FAILS_WHILE(change, back) \
	do { \
		change; \
		assert_false(holds()); \
		back; \
		assert_true(holds()); \
	} while (0)

static void an_instruction_is_the_same_only_if_nothing_has_changed(void **state)
{
	uint8_t nop = 0x90, zero = 0;
	uint64_t entry;

	/* The page gets its own frame now: later writes change neither that nor the generation. */
	assert_int_equal(guest_write(&memory, at(RAM + 0x10800), &zero, 1), OK);
	decode_at(LINEAR + 0x800);
	assert_true(holds());
	FAILS_WHILE(key.epoch++, key.epoch--);
	FAILS_WHILE(key.generation++, key.generation--);
	FAILS_WHILE(key.linear++, key.linear--);
	FAILS_WHILE(key.mode = INSN_32, key.mode = INSN_64);
	FAILS_WHILE(space.paging.cr0 ^= 1, space.paging.cr0 ^= 1);
	FAILS_WHILE(space.paging.cr3 ^= PAGE_SIZE, space.paging.cr3 ^= PAGE_SIZE);
	FAILS_WHILE(space.paging.cr4 ^= BIT(20), space.paging.cr4 ^= BIT(20));
	FAILS_WHILE(space.paging.efer ^= BIT(11), space.paging.efer ^= BIT(11));
	FAILS_WHILE(space.paging.cpl = 3, space.paging.cpl = 0);
	entry = get_page(0);
	FAILS_WHILE(set_page(0, 0), set_page(0, entry));
	for (unsigned i = 0; i < RECENT_BYTES; i++)
		FAILS_WHILE((void)!guest_write(&memory, at(RAM + 0x10800 + i), &nop, 1),
			    (void)!guest_write(&memory, at(RAM + 0x10800 + i), &zero, 1));
}

static void what_cannot_be_compared_is_not_kept(void **state)
{
	decode_at(LINEAR + PAGE_SIZE - RECENT_BYTES);
	assert_true(holds());
	decode_at(LINEAR + PAGE_SIZE - RECENT_BYTES + 1);
	assert_false(holds());
	/* Without paging there is no walk. */
	space.paging.cr0 = space.paging.efer = 0;
	decode_at(RAM);
	assert_false(holds());
}

/* Before a device is read for it. */
static void what_will_be_written_has_its_frame(void **state)
{
	struct operand operand;
	unsigned level;

	ept.max_owned = ept.n_owned;
	assert_int_equal(operand_find(&space, LINEAR + 0x2000, 8, ACCESS_READ, &operand), OK);
	assert_int_equal(operand_find(&space, LINEAR + 0x2000, 8, ACCESS_WRITE, &operand),
			 ERR_NOMEM);
	assert_int_equal(space.paging.fault.gpa.raw, RAM + 0x11000);
	ept.max_owned = EPT_UNLIMITED;
	assert_int_equal(operand_find(&space, LINEAR + 0x2000, 8, ACCESS_WRITE, &operand), OK);
	assert_true(ept_lookup(&ept, at(RAM + 0x11000), &level) & EPT_OWN);

	/* A write to ROM needs none, and is counted when it is made. */
	set_page(0, ROM | P | WU | A | D);
	ept.max_owned = ept.n_owned;
	assert_int_equal(operand_find(&space, LINEAR, 8, ACCESS_WRITE, &operand), OK);
	assert_true(operand.part[0].is_memory);
	assert_int_equal(dropped(), 0);
	ept.max_owned = EPT_UNLIMITED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_operand_may_lie_in_memory_and_in_a_device, setup_space),
		cmocka_unit_test_setup(what_will_be_written_has_its_frame, setup_space),
		cmocka_unit_test_setup(a_missing_second_page_faults, setup_space),
		cmocka_unit_test_setup(the_exit_tells_about_one_page_and_its_rights, setup_space),
		cmocka_unit_test_setup(what_the_exit_tells_ends_with_its_page, setup_space),
		cmocka_unit_test_setup(compatibility_mode_wraps_at_4_gib, setup_space),
		cmocka_unit_test_setup(an_instruction_is_the_same_only_if_nothing_has_changed,
				       setup_space),
		cmocka_unit_test_setup(what_cannot_be_compared_is_not_kept, setup_space),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
