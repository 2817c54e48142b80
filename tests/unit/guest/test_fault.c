/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/fault.h"

#include "hv/ept/ept.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

enum { NONE = -1 };

/* The expected result, by a second formulation of the rules. */
static enum fault_action expected(int kind, uint64_t entry, unsigned access)
{
	bool mapped = entry != 0;
	bool missing = access & ~(unsigned)entry & 7;

	if (kind == NONE)
		return FAULT_MMIO;
	if (!missing)
		return FAULT_RETRY;
	if (access & ACCESS_WRITE && kind == MEM_ROM)
		return FAULT_DROP;
	if (access & ACCESS_WRITE && kind == MEM_COW && mapped)
		return FAULT_COPY;
	if (!(access & ACCESS_WRITE) && entry & EPT_FRESH)
		return FAULT_ZEROS;
	return FAULT_MAP;
}

static void every_decision(void **state)
{
	for (int kind = NONE; kind <= MEM_SHARED; kind++)
		for (unsigned bits = 0; bits < 9; bits++)
			for (unsigned access = 1; access < 8; access++) {
				struct mem_region region = {.kind = (enum mem_kind)kind};
				uint64_t permissions = bits < 8 ? bits : EPT_FRESH;
				uint64_t entry = bits ? 0x5000 | EPT_TYPE(6) | permissions : 0;

				assert_int_equal(
					fault_decide(kind == NONE ? NULL : &region, entry, access),
					expected(kind, entry, access));
			}
}

static void the_decisions_that_matter(void **state)
{
	const uint64_t leaf = EPT_R | EPT_X | EPT_TYPE(6);
	const struct {
		enum mem_kind kind;
		uint64_t entry;
		unsigned access;
		enum fault_action want;
	} t[] = {
		{MEM_COW, 0, ACCESS_READ, FAULT_MAP},
		{MEM_COW, 0, ACCESS_WRITE, FAULT_MAP},
		{MEM_COW, leaf, ACCESS_WRITE, FAULT_COPY},
		{MEM_COW, leaf, ACCESS_READ | ACCESS_WRITE, FAULT_COPY},
		{MEM_COW, leaf | EPT_W, ACCESS_WRITE, FAULT_RETRY},
		{MEM_ROM, leaf, ACCESS_WRITE, FAULT_DROP},
		{MEM_ROM, leaf, ACCESS_READ | ACCESS_WRITE, FAULT_DROP},
		{MEM_ROM, leaf, ACCESS_EXEC, FAULT_RETRY},
		{MEM_ROM, 0, ACCESS_EXEC, FAULT_MAP},
		{MEM_SHARED, leaf, ACCESS_WRITE, FAULT_MAP}, /* sealed by a freeze */
		{MEM_SHARED, 0, ACCESS_WRITE, FAULT_MAP},
		{MEM_COW, EPT_FRESH, ACCESS_READ, FAULT_ZEROS},
		{MEM_COW, EPT_FRESH, ACCESS_EXEC, FAULT_ZEROS},
		{MEM_COW, EPT_FRESH, ACCESS_READ | ACCESS_WRITE, FAULT_COPY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct mem_region region = {.kind = t[i].kind};

		assert_int_equal(fault_decide(&region, t[i].entry, t[i].access), t[i].want);
	}
}

static void only_shared_memory_is_writable_from_the_start(void **state)
{
	assert_int_equal(region_attr(MEM_ROM), EPT_R | EPT_X | EPT_TYPE(6));
	assert_int_equal(region_attr(MEM_COW), EPT_R | EPT_X | EPT_TYPE(6));
	assert_int_equal(region_attr(MEM_SHARED), EPT_R | EPT_W | EPT_X | EPT_TYPE(6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_decision),
		cmocka_unit_test(the_decisions_that_matter),
		cmocka_unit_test(only_shared_memory_is_writable_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
