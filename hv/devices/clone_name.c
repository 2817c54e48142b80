/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/clone_name.h"

#define DIGITS_MAX 10
#define PREFIX_MAX (CLONE_NAME_SIZE - 2 - DIGITS_MAX) /* a sign, digits, and the end */

/* By hand, because format() takes 400 instructions, a fifth of what a clone takes. */
static void put_number(char *to, uint32_t number)
{
	char digits[DIGITS_MAX];
	unsigned n = 0;

	for (; n == 0 || number; number /= 10)
		digits[n++] = (char)('0' + number % 10);
	while (n > 0)
		*to++ = digits[--n];
	*to = '\0';
}

void clone_name(char name[CLONE_NAME_SIZE], const char *template, uint32_t number, uint32_t index)
{
	size_t len = 0;
	bool is_cut;

	for (; len < PREFIX_MAX && template[len]; len++)
		name[len] = template[len];
	is_cut = template[len];
	name[len] = is_cut ? '~' : '-';
	put_number(name + len + 1, is_cut ? index : number);
}
