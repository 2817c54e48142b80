/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * URLs of host -fetch. What the firmware would have to guess is refused: user names, queries, and
 * characters that must be escaped.
 */
#include "boot/url.h"

#include <stddef.h>

uint64_t url_length(const char *text)
{
	uint64_t len = 0;

	while (len < URL_SIZE && text[len] != '\0')
		len++;
	return len;
}

static void copy(char *to, const char *from, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		to[i] = from[i];
}

static bool starts(const char *text, uint64_t len, const char *with, unsigned *ret_len)
{
	unsigned i = 0;

	while (i < len && with[i] != '\0' && text[i] == with[i])
		i++;
	*ret_len = i;
	return with[i] == '\0';
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether all characters are letters, digits, or in 'others'. */
static bool consists_of(const char *text, uint64_t len, const char *others)
{
	for (uint64_t i = 0; i < len; i++) {
		const char *other = others;

		while (*other != '\0' && *other != text[i])
			other++;
		if (*other == '\0' && !is_alphanumeric(text[i]))
			return false;
	}
	return true;
}

bool url_read_number(const char *text, uint64_t len, uint64_t *ret)
{
	uint64_t value = 0;

	for (uint64_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return len > 0;
}

void url_write_number(uint64_t number, char ret[URL_NUMBER_SIZE])
{
	unsigned len = 1;

	for (uint64_t rest = number / 10; rest > 0; rest /= 10)
		len++;
	ret[len] = '\0';
	for (; len > 0; number /= 10)
		ret[--len] = (char)('0' + number % 10);
}

static uint64_t find(const char *text, uint64_t len, char c)
{
	uint64_t at = 0;

	while (at < len && text[at] != c)
		at++;
	return at;
}

static bool read_address(const char *text, uint64_t len, uint8_t ret[4])
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t end = i < 3 ? find(text, len, '.') : len, value;

		if (!url_read_number(text, end, &value) || value > UINT8_MAX ||
		    (i < 3 && end == len))
			return false;
		ret[i] = (uint8_t)value;
		text += end + (i < 3);
		len -= end + (i < 3);
	}
	return true;
}

/* HOST[:PORT] */
static const char *read_host(const char *text, uint64_t len, struct url *ret)
{
	uint64_t end = find(text, len, ':'), port = 0;

	if (end == 0 || !consists_of(text, end, "-."))
		return "must name a host";
	if (ret->is_tftp && !read_address(text, end, ret->address))
		return "must name a TFTP server by its IPv4 address";
	if (end < len && (!url_read_number(text + end + 1, len - end - 1, &port) || port == 0 ||
			  port > UINT16_MAX))
		return "must have a port from 1 to 65535";
	ret->port = (uint16_t)port;
	return NULL;
}

const char *url_read(const char *text, uint64_t len, struct url *ret)
{
	uint64_t end;
	const char *wrong;

	*ret = (struct url){};
	ret->is_tftp = starts(text, len, "tftp://", &ret->host);
	if (!ret->is_tftp && !starts(text, len, "http://", &ret->host))
		return "must begin with http:// or tftp://";
	if (len > URL_SIZE - 2)
		return "must have at most 254 characters";
	end = ret->host + find(text + ret->host, len - ret->host, '/');
	ret->host_len = (unsigned)end - ret->host;
	wrong = read_host(text + ret->host, ret->host_len, ret);
	if (wrong != NULL)
		return wrong;
	if (!consists_of(text + end, len - end, "/-._~%+,:=@"))
		return "must have no query, and no characters but letters, digits and /-._~%+,:=@";
	copy(ret->folder, text, len);
	if (text[len - 1] != '/')
		ret->folder[len] = '/';
	return NULL;
}

bool url_join(const struct url *url, const char *name, char ret[URL_SIZE])
{
	uint64_t folder = url_length(url->folder), len = url_length(name);

	if (folder + len >= URL_SIZE)
		return false;
	copy(ret, url->folder, folder);
	copy(ret + folder, name, len + 1);
	return true;
}

const char *url_tftp_name(const struct url *url, const char *file)
{
	return file + url->host + url->host_len + 1;
}

static char *append_hex(char *out, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 0xf];
	return out;
}

void url_own_folder(uint8_t type, const uint8_t *mac, unsigned mac_len, char ret[URL_OWN_SIZE])
{
	char *out = append_hex(ret, type);

	for (unsigned i = 0; i < mac_len && i < URL_MAC_MAX; i++) {
		*out++ = '-';
		out = append_hex(out, mac[i]);
	}
	*out++ = '/';
	*out = '\0';
}
