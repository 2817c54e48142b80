/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/identity.h"

#include <string.h>

#include "hv/host/random.h"
#include "tests/unit/support.h"

static void a_guid_is_kept_as_acpi_has_it(void **state)
{
	static const uint8_t want[16] = {0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd2, 0xf6, 0x4b,
					 0xbf, 0x41, 0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87};
	uint8_t guid[16];

	assert_true(identity_parse_guid("324e6eaf-d2d1-4bf6-bf41-b9bb6c91fb87", guid));
	assert_memory_equal(guid, want, 16);
	memset(guid, 0, 16);
	assert_true(identity_parse_guid("324E6EAF-D2D1-4BF6-BF41-B9BB6C91FB87", guid));
	assert_memory_equal(guid, want, 16);
}

static void what_is_no_guid_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "x",
					    "AUTO",
					    "324e6eafd2d14bf6bf41b9bb6c91fb87",
					    "324e6eaf-d2d1-4bf6-bf41-b9bb6c91fb8",
					    "324e6eaf-d2d1-4bf6-bf41-b9bb6c91fb877",
					    "324e6eaf-d2d1-4bf6-bf41-b9bb6c91fb8g",
					    "324e6eaf-d2d1-4bf6-bf41-b9bb6c91fb8-",
					    "324e6eaf0d2d1-4bf6-bf41-b9bb6c91fb87",
					    "{24e6eaf-d2d1-4bf6-bf41-b9bb6c91fb87"};
	uint8_t guid[16];

	memset(guid, 0x55, 16);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(identity_parse_guid(texts[i], guid));
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(guid[i], 0x55);
}

static void a_guid_that_is_made_has_its_version(void **state)
{
	uint8_t random[16], guid[16];

	for (unsigned byte = 0; byte < 256; byte++) {
		memset(random, (int)byte, 16);
		identity_make_guid(random, guid);
		assert_int_equal(guid[7] >> 4, 4);
		assert_int_equal(guid[8] >> 6, 2);
		assert_int_equal(guid[7] & 0xf, byte & 0xf);
		assert_int_equal(guid[8] & 0x3f, byte & 0x3f);
		assert_int_equal(guid[0], byte);
	}
}

static void addresses_are_local_and_differ(void **state)
{
	static const uint32_t vms[] = {0, 1, 255, 256, 65535, 65536, 0xffffff};
	uint8_t mac[ARRAY_SIZE(vms)][6], other[6];

	for (unsigned i = 0; i < ARRAY_SIZE(vms); i++) {
		identity_make_mac(0xabcd, vms[i], mac[i]);
		assert_int_equal(mac[i][0] & 3, 2);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(mac[i], mac[j], 6);
	}
	identity_make_mac(0xabce, 0, other);
	assert_memory_not_equal(mac[0], other, 6);
}

static void random_bytes_are_never_the_same(void **state)
{
	enum { N = 2000 };
	static uint64_t numbers[N];
	uint8_t bytes[11] = {0};

	for (unsigned i = 0; i < N; i++) {
		random_fill(&numbers[i], sizeof(numbers[i]));
		for (unsigned j = 0; j < i; j++)
			assert_true(numbers[i] != numbers[j]);
	}
	random_fill(bytes, 9); /* not more than requested */
	assert_int_equal(bytes[9] | bytes[10], 0);
	assert_int_equal(random_machine(), random_machine());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guid_is_kept_as_acpi_has_it),
		cmocka_unit_test(what_is_no_guid_is_refused),
		cmocka_unit_test(a_guid_that_is_made_has_its_version),
		cmocka_unit_test(addresses_are_local_and_differ),
		cmocka_unit_test(random_bytes_are_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
