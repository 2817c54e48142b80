/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/topology.h"

#include "tests/unit/support.h"

static struct cpu_topology make(unsigned sockets, unsigned dies, unsigned modules, unsigned cores,
				unsigned threads)
{
	return (struct cpu_topology){
		.n_cpus = (uint16_t)(sockets * dies * modules * cores * threads),
		.count = {(uint16_t)threads, (uint16_t)cores, (uint16_t)modules, (uint16_t)dies,
			  (uint16_t)sockets},
	};
}

static void powers_of_two_are_numbered_without_a_gap(void **state)
{
	struct cpu_topology t = make(2, 2, 2, 4, 2);

	for (unsigned i = 0; i < t.n_cpus; i++)
		assert_int_equal(topology_apic_id(&t, i), i);
}

static void each_level_begins_at_a_bit(void **state)
{
	struct cpu_topology t = make(3, 1, 1, 3, 2);
	static const uint32_t ids[] = {0,  1,  2,  3,  4,  5,  8,  9,  10,
				       11, 12, 13, 16, 17, 18, 19, 20, 21};

	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(topology_apic_id(&t, i), ids[i]);
	assert_int_equal(topology_shift(&t, TOPOLOGY_THREAD), 0);
	assert_int_equal(topology_shift(&t, TOPOLOGY_CORE), 1);
	assert_int_equal(topology_shift(&t, TOPOLOGY_MODULE), 3);
	assert_int_equal(topology_shift(&t, TOPOLOGY_SOCKET), 3);
	assert_int_equal(topology_size(&t, TOPOLOGY_SOCKET), 6);
}

static void ids_are_unique_and_can_be_taken_apart(void **state)
{
	for (unsigned n = 0; n < 3 * 3 * 3 * 3 * 3; n++) {
		struct cpu_topology t = make(1 + n % 3, 1 + n / 3 % 3, 1 + n / 9 % 3,
					     1 + n / 27 % 3, 1 + n / 81 % 3);

		for (unsigned i = 0; i < t.n_cpus; i++) {
			uint32_t id = topology_apic_id(&t, i);

			assert_true(i == 0 || id > topology_apic_id(&t, i - 1));
			for (unsigned level = 0; level < N_TOPOLOGY_LEVELS - 1; level++) {
				unsigned low = topology_shift(&t, level);
				unsigned bits = topology_shift(&t, level + 1) - low;

				assert_int_equal(id >> low & ((1u << bits) - 1),
						 topology_part(&t, i, level));
			}
			assert_int_equal(id >> topology_shift(&t, TOPOLOGY_SOCKET),
					 topology_part(&t, i, TOPOLOGY_SOCKET));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powers_of_two_are_numbered_without_a_gap),
		cmocka_unit_test(each_level_begins_at_a_bit),
		cmocka_unit_test(ids_are_unique_and_can_be_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
