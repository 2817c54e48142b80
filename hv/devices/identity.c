/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts and numbers of a VM's identity. The caller supplies the random bytes. */
#include "hv/devices/identity.h"

#include "hv/lib/string.h"

#define MAC_LOCAL 0x02

/* The place in memory of the n-th byte of a UUID's text. */
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool identity_parse_guid(const char *text, uint8_t ret[16])
{
	uint8_t bytes[16] = {0};
	size_t n = 0;

	if (strlen(text) != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		int digit = hex_digit(text[i]);

		if (is_dash ? text[i] != '-' : digit < 0)
			return false;
		if (is_dash)
			continue;
		bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | digit);
		n++;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		ret[guid_order[i]] = bytes[i];
	return true;
}

/* RFC 4122, "Algorithms for Creating a UUID from Truly Random or Pseudo-Random Numbers". */
void identity_make_guid(const uint8_t random[16], uint8_t ret[16])
{
	for (size_t i = 0; i < 16; i++)
		ret[guid_order[i]] = random[i];
	ret[guid_order[6]] = (ret[guid_order[6]] & 0x0f) | 0x40;
	ret[guid_order[8]] = (ret[guid_order[8]] & 0x3f) | 0x80;
}

void identity_make_mac(uint16_t machine, uint32_t vm, uint8_t ret[6])
{
	const uint8_t mac[6] = {MAC_LOCAL,	     (uint8_t)(machine >> 8), (uint8_t)machine,
				(uint8_t)(vm >> 16), (uint8_t)(vm >> 8),      (uint8_t)vm};

	memcpy(ret, mac, sizeof(mac));
}
