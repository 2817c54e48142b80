/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares hv/lib/string.c, under other names, with the C library. */
#include <string.h>

#include "tests/unit/support.h"

#define memcpy	hv_memcpy
#define memmove hv_memmove
#define memset	hv_memset
#define memcmp	hv_memcmp
#define memchr	hv_memchr
#define strlen	hv_strlen
#define strnlen hv_strnlen
#define strcmp	hv_strcmp
#define strncmp hv_strncmp
#define strchr	hv_strchr
#include "hv/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

enum { ROOM = 80, MAX = 40 };

static void fill(uint8_t *buf)
{
	for (unsigned i = 0; i < ROOM; i++)
		buf[i] = (uint8_t)(i * 7 + 1);
}

static void copies_exactly_n_bytes_at_any_alignment(void **state)
{
	uint8_t src[ROOM], got[ROOM], want[ROOM];

	fill(src);
	for (unsigned n = 0; n <= MAX; n++) {
		for (unsigned from = 0; from < 9; from++) {
			memset(got, 0xee, ROOM);
			memset(want, 0xee, ROOM);
			memcpy(want + 8 - from % 3, src + from, n);
			assert_ptr_equal(hv_memcpy(got + 8 - from % 3, src + from, n),
					 got + 8 - from % 3);
			assert_memory_equal(got, want, ROOM);
		}
	}
}

static void moves_over_any_overlap(void **state)
{
	uint8_t got[ROOM], want[ROOM];

	for (unsigned n = 0; n <= MAX; n++) {
		for (unsigned to = 0; to <= MAX; to++) {
			fill(got);
			fill(want);
			memmove(want + to, want + 20, n);
			assert_ptr_equal(hv_memmove(got + to, got + 20, n), got + to);
			assert_memory_equal(got, want, ROOM);
		}
	}
}

static void sets_exactly_n_bytes(void **state)
{
	uint8_t got[ROOM], want[ROOM];

	for (unsigned n = 0; n <= MAX; n++) {
		fill(got);
		fill(want);
		memset(want + 3, 0x1a5, n);
		assert_ptr_equal(hv_memset(got + 3, 0x1a5, n), got + 3);
		assert_memory_equal(got, want, ROOM);
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void compares_as_unsigned_bytes_at_any_place(void **state)
{
	uint8_t a[MAX], b[MAX];

	for (unsigned n = 0; n < MAX; n++) {
		for (unsigned at = 0; at < MAX; at++) {
			memset(a, 0x80, MAX);
			memset(b, 0x80, MAX);
			b[at] = 0x7f;
			assert_int_equal(sign(hv_memcmp(a, b, n)), sign(memcmp(a, b, n)));
			assert_int_equal(sign(hv_memcmp(b, a, n)), sign(memcmp(b, a, n)));
		}
	}
}

static void strings_agree_with_the_c_library(void **state)
{
	static const char *const words[] = {"",	   "a",	   "b",	     "ab", "abc",
					    "abd", "\xff", "ab\xff", "ba"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(hv_strlen(words[i]), strlen(words[i]));
		for (int c = 0; c < 256; c++) {
			assert_ptr_equal(hv_strchr(words[i], c), strchr(words[i], c));
			assert_ptr_equal(hv_memchr(words[i], c, strlen(words[i])),
					 memchr(words[i], c, strlen(words[i])));
		}
		for (unsigned j = 0; j < ARRAY_SIZE(words); j++)
			assert_int_equal(sign(hv_strcmp(words[i], words[j])),
					 sign(strcmp(words[i], words[j])));
		for (unsigned j = 0; j < ARRAY_SIZE(words) * 4; j++)
			assert_int_equal(sign(hv_strncmp(words[i], words[j / 4], j % 4)),
					 sign(strncmp(words[i], words[j / 4], j % 4)));
		for (unsigned n = 0; n < 5; n++)
			assert_int_equal(hv_strnlen(words[i], n), strnlen(words[i], n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_exactly_n_bytes_at_any_alignment),
		cmocka_unit_test(moves_over_any_overlap),
		cmocka_unit_test(sets_exactly_n_bytes),
		cmocka_unit_test(compares_as_unsigned_bytes_at_any_place),
		cmocka_unit_test(strings_agree_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
