/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/http_answer.h"

#include "tests/unit/support.h"

static void the_firmwares_count_is_translated(void **state)
{
	/* The numbers of UEFI's EFI_HTTP_STATUS_CODE, counted by hand. */
	static const struct {
		uint32_t efi;
		unsigned number;
	} rows[] = {{0, 0},    {1, 100},  {2, 101},  {3, 200},	{4, 201},	{7, 204},
		    {10, 300}, {15, 305}, {16, 307}, {17, 400}, {21, 404},	{34, 417},
		    {35, 500}, {40, 505}, {41, 308}, {42, 0},	{UINT32_MAX, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(http_answer_number(rows[i].efi), rows[i].number);
}

static enum http_answer read_with(unsigned number, const char *name, const char *value,
				  uint64_t *ret_len)
{
	const struct http_answer_header headers[] = {
		{"Server", "a"}, {name, value}, {"Content-Typ", "1"}};

	return http_answer_to_read(number, headers, ARRAY_SIZE(headers), ret_len);
}

static void a_file_has_a_length(void **state)
{
	static const char *const right[] = {"42", " 42", "\t42"};
	static const char *const wrong[] = {"", "x", "42, 42", "-42", "18446744073709551616"};
	uint64_t len;

	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		len = 0;
		assert_int_equal(read_with(200, "content-LENGTH", right[i], &len), HTTP_ANSWER_OK);
		assert_int_equal(len, 42);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(read_with(200, "Content-Length", wrong[i], &len),
				 HTTP_ANSWER_NO_LENGTH);
	assert_int_equal(http_answer_to_read(200, NULL, 0, &len), HTTP_ANSWER_NO_LENGTH);
}

static void a_coded_body_is_no_file(void **state)
{
	static const char *const names[] = {"Transfer-Encoding", "Content-Encoding"};
	uint64_t len;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct http_answer_header headers[] = {{"Content-Length", "42"},
							     {names[i], "gzip"}};

		assert_int_equal(http_answer_to_read(200, headers, 2, &len), HTTP_ANSWER_NO_LENGTH);
	}
}

static void other_answers_are_told_apart(void **state)
{
	static const struct {
		unsigned number;
		enum http_answer to_read, to_write;
	} rows[] = {
		{201, HTTP_ANSWER_REFUSED, HTTP_ANSWER_OK},
		{202, HTTP_ANSWER_REFUSED, HTTP_ANSWER_OK},
		{204, HTTP_ANSWER_REFUSED, HTTP_ANSWER_OK},
		{206, HTTP_ANSWER_REFUSED, HTTP_ANSWER_REFUSED},
		{301, HTTP_ANSWER_REDIRECT, HTTP_ANSWER_REDIRECT},
		{308, HTTP_ANSWER_REDIRECT, HTTP_ANSWER_REDIRECT},
		{403, HTTP_ANSWER_REFUSED, HTTP_ANSWER_REFUSED},
		{404, HTTP_ANSWER_MISSING, HTTP_ANSWER_REFUSED},
		{405, HTTP_ANSWER_REFUSED, HTTP_ANSWER_REFUSED},
		{410, HTTP_ANSWER_MISSING, HTTP_ANSWER_REFUSED},
		{500, HTTP_ANSWER_REFUSED, HTTP_ANSWER_REFUSED},
		{0, HTTP_ANSWER_REFUSED, HTTP_ANSWER_REFUSED},
	};
	uint64_t len;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_with(rows[i].number, "Content-Length", "1", &len),
				 rows[i].to_read);
		assert_int_equal(http_answer_to_write(rows[i].number), rows[i].to_write);
	}
	assert_int_equal(http_answer_to_write(200), HTTP_ANSWER_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmwares_count_is_translated),
		cmocka_unit_test(a_file_has_a_length),
		cmocka_unit_test(a_coded_body_is_no_file),
		cmocka_unit_test(other_answers_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
