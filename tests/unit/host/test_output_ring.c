/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/output_ring.h"

#include "tests/unit/support.h"

static struct output_ring ring;

static void put(unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		output_ring_put(&ring, (char)(first + i));
}

static void take(unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal((uint8_t)output_ring_take(&ring), (first + i) & 0xff);
}

static void bytes_come_out_in_order(void **state)
{
	ring = (struct output_ring){};
	assert_int_equal(output_ring_len(&ring), 0);
	for (unsigned i = 0; i < 3 * OUTPUT_RING_SIZE / 100; i++) {
		put(i, 100);
		assert_int_equal(output_ring_len(&ring), 100);
		take(i, 100);
	}
	put(7, OUTPUT_RING_SIZE);
	assert_int_equal(output_ring_len(&ring), OUTPUT_RING_SIZE);
	take(7, OUTPUT_RING_SIZE);
}

static void a_later_port_gets_everything_that_is_still_there(void **state)
{
	ring = (struct output_ring){};
	put(0, 10);
	take(0, 8);
	output_ring_rewind(&ring);
	assert_int_equal(output_ring_len(&ring), 10);
	take(0, 10);
	put(10, OUTPUT_RING_SIZE - 3);
	take(10, OUTPUT_RING_SIZE - 3);
	output_ring_rewind(&ring);
	assert_int_equal(output_ring_len(&ring), OUTPUT_RING_SIZE);
	take(7, OUTPUT_RING_SIZE);
}

static void put_into_full(void)
{
	ring = (struct output_ring){};
	put(0, OUTPUT_RING_SIZE + 1);
}

static void take_from_empty(void)
{
	ring = (struct output_ring){};
	take(0, 1);
}

static void misuse_is_refused(void **state)
{
	assert_true(aborts(put_into_full));
	assert_true(aborts(take_from_empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_in_order),
		cmocka_unit_test(a_later_port_gets_everything_that_is_still_there),
		cmocka_unit_test(misuse_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
