/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/insn_linear.h"

#include "tests/unit/support.h"

enum { DATA = 0x93, READ_ONLY = 0x91, DOWN = 0x97, CODE = 0x9b, CODE_UNREADABLE = 0x99 };
enum { BIG = 0x4000, UNUSABLE = 0x10000 };

static enum insn_check check_in(enum insn_mode mode, const struct insn_access *access,
				const struct insn_segment_state *segment, uint64_t *ret)
{
	return insn_linear(access, segment, mode, false, ret);
}

static void limits_and_rights_outside_64_bit_mode(void **state)
{
	static const struct {
		uint32_t rights, limit;
		uint64_t offset;
		uint8_t size;
		bool writes, allowed;
	} cases[] = {
		{DATA, 0xffff, 0xfffc, 4, true, true},
		{DATA, 0xffff, 0xfffd, 4, true, false},
		{DATA, 0xffffffff, 0xfffffffc, 4, true, true},
		{DATA, 0xffffffff, 0xfffffffd, 4, true, false},
		{DATA, 0, 0, 1, true, true},
		{DATA, 0, 0, 2, true, false},
		{READ_ONLY, 0xffff, 0, 1, false, true},
		{READ_ONLY, 0xffff, 0, 1, true, false},
		{CODE, 0xffff, 0, 1, false, true},
		{CODE, 0xffff, 0, 1, true, false},
		{CODE_UNREADABLE, 0xffff, 0, 1, false, false},
		{DOWN, 0xfff, 0x1000, 4, true, true},
		{DOWN, 0xfff, 0xfff, 4, true, false},
		{DOWN, 0xfff, 0xfffd, 4, true, false},
		{DOWN | BIG, 0xfff, 0xfffd, 4, true, true},
		{DOWN | BIG, 0xfff, 0xfffffffd, 4, true, false},
		{DATA | UNUSABLE, 0xffff, 0, 1, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insn_segment_state segment = {0x12340, cases[i].limit, cases[i].rights};
		struct insn_access access = {.segment = INSN_ES,
					     .offset = cases[i].offset,
					     .size = cases[i].size,
					     .writes = cases[i].writes};
		uint64_t linear;

		for (unsigned mode = INSN_16; mode <= INSN_32; mode++) {
			access.segment = INSN_ES;
			if (check_in(mode, &access, &segment, &linear) !=
			    (cases[i].allowed ? INSN_ALLOWED : INSN_RAISES_GP))
				fail_msg("case %zu, mode %u", i, mode);
			if (cases[i].allowed)
				assert_int_equal(linear, (uint32_t)(0x12340 + cases[i].offset));
			access.segment = INSN_SS;
			assert_int_equal(check_in(mode, &access, &segment, &linear),
					 cases[i].allowed ? INSN_ALLOWED : INSN_RAISES_SS);
		}
	}
}

static void canonical_addresses_in_64_bit_mode(void **state)
{
	static const struct {
		uint64_t offset;
		uint8_t size;
		bool allowed[2]; /* with 48 bits, 57 */
	} cases[] = {
		{0, 8, {true, true}},
		{0x7ffffffffff8, 8, {true, true}},
		{0x7ffffffffff9, 8, {false, true}},
		{0x800000000000, 1, {false, true}},
		{0xffff7fffffffffff, 1, {false, true}},
		{0xffff800000000000, 8, {true, true}},
		{0x00fffffffffffff9, 8, {false, false}},
		{0xfffffffffffffff8, 8, {true, true}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* Of DS and SS, 64-bit mode uses neither base, nor limit, nor rights. */
		struct insn_segment_state segment = {.base = 1, .rights = UNUSABLE};
		struct insn_access access = {
			.segment = INSN_DS, .offset = cases[i].offset, .size = cases[i].size};
		uint64_t linear;

		for (unsigned la57 = 0; la57 < 2; la57++) {
			bool allowed = cases[i].allowed[la57];

			access.segment = INSN_DS;
			assert_int_equal(insn_linear(&access, &segment, INSN_64, la57, &linear),
					 allowed ? INSN_ALLOWED : INSN_RAISES_GP);
			assert_int_equal(linear, cases[i].offset);
			access.segment = INSN_SS;
			assert_int_equal(insn_linear(&access, &segment, INSN_64, la57, &linear),
					 allowed ? INSN_ALLOWED : INSN_RAISES_SS);
		}
	}
}

static void only_fs_and_gs_have_a_base_in_64_bit_mode(void **state)
{
	struct insn_segment_state segment = {.base = 0xffff800000000000};
	struct insn_access access = {.offset = 0x10, .size = 8};
	uint64_t linear;

	for (access.segment = INSN_ES; access.segment <= INSN_GS; access.segment++) {
		assert_int_equal(check_in(INSN_64, &access, &segment, &linear), INSN_ALLOWED);
		assert_int_equal(linear, access.segment >= INSN_FS ? 0xffff800000000010 : 0x10);
	}
	segment.base = 0x7ffffffffff0;
	access.segment = INSN_FS;
	assert_int_equal(check_in(INSN_64, &access, &segment, &linear), INSN_RAISES_GP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_and_rights_outside_64_bit_mode),
		cmocka_unit_test(canonical_addresses_in_64_bit_mode),
		cmocka_unit_test(only_fs_and_gs_have_a_base_in_64_bit_mode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
