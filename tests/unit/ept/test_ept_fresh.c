/* SPDX-License-Identifier: BSD-2-Clause */
/* Anonymous memory that was never touched. */
#include "hv/ept/ept.h"

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + PAGE_SIZE)
#define N_FRAMES 2000
#define RX	 (EPT_R | EPT_X | EPT_TYPE(6))

static struct ept ept;

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static uint64_t *words(phys_t phys)
{
	return phys_to_virt(phys);
}

static int setup(void **state)
{
	frame_reset();
	phys_arena(IMAGE, MIB(10));
	frame_add_range(FRAMES, (N_FRAMES + EPT_ZERO_LEVELS) * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 3, EPT_UNLIMITED), OK);
	return 0;
}

static int teardown(void **state)
{
	check_tree(&ept);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

static uint64_t entry_of(const struct ept *tree, uint64_t gpa)
{
	unsigned level;

	return ept_lookup(tree, at(gpa), &level);
}

static phys_t translate(uint64_t gpa)
{
	uint64_t entry = entry_of(&ept, gpa);

	return entry & EPT_ADDR;
}

static phys_t copy(struct ept *tree, uint64_t gpa)
{
	phys_t frame = 0;

	assert_int_equal(ept_copy(tree, at(gpa), &frame), OK);
	assert_int_equal(entry_of(tree, gpa) & (EPT_PRESENT | EPT_OWN), EPT_PRESENT | EPT_OWN);
	return frame;
}

/* Entries that are not present are never cached. */
static void a_first_write_to_fresh_memory_flushes_nothing(void **state)
{
	uint64_t generation;

	assert_int_equal(ept_map_zero(&ept, at(0), GIB(2)), OK);
	generation = ept.generation;
	for (uint64_t gpa = 0; gpa < GIB(2); gpa += MIB(128) + PAGE_SIZE)
		copy(&ept, gpa);
	assert_int_equal(ept.generation, generation);
	/* What can be read is cached. */
	assert_int_equal(ept_show_zeros(&ept, at(0x7000)), OK);
	assert_int_equal(ept.generation, generation);
	copy(&ept, 0x7000);
	assert_int_equal(ept.generation, generation + 1);
}

static unsigned count_own(uint64_t gpa, unsigned n_pages)
{
	unsigned n = 0;

	for (; n_pages > 0; n_pages--, gpa += PAGE_SIZE)
		n += (entry_of(&ept, gpa) & EPT_OWN) != 0;
	return n;
}

/* A first write to a page, as the exit handles it. Returns how many pages got a frame. */
static unsigned touch(uint64_t gpa, uint64_t start, uint64_t end)
{
	uint64_t n_owned = ept.n_owned - ept.log.n_chunks, generation = ept.generation;
	phys_t frame = copy(&ept, gpa);

	memset(words(frame), 0x55, PAGE_SIZE);
	n_owned = ept.n_owned - ept.log.n_chunks - n_owned;
	ept_fill_around(&ept, at(gpa), at(start), at(end));
	assert_int_equal(ept.generation, generation);
	return (unsigned)n_owned;
}

/* Fill 2 MiB in order. Returns how many pages were touched for that. */
static unsigned fill_in_order(uint64_t base, bool backwards)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t gpa = base + (backwards ? 511 - i : i) * PAGE_SIZE;

		if (entry_of(&ept, gpa) & EPT_OWN) {
			assert_int_equal(words(translate(gpa))[511], 0);
			memset(words(translate(gpa)), 0x55, PAGE_SIZE);
			continue;
		}
		n++;
		touch(gpa, 0, GIB(1));
	}
	return n;
}

static void memory_written_in_order_is_filled_in_advance(void **state)
{
	assert_int_equal(ept_map_zero(&ept, at(0), GIB(1)), OK);
	touch(MIB(2), 0, GIB(1));
	assert_int_equal(count_own(0, 2048), 1);
	touch(MIB(2) + 0x1000, 0, GIB(1)); /* one before: one more */
	assert_int_equal(count_own(MIB(2), 512), 3);
	touch(MIB(2) + 0x3000, 0, GIB(1)); /* three before: three more */
	assert_int_equal(count_own(MIB(2), 512), 7);
	assert_int_equal(count_own(0, 2048), 7);
	/* Pages by themselves stay so. */
	touch(MIB(2) + 0x80000, 0, GIB(1));
	touch(MIB(2) + 0x100000, 0, GIB(1));
	assert_int_equal(count_own(0, 2048), 9);
	assert_true(fill_in_order(MIB(4), false) < 40);
	assert_true(fill_in_order(MIB(6), true) < 40);
	assert_int_equal(count_own(MIB(4), 1024), 1024);
	assert_int_equal(count_own(MIB(8), 512), 0);
	check_tree(&ept);
}

static void nothing_is_filled_beyond_the_region_or_its_limits(void **state)
{
	assert_int_equal(ept_map_zero(&ept, at(0), MIB(2)), OK);
	assert_int_equal(ept_map(&ept, at(0x8000), IMAGE, PAGE_SIZE, RX), OK);
	for (uint64_t gpa = 0; gpa < 0x4000; gpa += 0x1000)
		copy(&ept, gpa);
	touch(0x4000, 0, 0x6000);
	assert_int_equal(count_own(0, 512), 6);
	touch(0x6000, 0x6000, 0x7000); /* the pages before are another region's */
	assert_int_equal(count_own(0, 512), 7);
	touch(0x7000, 0, MIB(2)); /* what is not fresh stays as it is */
	assert_int_equal(count_own(0, 512), 8);
	assert_int_equal(translate(0x8000), IMAGE);
	copy(&ept, 0x8000);
	ept.max_owned = 2 * ept.n_owned + 3;
	touch(0x9000, 0, MIB(2));
	assert_int_equal(count_own(0, 512), 10);
	ept.max_owned = EPT_UNLIMITED;
	touch(0xa000, 0, MIB(2));
	assert_int_equal(count_own(0, 512), 21);
	/* Not a page of an untouched table, nor of the layer below. */
	ept_fill_around(&ept, at(MIB(4)), at(0), at(GIB(1)));
	assert_int_equal(count_own(0, 512), 21);
}

static void nothing_is_filled_when_frames_are_scarce_or_gone(void **state)
{
	phys_t taken[N_FRAMES];
	unsigned n = 0;

	assert_int_equal(ept_map_zero(&ept, at(0), MIB(2)), OK);
	for (uint64_t gpa = 0; gpa < 0x4000; gpa += 0x1000)
		copy(&ept, gpa);
	while (!frame_is_scarce()) {
		taken[n] = frame_alloc();
		assert_int_not_equal(taken[n++], 0);
	}
	touch(0x4000, 0, MIB(2));
	assert_int_equal(count_own(0, 512), 5);
	while (n > 0)
		frame_free(taken[--n]);
	touch(0x5000, 0, MIB(2));
	assert_int_equal(count_own(0, 512), 11);
}

/* How many pages from gpa on can be read. */
static unsigned count_shown(uint64_t gpa, unsigned n_pages)
{
	unsigned n = 0;

	for (; n_pages > 0; n_pages--, gpa += PAGE_SIZE) {
		uint64_t entry = entry_of(&ept, gpa);

		assert_int_equal(words(entry & EPT_ADDR)[5], 0);
		if (!(entry & EPT_OWN))
			assert_int_equal(entry & EPT_W, 0);
		n += (entry & (EPT_R | EPT_X)) == (EPT_R | EPT_X);
	}
	return n;
}

static void reading_fresh_memory_takes_no_frame(void **state)
{
	uint64_t n_owned;

	assert_int_equal(ept_map_zero(&ept, at(0), GIB(1)), OK);
	copy(&ept, 0);
	n_owned = ept.n_owned;
	/* Nothing of these 2 MiB was written: all of them can be read. */
	assert_int_equal(count_shown(MIB(4), 512), 0);
	assert_int_equal(ept_show_zeros(&ept, at(MIB(4) + 0x5000)), OK);
	assert_int_equal(count_shown(MIB(4), 512), 512);
	assert_int_equal(count_shown(MIB(6), 512), 0);
	/* Of these something was: a few pages. */
	assert_int_equal(ept_show_zeros(&ept, at(0x5000)), OK);
	assert_int_equal(count_shown(0, EPT_SHOWN), EPT_SHOWN);
	assert_int_equal(count_shown(0, 512), EPT_SHOWN);
	assert_true(entry_of(&ept, 0) & EPT_OWN);
	assert_int_equal(ept.n_owned, n_owned);
	assert_int_equal(ept_show_zeros(&ept, at(BIT(48))), ERR_RANGE);
	ept.max_owned = ept.n_owned;
	assert_int_equal(ept_map_zero(&ept, at(GIB(1)), GIB(1)), OK);
	assert_int_equal(ept_show_zeros(&ept, at(GIB(1))), ERR_NOMEM);
	assert_int_equal(count_shown(GIB(1), 16), 0);
	ept.max_owned = EPT_UNLIMITED;
	/* A whole piece that was read is written. */
	copy(&ept, MIB(4) + PAGE_SIZE);
	assert_int_equal(count_shown(MIB(4), 512), 512);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_write_to_fresh_memory_flushes_nothing),
		TEST(reading_fresh_memory_takes_no_frame),
		TEST(memory_written_in_order_is_filled_in_advance),
		TEST(nothing_is_filled_beyond_the_region_or_its_limits),
		TEST(nothing_is_filled_when_frames_are_scarce_or_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
