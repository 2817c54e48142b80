/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/lib/siphash.h"

#include "tests/unit/support.h"

/* The key and the messages of the authors' test vectors: bytes 0, 1, 2, ... */
static const struct siphash_key key = {
	{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static void the_authors_vectors_hold(void **state)
{
	uint64_t words[7];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = UINT64_C(0x0706050403020100) + i * UINT64_C(0x0808080808080808);
	assert_int_equal(siphash(&key, words, 0), UINT64_C(0x726fdb47dd0e0e31));
	assert_int_equal(siphash(&key, words, 1), UINT64_C(0x93f5f5799a932462));
	assert_int_equal(siphash(&key, words, 7), UINT64_C(0xb78dbfaf3a8d83bd));
}

static void the_key_matters(void **state)
{
	struct siphash_key other = key;
	uint64_t word = 0;

	other.word[1] ^= 1;
	assert_int_not_equal(siphash(&key, &word, 1), siphash(&other, &word, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authors_vectors_hold),
		cmocka_unit_test(the_key_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
