/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/url.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

/* From a copy on the heap, so that a read beyond the end is seen. */
static const char *read_copy(const char *text, struct url *ret)
{
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);
	const char *wrong;

	memcpy(copy, text, len);
	wrong = url_read(copy, len, ret);
	free(copy);
	return wrong;
}

static void expect_read(const char *text, const char *folder, const char *host, unsigned port)
{
	struct url url;

	assert_null(read_copy(text, &url));
	assert_string_equal(url.folder, folder);
	assert_int_equal(url.host_len, strlen(host));
	assert_memory_equal(url.folder + url.host, host, url.host_len);
	assert_int_equal(url.port, port);
}

static void urls_are_folders(void **state)
{
	expect_read("http://a", "http://a/", "a", 0);
	expect_read("http://a/", "http://a/", "a", 0);
	expect_read("http://fleet-1.example.org:8080/x/y", "http://fleet-1.example.org:8080/x/y/",
		    "fleet-1.example.org:8080", 8080);
	expect_read("tftp://10.0.2.2", "tftp://10.0.2.2/", "10.0.2.2", 0);
	expect_read("tftp://192.168.100.255:65535/a/", "tftp://192.168.100.255:65535/a/",
		    "192.168.100.255:65535", 65535);
}

static void a_tftp_server_has_an_address(void **state)
{
	static const uint8_t address[] = {192, 168, 0, 255};
	struct url url;

	assert_null(read_copy("tftp://192.168.0.255/x", &url));
	assert_true(url.is_tftp);
	assert_memory_equal(url.address, address, sizeof(address));
	assert_null(read_copy("http://192.168.0.255/x", &url));
	assert_false(url.is_tftp);
}

static void other_urls_are_refused(void **state)
{
	static const struct {
		const char *text, *wrong;
	} rows[] = {
		{"", "must begin with http:// or tftp://"},
		{"http:/", "must begin with http:// or tftp://"},
		{"https://a/", "must begin with http:// or tftp://"},
		{"http://", "must name a host"},
		{"http:///x", "must name a host"},
		{"http://:80/x", "must name a host"},
		{"http://a b/", "must name a host"},
		{"http://user@a/", "must name a host"},
		{"http://[::1]/", "must name a host"},
		{"http://a:/", "must have a port from 1 to 65535"},
		{"http://a:0/", "must have a port from 1 to 65535"},
		{"http://a:65536/", "must have a port from 1 to 65535"},
		{"http://a:8o/", "must have a port from 1 to 65535"},
		{"http://a:80:80/", "must have a port from 1 to 65535"},
		{"tftp://a/", "must name a TFTP server by its IPv4 address"},
		{"tftp://1.2.3/", "must name a TFTP server by its IPv4 address"},
		{"tftp://1.2.3.4.5/", "must name a TFTP server by its IPv4 address"},
		{"tftp://1.2.3.256/", "must name a TFTP server by its IPv4 address"},
		{"tftp://1..3.4/", "must name a TFTP server by its IPv4 address"},
		{"http://a/x?y", "must have no query, and no characters but letters, digits and "
				 "/-._~%+,:=@"},
		{"http://a/x#y", "must have no query, and no characters but letters, digits and "
				 "/-._~%+,:=@"},
	};
	struct url url;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *wrong = read_copy(rows[i].text, &url);

		assert_non_null(wrong);
		assert_string_equal(wrong, rows[i].wrong);
	}
}

static void the_length_has_a_limit(void **state)
{
	char text[URL_SIZE] = "http://a/", file[URL_SIZE];
	struct url url;

	memset(text + 9, 'x', URL_SIZE - 10);
	assert_string_equal(read_copy(text, &url), "must have at most 254 characters");
	text[URL_SIZE - 2] = '\0';
	assert_null(read_copy(text, &url));
	assert_int_equal(strlen(url.folder), URL_SIZE - 1);
	assert_true(url_join(&url, "", file));
	assert_false(url_join(&url, "a", file));
}

static void files_are_below_the_folder(void **state)
{
	char file[URL_SIZE];
	struct url url;

	assert_null(read_copy("tftp://10.0.2.2:6969/a/b", &url));
	assert_true(url_join(&url, "01-aa/stencil.conf", file));
	assert_string_equal(file, "tftp://10.0.2.2:6969/a/b/01-aa/stencil.conf");
	assert_string_equal(url_tftp_name(&url, file), "a/b/01-aa/stencil.conf");
	assert_null(read_copy("tftp://10.0.2.2", &url));
	assert_true(url_join(&url, "jobs.cpio", file));
	assert_string_equal(url_tftp_name(&url, file), "jobs.cpio");
}

static void own_folders_are_named_as_by_pxelinux(void **state)
{
	static const uint8_t mac[] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef, 1, 2, 3};
	char folder[URL_OWN_SIZE];

	url_own_folder(1, mac, 6, folder);
	assert_string_equal(folder, "01-52-54-00-ab-cd-ef/");
	url_own_folder(0x20, mac, sizeof(mac), folder);
	assert_string_equal(folder, "20-52-54-00-ab-cd-ef-01-02/");
}

static void numbers_have_64_bits(void **state)
{
	static const char *const wrong[] = {
		"", " 1", "1 ", "-1", "0x1", "18446744073709551616", "99999999999999999999"};
	char text[URL_NUMBER_SIZE];
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(url_read_number(wrong[i], strlen(wrong[i]), &number));
	assert_true(url_read_number("0", 1, &number));
	assert_int_equal(number, 0);
	url_write_number(number, text);
	assert_string_equal(text, "0");
	assert_true(url_read_number("18446744073709551615", 20, &number));
	assert_true(number == UINT64_MAX);
	url_write_number(number, text);
	assert_string_equal(text, "18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_folders),
		cmocka_unit_test(a_tftp_server_has_an_address),
		cmocka_unit_test(other_urls_are_refused),
		cmocka_unit_test(the_length_has_a_limit),
		cmocka_unit_test(files_are_below_the_folder),
		cmocka_unit_test(own_folders_are_named_as_by_pxelinux),
		cmocka_unit_test(numbers_have_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
