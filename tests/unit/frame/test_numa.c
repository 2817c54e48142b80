/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/frame/numa_parse.h"
#include "hv/frame/numa_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

enum { SIZE = 1 << 16, HEADER = 48, SLIT_HEADER = 44 };

static uint8_t srat[SIZE], slit[SIZE];
static unsigned srat_len, slit_len;
static struct numa machine;

static int setup(void **state)
{
	memset(srat, 0, SIZE);
	memset(slit, 0, SIZE);
	memcpy(srat, "SRAT", 4);
	srat[8] = 3;
	srat_len = HEADER;
	slit_len = 0;
	log_reset();
	return 0;
}

/*
 * The tables are passed as copies of exact size, so that the sanitizer detects
 * reads beyond their ends.
 */
static enum status parse(void)
{
	void *a = malloc(srat_len), *b = slit_len > 0 ? malloc(slit_len) : NULL;
	struct numa_tables tables = {a, b, srat_len, slit_len};
	enum status status;

	memcpy(a, srat, srat_len);
	if (b != NULL)
		memcpy(b, slit, slit_len);
	memset(&machine, 0xee, sizeof(machine));
	status = numa_parse(&tables, &machine);
	free(a);
	free(b);
	return status;
}

static uint8_t *put_entry(unsigned type, unsigned len)
{
	uint8_t *entry = srat + srat_len;

	entry[0] = (uint8_t)type;
	entry[1] = (uint8_t)len;
	srat_len += len;
	assert_true(srat_len <= SIZE);
	return entry;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	memcpy(at, &value, size);
}

static void put_cpu(uint8_t apic_id, uint32_t domain, uint32_t flags)
{
	uint8_t *entry = put_entry(0, 16);

	entry[2] = (uint8_t)domain;
	entry[3] = apic_id;
	put(entry + 4, flags, 4);
	put(entry + 9, domain >> 8, 3);
}

static void put_x2apic(uint32_t apic_id, uint32_t domain, uint32_t flags)
{
	uint8_t *entry = put_entry(2, 24);

	put(entry + 4, domain, 4);
	put(entry + 8, apic_id, 4);
	put(entry + 12, flags, 4);
}

static void put_memory(uint64_t start, uint64_t len, uint32_t domain, uint32_t flags)
{
	uint8_t *entry = put_entry(1, 40);

	put(entry + 2, domain, 4);
	put(entry + 8, start, 8);
	put(entry + 16, len, 8);
	put(entry + 28, flags, 4);
}

static void put_slit(unsigned n, const uint8_t *matrix)
{
	memcpy(slit, "SLIT", 4);
	put(slit + 36, n, 8);
	memcpy(slit + SLIT_HEADER, matrix, (size_t)n * n);
	slit_len = SLIT_HEADER + n * n;
}

/* What QEMU writes for two nodes of a GiB each, without the padding. */
static void put_two_nodes(void)
{
	put_cpu(0, 0, 1);
	put_cpu(1, 1, 1);
	put_memory(0, 0xa0000, 0, 1);
	put_memory(MIB(1), GIB(1) - MIB(1), 0, 1);
	put_memory(GIB(1), GIB(1), 1, 1);
	put_memory(0, 0, 0, 0);
}

static void assert_one_node(void)
{
	assert_int_equal(machine.n_nodes, 1);
	assert_int_equal(machine.n_cpus, 0);
	assert_int_equal(machine.distance[0][0], NUMA_LOCAL);
	assert_int_equal(numa_node_of(&machine, 0), 0);
	assert_int_equal(numa_node_of(&machine, UINT64_MAX), 0);
	assert_int_equal(numa_span_end(&machine, 0), UINT64_MAX);
	assert_int_equal(numa_node_of_cpu(&machine, 7), 0);
	assert_int_equal(machine.with_memory[0], 0);
}

static void a_machine_without_tables_is_one_node(void **state)
{
	static const struct numa_tables none;

	assert_int_equal(numa_parse(&none, &machine), ERR_NOTFOUND);
	assert_one_node();
	assert_string_equal(logged, "");
}

static void two_nodes_are_read(void **state)
{
	put_two_nodes();
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.n_nodes, 2);
	assert_int_equal(machine.n_spans, 2);
	assert_int_equal(machine.n_cpus, 2);
	assert_int_equal(numa_node_of_cpu(&machine, 0), 0);
	assert_int_equal(numa_node_of_cpu(&machine, 1), 1);
	assert_int_equal(numa_node_of_cpu(&machine, 2), 0);
	assert_int_equal(machine.distance[0][0], NUMA_LOCAL);
	assert_int_equal(machine.distance[0][1], NUMA_REMOTE);
	assert_int_equal(machine.distance[1][0], NUMA_REMOTE);
	assert_string_equal(logged, "");
}

static void every_address_belongs_to_a_node(void **state)
{
	static const struct {
		uint64_t address;
		unsigned node;
		uint64_t end;
	} cases[] = {
		{0, 1, GIB(2)},		 {MIB(16) - 1, 1, GIB(2)},    {MIB(16), 1, GIB(2)},
		{GIB(2) - 1, 1, GIB(2)}, /* the hole belongs to the node of the memory below */
		{GIB(2), 0, GIB(4)},	 {GIB(4) - 1, 0, GIB(4)},     {GIB(4), 1, GIB(5)},
		{GIB(5), 2, UINT64_MAX}, {UINT64_MAX, 2, UINT64_MAX},
	};

	put_cpu(0, 0, 1);
	put_memory(GIB(4), GIB(1), 7, 1);
	put_memory(GIB(2), GIB(1), 0, 1);
	put_memory(MIB(16), GIB(1), 7, 1);
	put_memory(GIB(5), GIB(1), 9, 1);
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.n_nodes, 3);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(numa_node_of(&machine, cases[i].address), cases[i].node);
		assert_int_equal(numa_span_end(&machine, cases[i].address), cases[i].end);
	}
}

static void nodes_are_numbered_as_linux_numbers_them(void **state)
{
	uint8_t *initiator;

	/* Memory comes after processors, in any order of entries. Disabled entries name nothing. */
	put_memory(GIB(1), GIB(1), 50, 1);
	put_cpu(0, 40, 0);
	put_cpu(1, 30, 1);
	initiator = put_entry(5, 32);
	put(initiator + 4, 20, 4);
	put(initiator + 24, 1, 4);
	put_entry(5, 32)[4] = 21;
	put_x2apic(0x12345, 0x10203, 1);
	put_x2apic(3, 41, 0);
	put_memory(0, GIB(1), 30, 1);
	put_memory(GIB(9), GIB(1), 42, 0);
	put_entry(3, 20); /* of another architecture */
	put_entry(200, 2);
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.n_nodes, 4);
	assert_int_equal(machine.domain[0], 30);
	assert_int_equal(machine.domain[1], 20);
	assert_int_equal(machine.domain[2], 0x10203);
	assert_int_equal(machine.domain[3], 50);
	assert_int_equal(numa_node_of_cpu(&machine, 0), 0);
	assert_int_equal(numa_node_of_cpu(&machine, 0x12345), 2);
	assert_int_equal(numa_node_of(&machine, GIB(1)), 3);
}

static void domains_have_eight_bits_before_revision_2(void **state)
{
	put_cpu(0, 0x10203, 1);
	put_memory(0, GIB(1), 0x99000004, 1);
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.domain[0], 0x10203);
	assert_int_equal(machine.domain[1], 0x99000004);
	srat[8] = 1;
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.domain[0], 3);
	assert_int_equal(machine.domain[1], 4);
}

static void a_table_without_memory_says_nothing(void **state)
{
	put_cpu(0, 0, 1);
	put_cpu(1, 1, 1);
	put_memory(0, 0, 1, 1);
	assert_int_equal(parse(), ERR_NOTFOUND);
	assert_one_node();
}

static void ranges_of_one_node_may_overlap_those_of_two_may_not(void **state)
{
	static const struct {
		uint64_t start, len;
		uint32_t domain;
		enum status status;
	} cases[] = {
		{MIB(2), MIB(2), 0, OK},
		{MIB(2), MIB(2), 1, ERR_CORRUPT},
		{MIB(1), MIB(1), 1, OK},
		{MIB(1), MIB(1) + 1, 1, ERR_CORRUPT},
		{MIB(6) - 1, MIB(1), 1, ERR_CORRUPT},
		{MIB(6), MIB(1), 1, OK},
		{0, UINT64_MAX, 1, ERR_CORRUPT},
		{MIB(8), UINT64_MAX, 0, ERR_CORRUPT}, /* wraps */
		{MIB(8), UINT64_MAX - MIB(8), 0, OK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		put_memory(MIB(2), MIB(4), 0, 1);
		put_memory(cases[i].start, cases[i].len, cases[i].domain, 1);
		assert_int_equal(parse(), cases[i].status);
		if (cases[i].status != OK)
			assert_one_node();
	}
}

static void damaged_entries_are_refused(void **state)
{
	static const struct {
		uint8_t type, len;
	} cases[] = {{0, 0},  {0, 1},  {0, 2},	{0, 15}, {1, 2},  {1, 31},
		     {2, 15}, {5, 27}, {77, 0}, {77, 1}, {0, 255}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		put_two_nodes();
		put_entry(cases[i].type, cases[i].len)[0] = cases[i].type;
		if (cases[i].len == 255)
			srat_len--;
		srat_len += cases[i].len < 2;
		assert_int_equal(parse(), ERR_CORRUPT);
		assert_one_node();
		assert_string_equal(logged, "warning: ACPI table SRAT is damaged: all memory "
					    "counts as one node\n");
	}
}

static void a_table_cut_anywhere_is_read_no_further(void **state)
{
	unsigned whole;

	put_two_nodes();
	whole = srat_len;
	for (srat_len = 1; srat_len < whole; srat_len++) {
		enum status status = parse();

		assert_true(status == OK || status == ERR_CORRUPT || status == ERR_NOTFOUND);
		if (status != OK)
			assert_one_node();
	}
}

static void any_byte_may_be_anything(void **state)
{
	static const uint8_t matrix[] = {10, 20, 20, 10};
	uint8_t *tables[] = {srat, slit};

	put_two_nodes();
	put_slit(2, matrix);
	for (unsigned t = 0; t < 2; t++) {
		for (unsigned i = 0; i < (t == 0 ? srat_len : slit_len); i++) {
			uint8_t byte = tables[t][i];

			for (unsigned value = 0; value < 256; value++) {
				tables[t][i] = (uint8_t)value;
				(void)parse();
				log_reset();
				assert_in_range(machine.n_nodes, 1, NUMA_NODE_MAX);
				assert_true(numa_node_of(&machine, GIB(1)) < machine.n_nodes);
			}
			tables[t][i] = byte;
		}
	}
}

static void as_many_as_fit_and_not_one_more(void **state)
{
	for (unsigned extra = 0; extra < 2; extra++) {
		setup(NULL);
		for (unsigned i = 0; i < NUMA_NODE_MAX + extra; i++)
			put_memory(i * GIB(1), GIB(1), 1000 + i, 1);
		assert_int_equal(parse(), extra ? ERR_RANGE : OK);
		if (extra == 0) {
			assert_int_equal(machine.n_nodes, NUMA_NODE_MAX);
			assert_int_equal(numa_node_of(&machine, GIB(127)), 127);
		}
		setup(NULL);
		for (unsigned i = 0; i < NUMA_SPAN_MAX + extra; i++)
			put_memory(i * GIB(1), GIB(1), i % 2, 1);
		assert_int_equal(parse(), extra ? ERR_RANGE : OK);
		setup(NULL);
		put_memory(0, GIB(1), 0, 1);
		for (unsigned i = 0; i < NUMA_CPU_MAX + extra; i++)
			put_x2apic(i, 0, 1);
		assert_int_equal(parse(), extra ? ERR_RANGE : OK);
	}
	assert_one_node();
	assert_non_null(strstr(logged, "names more than there is room for"));
}

static void distances_are_those_of_the_domains(void **state)
{
	static const uint8_t matrix[] = {10, 21, 31, 41, 12, 10, 32, 42,
					 13, 23, 10, 43, 14, 24, 34, 10};

	put_cpu(0, 3, 1);
	put_memory(0, GIB(1), 3, 1);
	put_memory(GIB(1), GIB(1), 1, 1);
	put_memory(GIB(2), GIB(1), 9, 1); /* a domain that the matrix does not have */
	put_slit(4, matrix);
	assert_int_equal(parse(), OK);
	assert_int_equal(machine.distance[0][0], 10);
	assert_int_equal(machine.distance[0][1], 24);
	assert_int_equal(machine.distance[1][0], 42);
	assert_int_equal(machine.distance[0][2], NUMA_REMOTE);
	assert_int_equal(machine.distance[2][0], NUMA_REMOTE);
}

static void an_unsound_matrix_is_reported_and_ignored(void **state)
{
	static const struct {
		uint64_t n;
		uint8_t matrix[4];
		int extra; /* bytes of the table */
	} cases[] = {
		{2, {10, 20, 20, 11}, 0},
		{2, {10, 10, 20, 10}, 0},
		{2, {0, 20, 20, 10}, 0},
		{2, {10, 20, 9, 10}, 0},
		{2, {10, 20, 20, 10}, -1},
		{0, {0}, 0},
		{3, {10, 20, 20, 10}, 0},
		{UINT64_MAX, {10}, 0},
		{BIT(32), {10}, 0},
		{BIT(63), {10}, 0},
		{2, {10, 20, 20, 10}, -4 - 44 + 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		put_two_nodes();
		put_slit(2, cases[i].matrix);
		put(slit + 36, cases[i].n, 8);
		slit_len += (unsigned)cases[i].extra;
		assert_int_equal(parse(), OK);
		assert_int_equal(machine.n_nodes, 2);
		assert_int_equal(machine.distance[0][1], NUMA_REMOTE);
		assert_int_equal(machine.distance[1][1], NUMA_LOCAL);
		assert_non_null(strstr(logged, "SLIT contradicts itself"));
	}
}

static void memory_is_counted_where_it_lies(void **state)
{
	put_two_nodes();
	assert_int_equal(parse(), OK);
	numa_add_memory(&machine, 0, 0);
	assert_int_equal(machine.with_memory[0], 0);
	numa_add_memory(&machine, MIB(512), GIB(1));
	assert_int_equal(machine.memory[0], MIB(512));
	assert_int_equal(machine.memory[1], MIB(512));
	assert_int_equal(machine.with_memory[0], 3);
	numa_add_memory(&machine, GIB(9), MIB(1));
	assert_int_equal(machine.memory[1], MIB(513));
}

static void the_order_of_nodes_is_by_distance_then_round_about(void **state)
{
	static const uint8_t matrix[] = {10, 30, 20, 20, 30, 10, 20, 40,
					 20, 20, 10, 20, 20, 40, 20, 10};
	static const uint8_t expected[4][4] = {
		{0, 2, 3, 1}, {1, 2, 0, 3}, {2, 3, 0, 1}, {3, 0, 2, 1}};
	uint8_t order[NUMA_NODE_MAX];

	for (unsigned i = 0; i < 4; i++)
		put_memory(i * GIB(1), GIB(1), i, 1);
	put_slit(4, matrix);
	assert_int_equal(parse(), OK);
	assert_int_equal(numa_order(&machine, 0, order), 0);
	for (unsigned i = 0; i < 4; i++)
		numa_add_memory(&machine, i * GIB(1), MIB(1));
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(numa_order(&machine, i, order), 4);
		assert_memory_equal(order, expected[i], 4);
	}
	machine.with_memory[0] = 0b1010;
	assert_int_equal(numa_order(&machine, 0, order), 2);
	assert_int_equal(order[0], 3);
	assert_int_equal(order[1], 1);
}

static void a_set_with_one_node_that_has_memory_passes(void **state)
{
	uint64_t set[NUMA_NODE_WORDS] = {0};

	/* Without tables: one node, which has memory. */
	assert_false(numa_nodes_exist(set));
	set[0] = 2;
	assert_false(numa_nodes_exist(set));
	set[0] = 3;
	assert_true(numa_nodes_exist(set));
	put_two_nodes();
	(void)parse();
	numa = machine;
	assert_false(numa_nodes_exist(set));
	numa_add_memory(&numa, GIB(1), 1);
	assert_true(numa_nodes_exist(set));
	set[0] = 0;
	set[1] = UINT64_MAX;
	assert_false(numa_nodes_exist(set));
	numa_set_add(numa.with_memory, 127);
	assert_true(numa_set_has(numa.with_memory, 127));
	assert_true(numa_nodes_exist(set));
}

static void a_node_is_described_in_one_line(void **state)
{
	static const uint32_t apic_ids[] = {0, 4, 1, 5, 8, 9};
	static const char whole[] = "node 1: 512 MiB, processors 1,3-5, distances 20 10";
	char buf[100];

	put_memory(0, GIB(1), 0, 1);
	put_memory(GIB(1), GIB(1), 1, 1);
	put_cpu(0, 0, 1);
	put_cpu(1, 0, 1);
	put_cpu(4, 1, 1);
	put_cpu(5, 1, 1);
	put_cpu(8, 1, 1);
	put_cpu(9, 1, 1);
	assert_int_equal(parse(), OK);
	numa_add_memory(&machine, GIB(1), MIB(513) - 1);
	assert_int_equal(
		numa_describe(&machine, 1, (struct numa_cpus){apic_ids, 6}, buf, sizeof(buf)),
		strlen(whole));
	assert_string_equal(buf, whole);
	numa_describe(&machine, 0, (struct numa_cpus){apic_ids, 6}, buf, sizeof(buf));
	assert_string_equal(buf, "node 0: 0 MiB, processors 0,2, distances 10 20");
	numa_describe(&machine, 1, (struct numa_cpus){apic_ids, 1}, buf, sizeof(buf));
	assert_string_equal(buf, "node 1: 512 MiB, processors none, distances 20 10");
	for (size_t size = 1; size <= sizeof(whole); size++) {
		char *tight = malloc(size);

		assert_int_equal(
			numa_describe(&machine, 1, (struct numa_cpus){apic_ids, 6}, tight, size),
			strlen(whole));
		assert_memory_equal(tight, whole, size - 1);
		assert_int_equal(tight[size - 1], 0);
		free(tight);
	}
}

static void a_processor_without_memory_of_its_own_takes_the_nearest(void **state)
{
	static const uint8_t matrix[] = {10, 30, 20, 30, 10, 30, 20, 30, 10};

	put_cpu(0, 0, 1);
	put_cpu(1, 1, 1);
	put_memory(0, GIB(1), 1, 1);
	put_memory(GIB(1), GIB(1), 2, 1);
	put_slit(3, matrix);
	assert_int_equal(parse(), OK);
	assert_int_equal(numa_home_of_cpu(&machine, 0), 0);
	numa_add_memory(&machine, 0, GIB(2));
	assert_int_equal(numa_home_of_cpu(&machine, 0), 2);
	assert_int_equal(numa_home_of_cpu(&machine, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_machine_without_tables_is_one_node, setup),
		cmocka_unit_test_setup(two_nodes_are_read, setup),
		cmocka_unit_test_setup(every_address_belongs_to_a_node, setup),
		cmocka_unit_test_setup(nodes_are_numbered_as_linux_numbers_them, setup),
		cmocka_unit_test_setup(domains_have_eight_bits_before_revision_2, setup),
		cmocka_unit_test_setup(a_table_without_memory_says_nothing, setup),
		cmocka_unit_test_setup(ranges_of_one_node_may_overlap_those_of_two_may_not, setup),
		cmocka_unit_test_setup(damaged_entries_are_refused, setup),
		cmocka_unit_test_setup(a_table_cut_anywhere_is_read_no_further, setup),
		cmocka_unit_test_setup(any_byte_may_be_anything, setup),
		cmocka_unit_test_setup(as_many_as_fit_and_not_one_more, setup),
		cmocka_unit_test_setup(distances_are_those_of_the_domains, setup),
		cmocka_unit_test_setup(an_unsound_matrix_is_reported_and_ignored, setup),
		cmocka_unit_test_setup(memory_is_counted_where_it_lies, setup),
		cmocka_unit_test_setup(the_order_of_nodes_is_by_distance_then_round_about, setup),
		cmocka_unit_test_setup(a_node_is_described_in_one_line, setup),
		cmocka_unit_test_setup(a_processor_without_memory_of_its_own_takes_the_nearest,
				       setup),
		cmocka_unit_test_setup(a_set_with_one_node_that_has_memory_passes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
