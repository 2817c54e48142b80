/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, option lists and the values in them. */
#include "hv/backends/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/backends/parse.h"
#include "tests/unit/support.h"

static char memory[1 << 16] __attribute__((aligned(16)));
static struct arena arena;
static struct diag diag;

static int setup(void **state)
{
	arena = (struct arena){.base = memory, .size = sizeof(memory)};
	diag = (struct diag){.file = "t"};
	log_reset();
	return 0;
}

/* The words of the first logical line. */
static enum status read_line(const char *text, size_t len, struct word **ret)
{
	struct word_cursor cursor = word_cursor(text, len);

	*ret = NULL;
	return word_read_line(&cursor, &arena, &diag, ret);
}

static void words_are_split_and_unquoted_as_a_shell_does(void **state)
{
	static const struct {
		const char *text, *words; /* each in <> */
	} rows[] = {
		{"", ""},
		{"  \t ", ""},
		{"# a 'comment", ""},
		{"a b\tc", "<a><b><c>"},
		{"a#b #c", "<a#b>"},
		{"a '#b' \\#c", "<a><#b><#c>"},
		{"'a b'c\"d e\"", "<a bcd e>"},
		{"'' \"\"", "<><>"},
		{"'a\"b' \"a'b\"", "<a\"b><a'b>"},
		{"'a\\b' \"a\\b\" a\\b", "<a\\b><a\\b><ab>"},
		{"\"\\\"\\\\\\$\\`\\x\"", "<\"\\$`\\x>"},
		{"a\\ b \\'c\\\"", "<a b><'c\">"},
		{"$x `y` *?[z] ; & | < > ( )", "<$x><`y`><*?[z]><;><&><|><<><>><(><)>"},
		{"a\\\nb", "<ab>"},
		{"a \\\n  b", "<a><b>"},
		{"a\\\r\nb\r\nc", "<ab>"},
		{"\"a\\\nb\"", "<ab>"},
		{"a # b \\\nc", "<a>"},
		{"a\\", "<a\\>"},
		{"'a\tb'", "<a\tb>"},
		{"\xef\xbb\xbf"
		 "a",
		 "<a>"},
		{"\xc3\xa9'\xe2\x82\xac'", "<\xc3\xa9\xe2\x82\xac>"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char got[200] = "";
		struct word *word;

		setup(NULL);
		assert_int_equal(read_line(rows[i].text, strlen(rows[i].text), &word), OK);
		for (; word != NULL; word = word->next) {
			assert_int_equal(word->len, strlen(word->text));
			sprintf(got + strlen(got), "<%s>", word->text);
		}
		assert_string_equal(got, rows[i].words);
	}
}

static void bad_text_is_refused_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *reported;
	} rows[] = {
		{"a 'b c\nd'", 9, "1:3: unterminated ' quote"},
		{"a \\\n  b\"c", 9, "2:4: unterminated \" quote"},
		{"'a\\\nb'", 6, "1:1: unterminated ' quote"},
		{"ab\0c", 4, "1:3: control character 0x00"},
		{"a\x1b[", 3, "1:2: control character 0x1b"},
		{"a \rb", 4, "1:3: control character 0x0d"},
		{"\"a\x7f\"", 4, "1:3: control character 0x7f"},
		{"a\\\x01", 3, "1:3: control character 0x01"},
		{"\xc3\xa9\xff", 3, "1:3: byte 0xff is not part of printable UTF-8 text"},
		{"a\xe2\x82", 3, "1:2: byte 0xe2 is not part of printable UTF-8 text"},
		{"a\xc2\x9b", 3, "1:2: byte 0xc2 is not part of printable UTF-8 text"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *copy = malloc(rows[i].len), want[100];
		struct word *word;

		setup(NULL);
		memcpy(copy, rows[i].text, rows[i].len);
		assert_int_equal(read_line(copy, rows[i].len, &word), ERR_INVAL);
		snprintf(want, sizeof(want), "error: t:%s\n", rows[i].reported);
		assert_string_equal(logged, want);
		free(copy);
	}
}

static void the_line_behind_an_error_is_read(void **state)
{
	static const char text[] = "a 'b \\\nc\nd\n";
	struct word_cursor cursor = word_cursor(text, strlen(text));
	struct word *word = NULL;

	assert_int_equal(word_read_line(&cursor, &arena, &diag, &word), ERR_INVAL);
	assert_int_equal(word_read_line(&cursor, &arena, &diag, &word), OK);
	assert_string_equal(word->text, "d");
	assert_int_equal(word->start.line, 3);
	assert_int_equal(cursor.at, cursor.len);
}

static void a_line_has_a_limit(void **state)
{
	static char text[20000];
	struct word *word;

	memset(text, 'x', sizeof(text));
	assert_int_equal(read_line(text, 16384, &word), OK);
	assert_int_equal(word->len, 16384);
	setup(NULL);
	assert_int_equal(read_line(text, 16386, &word), ERR_INVAL);
	assert_string_equal(logged, "error: t:1:16386: line is longer than 16384 bytes\n");
	/* Splitting the line into several words does not avoid the limit. */
	setup(NULL);
	text[8000] = ' ';
	assert_int_equal(read_line(text, 16386, &word), ERR_INVAL);
}

static void every_byte_knows_where_it_was_written(void **state)
{
	static const char text[] = "x \"a\\\"b\"'c'\\\n\\d e";
	static const struct diag_place places[] = {{1, 4}, {1, 6}, {1, 7}, {1, 10}, {2, 2}};
	struct word *word;

	assert_int_equal(read_line(text, strlen(text), &word), OK);
	word = word->next;
	assert_string_equal(word->text, "a\"bcd");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct diag_place place = word_place(word, i);

		assert_int_equal(place.line, places[i].line);
		assert_int_equal(place.column, places[i].column);
	}
	assert_int_equal(word_place(word, 5).column, 3);
	assert_int_equal(word_place(word, 99).column, 3);
}

static void sizes_are_qemus(void **state)
{
	static const struct {
		const char *text;
		enum status status;
		uint64_t value;
	} rows[] = {
		{"0", OK, 0},
		{"1", OK, 1},
		{"1B", OK, 1},
		{"1b", OK, 1},
		{"3k", OK, 3072},
		{"2M", OK, MIB(2)},
		{"2G", OK, GIB(2)},
		{"1T", OK, GIB(1024)},
		{"1P", OK, BIT(50)},
		{"1E", OK, BIT(60)},
		{"1e", OK, BIT(60)},
		{"15E", OK, 15 * BIT(60)},
		{"16E", ERR_RANGE, 0},
		{"18446744073709551615", OK, UINT64_MAX},
		{"18446744073709551616", ERR_RANGE, 0},
		{"18446744073709551616k", ERR_RANGE, 0},
		{"18014398509481984K", ERR_RANGE, 0},
		{"18014398509481983K", OK, UINT64_MAX - 1023},
		{"", ERR_INVAL, 0},
		{" ", ERR_INVAL, 0},
		{"k", ERR_INVAL, 0},
		{".", ERR_INVAL, 0},
		{".k", ERR_INVAL, 0},
		{"1kb", ERR_INVAL, 0},
		{"1Q", ERR_INVAL, 0},
		{"1 ", ERR_INVAL, 0},
		{"1 k", ERR_INVAL, 0},
		{" \t\n1", OK, 1},
		{"+1", OK, 1},
		{"+ 1", ERR_INVAL, 0},
		{"++1", ERR_INVAL, 0},
		{"-1", ERR_RANGE, 0},
		{"-0", ERR_RANGE, 0},
		{"-", ERR_INVAL, 0},
		{"-x", ERR_INVAL, 0},
		{"-1x", ERR_INVAL, 0},
		{"010", OK, 10},
		{"0x10", OK, 16},
		{"0X10", OK, 16},
		{"0x", ERR_INVAL, 0},
		{"0xg", ERR_INVAL, 0},
		{"00x1", ERR_INVAL, 0},
		{"0x1k", ERR_INVAL, 0},
		{"0x1.8", ERR_INVAL, 0},
		{"0xffffffffffffffff", OK, UINT64_MAX},
		{"0x10000000000000000", ERR_RANGE, 0},
		{"0x1e", OK, 30},
		{"1.5k", OK, 1536},
		{"1.", OK, 1},
		{"1.k", OK, 1024},
		{".5k", OK, 512},
		{"+.5k", OK, 512},
		{"1.0", OK, 1},
		{"1.5", ERR_INVAL, 0},
		{"1.5B", ERR_INVAL, 0},
		{"0.0000000000000000000000000000001", ERR_INVAL, 0},
		{"1.5.5k", ERR_INVAL, 0},
		{"1.5e3", ERR_INVAL, 0},
		{"0.0001M", OK, 105},
		{"1.0000001M", OK, MIB(1)},
		{"15.99E", OK, 0xffd70a3d70a3d700},
		{"0.1E", OK, 0x1999999999999a0},
		{"0.99999999999999999999E", OK, BIT(60)},
		{"15.9999999999999999999E", ERR_RANGE, 0},
		{"0.00048828125k", OK, 1},
		{"0.00048828124k", OK, 0},
		{"0.3E", OK, 0x4ccccccccccccc0},
		{"0.7E", OK, 0xb33333333333300},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;

		print_message("[ row      ] %s\n", rows[i].text);
		assert_int_equal(parse_size(rows[i].text, &value), rows[i].status);
		assert_int_equal(value, rows[i].value);
	}
}

/* The same in floating point, which only the test may use. */
static void fractions_are_those_of_a_double(void **state)
{
	unsigned seed = 1;

	for (unsigned i = 0; i < 20000; i++) {
		char text[80] = "0.";
		uint64_t value = 0, want;
		double fraction;

		for (unsigned n = 1 + i % 40, j = 0; j < n; j++) {
			seed = seed * 1103515245 + 12345;
			sprintf(text + strlen(text), "%u", i % 3 && j < n / 2 ? 0 : seed >> 16 & 7);
		}
		fraction = strtod(text, NULL);
		want = (uint64_t)((unsigned __int128)(fraction * 0x1p64) >> 4);
		want += (uint64_t)(fraction * 0x1p64) >> 3 & 1;
		strcat(text, "E");
		assert_int_equal(parse_size(text, &value), OK);
		assert_int_equal(value, want);
	}
}

static void a_fraction_may_have_any_number_of_digits(void **state)
{
	char text[2000] = "0.";
	uint64_t value;

	/* Exactly half a byte, then a bit more or less after 1000 digits. */
	memset(text + 2, '0', 1000);
	text[1002] = 'M';
	assert_int_equal(parse_size(text, &value), OK);
	assert_int_equal(value, 0);
	text[1001] = '1';
	assert_int_equal(parse_size(text, &value), OK);
	assert_int_equal(value, 0);
	memset(text + 2, '9', 1000);
	assert_int_equal(parse_size(text, &value), OK);
	assert_int_equal(value, MIB(1));
	/* A fraction that is not zero needs a suffix. */
	memset(text + 2, '0', 1000);
	text[1001] = '1';
	text[1002] = '\0';
	assert_int_equal(parse_size(text, &value), ERR_INVAL);
}

static void integers_are_those_of_c(void **state)
{
	static const struct {
		const char *text;
		enum status status;
		uint64_t value;
		bool negative;
	} rows[] = {
		{"0", OK, 0, false},
		{" 12", OK, 12, false},
		{"+7", OK, 7, false},
		{"-7", OK, (uint64_t)-7, true},
		{"017", OK, 15, false},
		{"0x1F", OK, 31, false},
		{"08", ERR_INVAL, 0, false},
		{"0x", ERR_INVAL, 0, false},
		{"", ERR_INVAL, 0, false},
		{"-", ERR_INVAL, 0, false},
		{"1 ", ERR_INVAL, 0, false},
		{"1k", ERR_INVAL, 0, false},
		{"18446744073709551615", OK, UINT64_MAX, false},
		{"18446744073709551616", ERR_RANGE, 0, false},
		{"-9223372036854775808", OK, BIT(63), true},
		{"-9223372036854775809", ERR_RANGE, 0, false},
		{"99999999999999999999x", ERR_INVAL, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;
		bool negative = false;

		assert_int_equal(parse_integer(rows[i].text, &value, &negative), rows[i].status);
		assert_int_equal(value, rows[i].value);
		assert_int_equal(negative, rows[i].negative);
	}
}

static void ranges_are_counted(void **state)
{
	uint64_t first = 0, last = 0;

	assert_int_equal(parse_range("3-0x10", &first, &last), OK);
	assert_int_equal(first, 3);
	assert_int_equal(last, 16);
	assert_int_equal(parse_range("0-65535", &first, &last), OK);
	assert_int_equal(parse_range("0-65536", &first, &last), ERR_INVAL);
	assert_int_equal(parse_range("2-1", &first, &last), ERR_INVAL);
	assert_int_equal(parse_range("1--1", &first, &last), ERR_INVAL);
	assert_int_equal(parse_range("1-2-3", &first, &last), ERR_INVAL);
}

static void names_are_found_in_lists(void **state)
{
	static const char *const absent[] = {"",      " ",   "a",   "bc", "b c",
					     "abc b", "d e", "c d", "e "};
	static const char list[] = "abc b cd e";

	assert_true(is_listed(list, "abc"));
	assert_true(is_listed(list, "b"));
	assert_true(is_listed(list, "cd"));
	assert_true(is_listed(list, "e"));
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_false(is_listed(list, absent[i]));
}

static const struct option_syntax plain = {0}, with_implied = {.implied = "i"},
				  no_flags = {.no_flags = true};

/* "key=value;" for each option. */
static const char *split(const char *text, const struct option_syntax *syntax,
			 struct options *options)
{
	static char got[1000];
	struct word *word;

	assert_int_equal(read_line(text, strlen(text), &word), OK);
	*got = '\0';
	if (options_split(word, syntax, &arena, &diag, options) != OK)
		return "refused";
	for (const struct option *o = options->first; o != NULL; o = o->next)
		sprintf(got + strlen(got), "%s=%s;", o->key, o->value);
	return got;
}

static void options_are_split_as_qemu_does(void **state)
{
	static const struct {
		const char *text, *options;
	} rows[] = {
		{"''", ""},
		{"a=1", "a=1;"},
		{"a=1,b=2", "a=1;b=2;"},
		{"a=1,,2,b=3", "a=1,2;b=3;"},
		{"a=1,", "a=1;"},
		{"a=1,,", "a=1,;"},
		{"a=1,,,b=2", "a=1,;b=2;"},
		{"a=b=c", "a=b=c;"},
		{"a=,b=", "a=;b=;"},
		{"=x", "=x;"},
		{"first,a=1", "i=first;a=1;"},
		{"fi,,rst,a=1", "i=fi,rst;a=1;"},
		{",a=1", "i=;a=1;"},
		{",,a", "i=,a;"},
		{"a=1,flag", "a=1;flag=on;"},
		{"a=1,noflag", "a=1;flag=off;"},
		{"a=1,no", "a=1;=off;"},
		{"a=1,n", "a=1;n=on;"},
		{"a=1,x,,y", "a=1;x=on;=on;y=on;"},
	};
	struct options options;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(NULL);
		assert_string_equal(split(rows[i].text, &with_implied, &options), rows[i].options);
	}
}

static void short_forms_are_warned_of_or_refused(void **state)
{
	struct options options;

	split("a=1,nob", &plain, &options);
	assert_string_equal(logged,
			    "warning: t:1:5: warning: short-form boolean option 'nob' deprecated\n"
			    "warning: Please use b=off instead\n");
	setup(NULL);
	assert_string_equal(split("a=1,nob", &no_flags, &options), "refused");
	assert_string_equal(logged, "error: t:1:5: Expected '=' after parameter 'nob'\n");
	setup(NULL);
	assert_string_equal(split("a=1,help", &plain, &options), "refused");
	setup(NULL);
	assert_string_equal(split("?", &plain, &options), "refused");
	assert_string_equal(logged, "error: t:1:1: there is no help in a configuration\n");
}

static void the_last_of_a_key_counts_but_the_first_id(void **state)
{
	struct options options;
	uint64_t size = 7;
	bool flag = false;

	split("s=zz,s=2k,id=a,id=1,b=on", &plain, &options);
	assert_int_equal(options_get_size(&options, "s", &diag, &size), OK);
	assert_int_equal(size, 2048);
	assert_string_equal(options.id, "a");
	assert_int_equal(options_id_place(&options).column, 14);
	assert_int_equal(options_check_id(&options, &diag), OK);
	assert_int_equal(options_get_bool(&options, "none", &diag, &flag), OK);
	assert_false(flag);
	assert_string_equal(options_first_unseen(&options)->key, "id");
	options_find(&options, "id");
	assert_string_equal(options_first_unseen(&options)->key, "b");
	assert_int_equal(options_get_bool(&options, "b", &diag, &flag), OK);
	assert_true(flag);
	assert_null(options_first_unseen(&options));
}

static void wrong_values_are_named_where_they_stand(void **state)
{
	static const char *const names[] = {"one", "two", NULL};
	static const struct integer_type i8 = {"int8_t", -128, 127}, u8 = {"uint8_t", 0, 255};
	struct options options;
	uint64_t size;
	int64_t n = 0;
	unsigned e;
	bool b;

	split("'b=1',s=1x,e=three,i=-129,u=-1,i2=q,id=1", &plain, &options);
	assert_int_equal(options_get_bool(&options, "b", &diag, &b), ERR_INVAL);
	assert_int_equal(options_get_size(&options, "s", &diag, &size), ERR_INVAL);
	assert_int_equal(options_get_enum(&options, "e", names, &diag, &e), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "i", &i8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "u", &u8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "i2", &u8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_check_id(&options, &diag), ERR_INVAL);
	assert_string_equal(
		logged, "error: t:1:4: Parameter 'b' expects 'on' or 'off'\n"
			"error: t:1:9: Parameter 's' expects a size value\n"
			"error: t:1:14: Parameter 'e' does not accept value 'three'\n"
			"error:       = possible values: 'one', 'two'\n"
			"error: t:1:22: Parameter 'i' expects int8_t\n"
			"error: t:1:29: Parameter 'u' expects uint8_t\n"
			"error: t:1:35: Parameter 'i2' expects integer\n"
			"error: t:1:40: Parameter 'id' expects an identifier\n"
			"error: Identifiers consist of letters, digits, '-', '.', '_', starting "
			"with a letter.\n");
	setup(NULL);
	split("i=-128,u=255,e=two", &plain, &options);
	assert_int_equal(options_get_integer(&options, "i", &i8, &diag, &n), OK);
	assert_int_equal(n, -128);
	assert_int_equal(options_get_integer(&options, "u", &u8, &diag, &n), OK);
	assert_int_equal(n, 255);
	assert_int_equal(options_get_enum(&options, "e", names, &diag, &e), OK);
	assert_int_equal(e, 1);
}

/* The words of both forms, for mistakes of both and for those of one. */
static void json_is_typed_and_has_words_of_its_own(void **state)
{
	static const char text[] =
		"'{\"b\":\"on\",\"s\":\"1k\",\"e\":1,\"i\":\"1\",\"i2\":-129,\"u\":[],"
		"\"u2\":-1,\"n\":4294967296,\"t\":true,\"x\":3}'";
	static const char *const names[] = {"one", NULL};
	static const struct integer_type i8 = {"int8_t", -128, 127}, u8 = {"uint8_t", 0, 255};
	struct options options;
	struct word *word;
	const char *string;
	uint32_t small;
	uint64_t size;
	int64_t n = 0;
	unsigned e;
	bool b;

	assert_int_equal(read_line(text, strlen(text), &word), OK);
	assert_int_equal(options_read(word, &with_implied, &arena, &diag, &options), OK);
	assert_true(options.is_json && options.id == NULL);
	assert_int_equal(options_get_bool(&options, "b", &diag, &b), ERR_INVAL);
	assert_int_equal(options_get_size(&options, "s", &diag, &size), ERR_INVAL);
	assert_int_equal(options_get_enum(&options, "e", names, &diag, &e), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "i", &i8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "i2", &i8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "u", &u8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_integer(&options, "u2", &u8, &diag, &n), ERR_INVAL);
	assert_int_equal(options_get_uint32(&options, "n", &diag, &small), ERR_INVAL);
	assert_int_equal(options_get_string(&options, "t", &diag, &string), ERR_INVAL);
	assert_int_equal(options_check_given(&options, "y", &diag), ERR_INVAL);
	assert_int_equal(options_check_known(&options, "aa bb", &diag), ERR_INVAL);
	assert_string_equal(logged,
			    "error: t:1:7: Invalid parameter type for 'b', expected: boolean\n"
			    "error: t:1:16: Parameter 's' expects uint64\n"
			    "error: t:1:25: Invalid parameter type for 'e', expected: string\n"
			    "error: t:1:31: Invalid parameter type for 'i', expected: integer\n"
			    "error: t:1:40: Parameter 'i2' expects int8_t\n"
			    "error: t:1:49: Parameter 'u' expects uint64\n"
			    "error: t:1:57: Parameter 'u2' expects uint8_t\n"
			    "error: t:1:64: Parameter 'n' expects uint32_t\n"
			    "error: t:1:79: Invalid parameter type for 't', expected: string\n"
			    "error: t:1:2: Parameter 'y' is missing\n"
			    "error: t:1:84: Parameter 'x' is unexpected\n"
			    "error:       = possible names: aa bb\n");
}

static void json_values_are_taken_as_they_are(void **state)
{
	static const char text[] =
		"'{\"b\":true,\"s\":18446744073709551615,\"e\":\"one\",\"i\":-128,"
		"\"u\":255,\"n\":4294967295,\"t\":\"a,,b=c\",\"id\":\"m\"}'";
	static const char *const names[] = {"zero", "one", NULL};
	static const struct integer_type i8 = {"int8_t", -128, 127}, u8 = {"uint8_t", 0, 255};
	struct options options;
	struct word *word;
	const char *string = NULL;
	uint32_t small = 0;
	uint64_t size = 0;
	int64_t n = 0;
	unsigned e = 0;
	bool b = false;

	assert_int_equal(read_line(text, strlen(text), &word), OK);
	assert_int_equal(options_read(word, &with_implied, &arena, &diag, &options), OK);
	assert_string_equal(options.id, "m");
	assert_int_equal(options_check_id(&options, &diag), OK);
	assert_int_equal(options_get_bool(&options, "b", &diag, &b), OK);
	assert_int_equal(options_get_size(&options, "s", &diag, &size), OK);
	assert_int_equal(options_get_enum(&options, "e", names, &diag, &e), OK);
	assert_int_equal(options_get_integer(&options, "i", &i8, &diag, &n), OK);
	assert_int_equal(n, -128);
	assert_int_equal(options_get_integer(&options, "u", &u8, &diag, &n), OK);
	assert_int_equal(n, 255);
	assert_int_equal(options_get_uint32(&options, "n", &diag, &small), OK);
	assert_int_equal(options_get_string(&options, "t", &diag, &string), OK);
	assert_true(b && size == UINT64_MAX && e == 1 && small == UINT32_MAX);
	assert_string_equal(string, "a,,b=c");
	assert_string_equal(logged, "");
}

/* Numbers at and beyond the limit of each word of the bitmap, in both forms. */
static void sets_hold_what_is_below_their_limit(void **state)
{
	static const struct {
		const char *text;
		bool is_given, is_empty;
		uint64_t more; /* 0: none */
		uint64_t bits[4];
	} rows[] = {
		{"x=1", false, true, 0, {0}},
		{"n=0", true, false, 0, {1}},
		{"n=63-64,n=127", true, false, 0, {BIT(63), 1 | BIT(63)}},
		{"n=126-129,n=200", true, false, 128, {0, BIT(63) | BIT(62)}},
		{"n=200,n=150,n=5", true, false, 200, {BIT(5)}},
		{"n=0-65535", true, false, 128, {UINT64_MAX, UINT64_MAX}},
		{"'{\"n\":[]}'", true, true, 0, {0}},
		{"'{\"n\":[63,64,127,63]}'", true, false, 0, {BIT(63), 1 | BIT(63)}},
		{"'{\"n\":[200,128,1]}'", true, false, 200, {2}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct option_set set = {.limit = 128};
		struct options options;
		struct word *word;

		assert_int_equal(read_line(rows[i].text, strlen(rows[i].text), &word), OK);
		assert_int_equal(options_read(word, &plain, &arena, &diag, &options), OK);
		assert_int_equal(options_get_set(&options, "n", &diag, &set), OK);
		assert_int_equal(set.is_given, rows[i].is_given);
		assert_int_equal(set.is_empty, rows[i].is_empty);
		assert_int_equal(set.has_more, rows[i].more != 0);
		assert_int_equal(set.more, rows[i].more);
		assert_memory_equal(set.bits, rows[i].bits, sizeof(set.bits));
	}
}

static void a_full_arena_is_told_and_nothing_else(void **state)
{
	static const char text[] = "first,a=b,c,id=x 'second word'";
	size_t size = 0;
	struct options options;
	struct word *word;
	enum status status;

	do {
		setup(NULL);
		arena.size = size++;
		status = read_line(text, strlen(text), &word);
		if (status == OK)
			status = options_split(word, &with_implied, &arena, &diag, &options);
		assert_true(status == OK || status == ERR_NOMEM);
		assert_int_equal(diag.n_errors, 0);
	} while (status != OK);
	assert_in_range(size, 200, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(words_are_split_and_unquoted_as_a_shell_does, setup),
		cmocka_unit_test_setup(bad_text_is_refused_where_it_stands, setup),
		cmocka_unit_test_setup(the_line_behind_an_error_is_read, setup),
		cmocka_unit_test_setup(a_line_has_a_limit, setup),
		cmocka_unit_test_setup(every_byte_knows_where_it_was_written, setup),
		cmocka_unit_test(sizes_are_qemus),
		cmocka_unit_test(fractions_are_those_of_a_double),
		cmocka_unit_test(a_fraction_may_have_any_number_of_digits),
		cmocka_unit_test(integers_are_those_of_c),
		cmocka_unit_test(ranges_are_counted),
		cmocka_unit_test(names_are_found_in_lists),
		cmocka_unit_test_setup(options_are_split_as_qemu_does, setup),
		cmocka_unit_test_setup(short_forms_are_warned_of_or_refused, setup),
		cmocka_unit_test_setup(the_last_of_a_key_counts_but_the_first_id, setup),
		cmocka_unit_test_setup(wrong_values_are_named_where_they_stand, setup),
		cmocka_unit_test_setup(json_is_typed_and_has_words_of_its_own, setup),
		cmocka_unit_test_setup(json_values_are_taken_as_they_are, setup),
		cmocka_unit_test_setup(sets_hold_what_is_below_their_limit, setup),
		cmocka_unit_test_setup(a_full_arena_is_told_and_nothing_else, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
