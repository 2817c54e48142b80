/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/fetch_line.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

/* The URL that is found in a copy on the heap, so that a read beyond the end is seen; "": none. */
static const char *find(const char *text)
{
	static char url[64];
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);
	struct fetch_line line;

	memcpy(copy, text, len);
	line = fetch_line_find(copy, len);
	assert_true(line.len < sizeof(url));
	memcpy(url, line.url != NULL ? line.url : "", line.len);
	url[line.len] = '\0';
	assert_int_equal(line.url != NULL, line.len > 0);
	free(copy);
	return url;
}

static void the_line_is_found(void **state)
{
	static const char *const texts[] = {
		"host -fetch http://a/b",
		"host -fetch http://a/b\n",
		"host -fetch http://a/b\r\n",
		"\n\n# a comment\n \t\n  host\t-fetch  http://a/b  # here\n# end",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(find(texts[i]), "http://a/b");
}

static void a_configuration_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"#",
		"host",
		"host -fetch",
		"host -fetch # http://a/b",
		"host -fetch\nhttp://a/b",
		"hos -fetch http://a/b",
		"hostx -fetch http://a/b",
		"host fetch http://a/b",
		"host -fetching http://a/b",
		"# host -fetch http://a/b",
		"host -fetch http://a/b -log debug",
		"host -log debug -fetch http://a/b",
		"host -fetch http://a/b\nhost -fetch http://a/b",
		"host -fetch http://a/b\nvm a -kernel k",
		"vm a -kernel k\nhost -fetch http://a/b",
		"host -on-end wait",
		"host -fetch \"http://a/b\"",
		"host -fetch 'http://a/b'",
		"host -fetch http://a\\/b",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(find(texts[i]), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_is_found),
		cmocka_unit_test(a_configuration_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
