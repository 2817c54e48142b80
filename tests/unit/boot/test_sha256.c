/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

/* From a copy on the heap, so that a read beyond the end is seen. */
static void assert_sha256(const char *data, uint64_t len, const char *wanted)
{
	uint8_t hash[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1], *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	sha256(copy, len, hash);
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(text, wanted);
	free(copy);
}

/* NIST, "Secure Hash Standard Validation System", and the examples of FIPS 180. */
static void published_vectors(void **state)
{
	static const char long_text[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
					"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

	assert_sha256("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_sha256("\xd3", 1,
		      "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
	assert_sha256("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_sha256(long_text, 112,
		      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void a_million_bytes(void **state)
{
	char *text = malloc(1000000);

	memset(text, 'a', 1000000);
	assert_sha256(text, 1000000,
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

/*
 * Each length around the edges of blocks and of the padding. The sum is of the 200 hashes of the
 * first 0 to 199 bytes of 0, 1, 2, ..., one after the other, made with Python's hashlib.
 */
static void every_length(void **state)
{
	uint8_t hashes[200][SHA256_SIZE];
	char data[200];

	for (unsigned i = 0; i < 200; i++)
		data[i] = (char)i;
	for (unsigned len = 0; len < 200; len++)
		sha256(data, len, hashes[len]);
	assert_sha256((char *)hashes, sizeof(hashes),
		      "ba7b0fcea7d10c06b855b43d2b4dce1e3e842fff6be0acefb0faf4f2dd05bb47");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(a_million_bytes),
		cmocka_unit_test(every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
