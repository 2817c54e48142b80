/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/memory_slots.h"

#include <stdlib.h>

#include "tests/unit/support.h"

static struct memory_slots *slots;

static int setup(void **state)
{
	free(slots);
	slots = calloc(1, sizeof(*slots) + 2 * sizeof(struct memory_slot));
	slots->n = 2;
	slots->half[0] = (struct memory_slot *)&slots[1];
	return 0;
}

static uint64_t get(uint64_t off, unsigned size)
{
	return memory_slots_class.read(slots, &(struct io_access){.off = off, .size = size});
}

static uint32_t put(uint64_t off, unsigned size, uint64_t value)
{
	return memory_slots_class.write(
		slots, &(struct io_access){.off = off, .size = size, .value = value});
}

static void insert(unsigned slot, bool is_news)
{
	memory_slots_insert(
		slots, slot,
		&(struct memory_slot){.base = 0x123456789000, .len = 0x87654321000, .node = 3},
		is_news);
}

static void the_selected_slot_is_shown(void **state)
{
	insert(1, true);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), 0);
	put(MEMORY_SLOTS_SELECT, 4, 1);
	assert_int_equal(get(MEMORY_SLOTS_BASE, 4), 0x56789000);
	assert_int_equal(get(MEMORY_SLOTS_BASE + 4, 4), 0x1234);
	assert_int_equal(get(MEMORY_SLOTS_LEN, 4), 0x54321000);
	assert_int_equal(get(MEMORY_SLOTS_LEN + 4, 4), 0x876);
	assert_int_equal(get(MEMORY_SLOTS_NODE, 4), 3);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), SLOT_ENABLED | SLOT_INSERTED);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 4), SLOT_ENABLED | SLOT_INSERTED);
	assert_int_equal(get(MEMORY_SLOTS_N_PORTS - 1, 1), 0);
	assert_int_equal(put(MEMORY_SLOTS_FLAGS, 1, SLOT_INSERTED), 0);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), SLOT_ENABLED);
	insert(0, false);
	put(MEMORY_SLOTS_SELECT, 4, 0);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), SLOT_ENABLED);
}

/* A guest may select anything, and write anything. */
static void a_slot_that_does_not_exist_does_nothing(void **state)
{
	insert(0, true);
	for (uint64_t n = 2; n <= UINT32_MAX; n = n * 16 + 15) {
		put(MEMORY_SLOTS_SELECT, 4, n);
		for (unsigned off = 0; off < MEMORY_SLOTS_N_PORTS; off += 4)
			assert_int_equal(get(off, 4), 0);
		assert_int_equal(put(MEMORY_SLOTS_FLAGS, 1, 0xff), 0);
	}
	put(MEMORY_SLOTS_SELECT, 1, 0); /* too narrow */
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), 0);
	assert_int_equal(memory_slots_at(slots, 0)->flags, SLOT_ENABLED | SLOT_INSERTED);
}

static void a_dimm_is_given_up_once(void **state)
{
	insert(0, false);
	insert(1, false);
	memory_slots_ask(slots, 1);
	put(MEMORY_SLOTS_SELECT, 4, 1);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), SLOT_ENABLED | SLOT_REMOVES);
	assert_int_equal(memory_slots_next_ejected(slots), -1);
	assert_int_equal(put(MEMORY_SLOTS_FLAGS, 1, SLOT_REMOVES | SLOT_EJECT), WISH_EJECT);
	assert_int_equal(get(MEMORY_SLOTS_FLAGS, 1), 0);
	assert_true(slots->has_ejected);
	assert_int_equal(put(MEMORY_SLOTS_FLAGS, 1, SLOT_EJECT), 0);
	put(MEMORY_SLOTS_SELECT, 4, 0);
	assert_int_equal(put(MEMORY_SLOTS_FLAGS, 1, SLOT_EJECT), WISH_EJECT); /* not asked */
	assert_int_equal(memory_slots_next_ejected(slots), 0);
	memory_slots_clear(slots, 0);
	assert_true(slots->has_ejected);
	assert_int_equal(memory_slots_next_ejected(slots), 1);
	memory_slots_clear(slots, 1);
	assert_false(slots->has_ejected);
	assert_int_equal(memory_slots_at(slots, 1)->len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_selected_slot_is_shown, setup),
		cmocka_unit_test_setup(a_slot_that_does_not_exist_does_nothing, setup),
		cmocka_unit_test_setup(a_dimm_is_given_up_once, setup),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	free(slots);
	return result;
}
