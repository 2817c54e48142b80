/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON: what it means, and each error, with the words that QEMU was observed to use. */
#include "hv/backends/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

static char memory[1 << 20] __attribute__((aligned(16)));

/* A word of that text, in single quotes as in a configuration. */
static struct word quote(const char *text)
{
	static char source[8192];
	char *out = source;

	*out++ = '\'';
	for (const char *p = text; *p != '\0'; p++)
		out += sprintf(out, *p == '\'' ? "'\\''" : "%c", *p);
	*out++ = '\'';
	return (struct word){
		.text = text,
		.len = strlen(text),
		.start = word_cursor(source, (size_t)(out - source)),
	};
}

/* The column in that source of a column of the text. */
static unsigned quoted_column(const char *text, unsigned column)
{
	unsigned quoted = column + 1;

	for (unsigned i = 0; i + 1 < column; i++)
		quoted += text[i] == '\'' ? 3 : 0;
	if (text[column - 1] == '\0')
		quoted++;
	return quoted + (text[column - 1] == '\'' ? 2 : 0);
}

static enum status read_text(const char *text, size_t arena_size, struct json **ret)
{
	struct arena arena = {.base = memory, .size = arena_size};
	struct word word = quote(text);
	struct diag diag = {.file = "j"};
	enum status status;

	log_reset();
	status = json_read(&word, &arena, &diag, ret);
	assert_int_equal(diag.n_errors, status == ERR_INVAL);
	return status;
}

static struct json *read_valid(const char *text)
{
	struct json *json = NULL;

	print_message("[ json     ] %.70s\n", text);
	assert_int_equal(read_text(text, sizeof(memory), &json), OK);
	return json;
}

static void every_type_has_its_value(void **state)
{
	const char *text = " {\"a\" : null,'b':true, \"c\":false,\"d\":-12,\"e\":1.5e+3,"
			   "\"f\":\"x\",\"g\":[1,[],{}],\"h\":{\"i\":0}} ";
	static const enum json_type types[] = {JSON_NULL,  JSON_BOOL,	JSON_BOOL,  JSON_INTEGER,
					       JSON_FLOAT, JSON_STRING, JSON_ARRAY, JSON_OBJECT};
	struct json *json = read_valid(text), *member = json->first;

	assert_int_equal(json->type, JSON_OBJECT);
	assert_int_equal(json->at, 1);
	assert_int_equal(json->len, strlen(text) - 2);
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++, member = member->next) {
		assert_int_equal(member->type, types[i]);
		assert_int_equal(member->key[0], 'a' + (int)i);
		assert_int_equal(text[member->key_at + 1], member->key[0]);
		if (i == 1 || i == 2)
			assert_int_equal(member->number, i == 1);
		if (i == 3)
			assert_true(member->negative && (int64_t)member->number == -12);
		if (i == 5)
			assert_string_equal(member->text, "x");
		if (i == 6) {
			assert_memory_equal(text + member->at, "[1,[],{}]", member->len);
			assert_int_equal(member->first->number, 1);
			assert_int_equal(member->first->next->type, JSON_ARRAY);
			assert_null(member->first->next->first);
			assert_int_equal(member->first->next->next->type, JSON_OBJECT);
			assert_null(member->first->next->next->next);
		}
	}
	assert_null(member);
}

static void integers_have_64_bits_and_floats_no_value(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
		uint64_t number;
	} rows[] = {
		{"0", JSON_INTEGER, 0},
		{"-0", JSON_INTEGER, 0},
		{"18446744073709551615", JSON_INTEGER, UINT64_MAX},
		{"18446744073709551616", JSON_FLOAT, 0},
		{"99999999999999999999999999", JSON_FLOAT, 0},
		{"-9223372036854775808", JSON_INTEGER, BIT(63)},
		{"-9223372036854775809", JSON_FLOAT, 0},
		{"0.0", JSON_FLOAT, 0},
		{"1E9", JSON_FLOAT, 0},
		{"1e-9", JSON_FLOAT, 0},
		{"0.5e1", JSON_FLOAT, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json *json = read_valid(rows[i].text);

		assert_int_equal(json->type, rows[i].type);
		if (json->type == JSON_INTEGER)
			assert_int_equal(json->number, rows[i].number);
	}
}

static void strings_are_unescaped(void **state)
{
	static const char *const rows[][2] = {
		{"\"\"", ""},
		{"'a\"b'", "a\"b"},
		{"\"a'b\"", "a'b"},
		{"\"\\\"\\'\\\\\\/\\b\\f\\n\\r\\t\"", "\"'\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u20AC\"", "A\u00e9\u20ac"},
		{"\t\r\n \"a\"\n\r\t", "a"},
		{"\"\\ud83d\\ude00\"", "\U0001f600"},
		{"\"\\u0000\"", "\xc0\x80"},
		{"\"\u00e9\u20ac\U0001f600\"", "\u00e9\u20ac\U0001f600"},
		{"\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7f\xc2\x80\u07ff\u0800"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(read_valid(rows[i][0])->text, rows[i][1]);
}

#define PARSE "JSON parse error, "

/*
 * All were measured on QEMU, except the empty texts and "\xc0\x80", which a configuration cannot
 * hold.
 */
static void what_is_not_json_is_reported_in_qemus_words(void **state)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *reported;
	} rows[] = {
		{"", 1, "Expecting a JSON value"},
		{"  ", 1, "Expecting a JSON value"},
		{"{\"a\":1", 7, PARSE "premature EOI"},
		{"{", 2, PARSE "premature EOI"},
		{"{ {", 4, PARSE "premature EOI"},
		{"{[", 3, PARSE "premature EOI"},
		{"{\"a\"", 5, PARSE "premature EOI"},
		{"{\"a\":", 6, PARSE "premature EOI"},
		{"{\"a\":1,", 8, PARSE "premature EOI"},
		{"{\"a\":{\"b\":1}", 13, PARSE "premature EOI"},
		{"{\"a\":tru}", 6, PARSE "invalid keyword 'tru'"},
		{"{\"a\":nullx}", 6, PARSE "invalid keyword 'nullx'"},
		{"{a:1}", 2, PARSE "invalid keyword 'a'"},
		{"{\"a\":1,\"a\":2}", 8, PARSE "duplicate key"},
		{"{\"a\":1,\"a\":}", 12, PARSE "expecting value"},
		{"{\"a\" 1}", 6, PARSE "missing : in object pair"},
		{"{\"a\":}", 6, PARSE "expecting value"},
		{"{\"a\":[1,]}", 9, PARSE "expecting value"},
		{"{\"a\":[,]}", 7, PARSE "expecting value"},
		{"{\"a\":1,}", 8, PARSE "expecting value"},
		{"{,}", 2, PARSE "expecting value"},
		{"{\"a\":[}", 7, PARSE "expecting value"},
		{"{1:2}", 2, PARSE "key is not a string in object"},
		{"{{\"a\":1}:2}", 2, PARSE "key is not a string in object"},
		{"{[1,]:2}", 5, PARSE "expecting value"},
		{"{\"a\":1]", 7, PARSE "expected separator in dict"},
		{"{\"a\":1 \"b\":2}", 8, PARSE "expected separator in dict"},
		{"{\"a\":0e1}", 7, PARSE "expected separator in dict"},
		{"{\"a\":[1 2]}", 9, PARSE "expected separator in list"},
		{"{} {}", 4, "Expecting at most one JSON value"},
		{"{} @", 4, "Expecting at most one JSON value"},
		{"{\"a\":1}}", 8, "Expecting at most one JSON value"},
		{"{\"a\":1}x", 8, "Expecting at most one JSON value"},
		{"{\"a\":\"b", 6, PARSE "stray '\"b'"},
		{"{'a':'b", 6, PARSE "stray ''b'"},
		{"{\"a\":01}", 6, PARSE "stray '01'"},
		{"{\"a\":-01}", 6, PARSE "stray '-01'"},
		{"{\"a\":-}", 6, PARSE "stray '-}'"},
		{"{\"a\":-", 6, PARSE "stray '-'"},
		{"{\"a\":1.}", 6, PARSE "stray '1.}'"},
		{"{\"a\":1e}", 6, PARSE "stray '1e}'"},
		{"{\"a\":1e+", 6, PARSE "stray '1e+'"},
		{"{\"a\":A}", 6, PARSE "stray 'A'"},
		{"{\"a\":%s}", 6, PARSE "stray '%'"},
		{"{\"a\":+1}", 6, PARSE "stray '+'"},
		{"{\"a\":1;}", 7, PARSE "stray ';'"},
		{"{\"a\":1 ] ;}", 8, PARSE "expected separator in dict"},
		{"{\"a\":1,, ;}", 10, PARSE "stray ';'"},
		{"{\"a\":\"x\ty\"}", 6, PARSE "stray '\"x?'"},
		{"{\"a\":\"\\", 6, PARSE "stray '\"\\'"},
		{"{\"a\":\"\\\"}", 6, PARSE "stray '\"\\\"}'"},
		{"{\"a\":\"\\q\"}", 7, PARSE "invalid escape sequence in string"},
		{"{\"a\":\"\\u12x4\"}", 7, PARSE "\\u12x4 is not a valid Unicode character"},
		{"{\"a\":\"\\u\"}", 7, PARSE "\\u\" is not a valid Unicode character"},
		{"{\"a\":\"\\u12\"}", 7, PARSE "\\u12\" is not a valid Unicode character"},
		{"{\"a\":\"\\ud800\"}", 7, PARSE "\\ud800 is not a valid Unicode character"},
		{"{\"a\":\"\\ud83d\\u0041\"}", 7, PARSE "\\ud83d is not a valid Unicode character"},
		{"{\"a\":\"\\ud83d\\ud83d\"}", 7, PARSE "\\ud83d is not a valid Unicode character"},
		{"{\"a\":\"\\udc00\"}", 7, PARSE "\\udc00 is not a valid Unicode character"},
		{"{\"a\":\"\\uffff\"}", 7, PARSE "\\uffff is not a valid Unicode character"},
		{"{\"a\":\"\\ufdd0\"}", 7, PARSE "\\ufdd0 is not a valid Unicode character"},
		{"{\"a\":\"\\ud83f\\udfff\"}", 7,
		 PARSE "\\ud83f\\udfff is not a valid Unicode character"},
		{"{\"a\":\"\xc0\x80\"}", 7, PARSE "invalid UTF-8 sequence in string"},
		{"{\"a\":\"\xed\xa0\x80\"}", 7, PARSE "invalid UTF-8 sequence in string"},
		{"{\"a\":\"\xf0\x9f\x98\"}", 7, PARSE "invalid UTF-8 sequence in string"},
		{"{\"a\":\"\uffff\"}", 7, PARSE "invalid UTF-8 sequence in string"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json *json;
		char want[200];

		print_message("[ row      ] %s\n", rows[i].text);
		snprintf(want, sizeof(want), "error: j:1:%u: %s\n",
			 quoted_column(rows[i].text, rows[i].column), rows[i].reported);
		assert_int_equal(read_text(rows[i].text, sizeof(memory), &json), ERR_INVAL);
		assert_string_equal(logged, want);
	}
}

static void nesting_is_limited_and_takes_no_stack(void **state)
{
	static char text[2 * JSON_DEPTH_MAX + 8];
	struct json *json;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	json = read_valid(text);
	for (unsigned i = 1; i < JSON_DEPTH_MAX; i++, json = json->first)
		assert_int_equal(json->type, JSON_ARRAY);
	assert_null(json->first);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	assert_int_equal(read_text(text, sizeof(memory), &json), ERR_INVAL);
	assert_string_equal(logged, "error: j:1:1026: JSON nesting depth limit exceeded\n");
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
		memcpy(text + 2 * i, "{[", 2);
	assert_int_equal(read_text(text, sizeof(memory), &json), ERR_INVAL);
	assert_string_equal(logged, "error: j:1:1026: JSON nesting depth limit exceeded\n");
}

/* Each allocation fails once; the messages about the text do not change. */
static void a_full_arena_is_not_an_error_of_the_text(void **state)
{
	const char *text = "{\"a\":[{\"b\":\"c\"},1],\"d\":null}";
	enum status status = ERR_NOMEM;
	struct json *json;
	size_t size;

	for (size = 0; status == ERR_NOMEM; size += 16) {
		status = read_text(text, size, &json);
		assert_string_equal(logged, "");
	}
	assert_int_equal(status, OK);
	assert_in_range(size, 500, 2000);
}

/* Each text has its own memory, so that ASan checks its end. */
static void every_short_text_is_told_valid_or_not(void **state)
{
	static const char alphabet[] = "{}[],:\"'1-.eat\\ ";
	unsigned n_valid = 0, n = 0;

	for (unsigned len = 1; len <= 4; len++) {
		unsigned last = 1;

		for (unsigned i = 0; i < len; i++)
			last *= 16;
		for (unsigned code = 0; code < last; code++, n++) {
			struct json *json = NULL;
			char *text = calloc(1, len + 1);
			enum status status;

			for (unsigned i = 0; i < len; i++)
				text[i] = alphabet[code >> 4 * i & 15];
			status = read_text(text, sizeof(memory), &json);
			assert_true(status == OK ? json->at + json->len <= len : *logged != '\0');
			n_valid += status == OK;
			free(text);
		}
	}
	print_message("[ texts    ] %u, %u of them JSON\n", n, n_valid);
	assert_in_range(n_valid, 500, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_its_value),
		cmocka_unit_test(integers_have_64_bits_and_floats_no_value),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(what_is_not_json_is_reported_in_qemus_words),
		cmocka_unit_test(nesting_is_limited_and_takes_no_stack),
		cmocka_unit_test(a_full_arena_is_not_an_error_of_the_text),
		cmocka_unit_test(every_short_text_is_told_valid_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
