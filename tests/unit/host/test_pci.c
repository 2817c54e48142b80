/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/pci.h"

#include "tests/unit/host/pci_machine.h"

static pci_place visited[32];
static unsigned n_visited;

void pci_write(pci_place place, unsigned offset, uint32_t value)
{
	fail_msg("finding functions changes none");
}

static void add_bridge(pci_place place, unsigned secondary)
{
	add_function(place, 1, 0x060400)->config[6] = secondary << 8;
}

static bool visit(pci_place place, void *context)
{
	const pci_place *last = context;

	assert_in_range(n_visited, 0, ARRAY_SIZE(visited) - 1);
	visited[n_visited++] = place;
	return place == *last;
}

/* Walk until 'last' is visited; the places visited must be 'wanted'. */
static void expect_walk(pci_place last, const pci_place *wanted, unsigned n)
{
	n_visited = 0;
	assert_int_equal(pci_find(visit, &last), n > 0 && wanted[n - 1] == last);
	assert_int_equal(n_visited, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(visited[i], wanted[i]);
}

static void functions_are_visited_until_one_is_wanted(void **state)
{
	static const pci_place all[] = {PLACE(0, 0, 0), PLACE(0, 22, 0), PLACE(0, 22, 3),
					PLACE(0, 31, 0)};

	n_functions = 0;
	add_function(PLACE(0, 0, 0), 0, 0x060000);
	add_function(PLACE(0, 22, 0), 0x80, 0x078000);
	add_function(PLACE(0, 22, 3), 0, 0x070002);
	add_function(PLACE(0, 31, 0), 0, 0x060100);
	expect_walk(0xffff, all, 4);
	expect_walk(PLACE(0, 22, 3), all, 3);
}

/* Function 0 tells whether there are more; devices answer for functions they do not have. */
static void only_devices_with_several_functions_have_them(void **state)
{
	n_functions = 0;
	add_function(PLACE(0, 3, 0), 0, 0x020000);
	add_function(PLACE(0, 3, 1), 0, 0x020000);
	add_function(PLACE(0, 4, 1), 0, 0x020000);
	expect_walk(0xffff, (const pci_place[]){PLACE(0, 3, 0)}, 1);
}

static void buses_behind_bridges_are_walked_once(void **state)
{
	static const pci_place all[] = {PLACE(0, 1, 0), PLACE(0, 2, 0), PLACE(2, 0, 0),
					PLACE(7, 31, 0)};

	n_functions = 0;
	add_bridge(PLACE(0, 1, 0), 2);
	add_bridge(PLACE(0, 2, 0), 2); /* a second one to the same bus */
	add_bridge(PLACE(2, 0, 0), 7);
	add_bridge(PLACE(7, 31, 0), 2);		   /* and one back */
	add_function(PLACE(5, 0, 0), 0, 0x070002); /* on a bus of another host bridge */
	expect_walk(0xffff, all, 4);
}

static void a_machine_without_pci_has_no_functions(void **state)
{
	n_functions = 0;
	expect_walk(0, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_visited_until_one_is_wanted),
		cmocka_unit_test(only_devices_with_several_functions_have_them),
		cmocka_unit_test(buses_behind_bridges_are_walked_once),
		cmocka_unit_test(a_machine_without_pci_has_no_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
