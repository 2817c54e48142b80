/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and names as QEMU reads them. QEMU computes the fraction of a size in a double; here the
 * same 53 bits come from integers, because the hypervisor does not use floating point.
 */
#include "hv/backends/parse.h"

#include "hv/lib/string.h"

/* Later decimals only mean "a bit more"; 2^-117 needs 117 decimals. */
#define DECIMALS_MAX 128

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

unsigned parse_hex_digit(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;
}

/* Read all digits of 'base' at '*p', which moves past them. False: 2^64 or more. */
static bool read_digits(const char **p, unsigned base, uint64_t *ret)
{
	bool fits = true;
	uint64_t value = 0;

	for (; parse_hex_digit(**p) < base; (*p)++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)parse_hex_digit(**p), &value))
			fits = false;
	}
	*ret = value;
	return fits;
}

/* The digits after the point; 'more': a digit that has no room is not 0. */
struct decimals {
	uint8_t digit[DECIMALS_MAX];
	unsigned n;
	bool more;
};

static const char *read_decimals(const char *p, struct decimals *ret)
{
	*ret = (struct decimals){0};
	for (; is_digit(*p); p++) {
		if (ret->n < DECIMALS_MAX)
			ret->digit[ret->n++] = (uint8_t)(*p - '0');
		else if (*p != '0')
			ret->more = true;
	}
	return p;
}

/* Double the fraction; returns the bit that leaves it. */
static unsigned double_decimals(struct decimals *decimals)
{
	unsigned carry = 0;

	for (unsigned i = decimals->n; i-- > 0;) {
		unsigned twice = 2U * decimals->digit[i] + carry;

		carry = twice >= 10;
		decimals->digit[i] = (uint8_t)(carry ? twice - 10 : twice);
	}
	return carry;
}

static bool is_zero(const struct decimals *decimals)
{
	for (unsigned i = 0; i < decimals->n; i++) {
		if (decimals->digit[i] != 0)
			return false;
	}
	return !decimals->more;
}

/* Round to 53 significant bits, half to even. 'more': there are bits below bit 0. */
static unsigned __int128 round_to_double(unsigned __int128 value, bool more)
{
	unsigned __int128 unit = 1, rest;
	bool up;

	while (value >> 53 >= unit)
		unit <<= 1;
	rest = value & (unit - 1);
	value -= rest;
	up = 2 * rest > unit || (2 * rest == unit && (more || (value & unit)));
	return up ? value + unit : value;
}

/*
 * The fraction in units of 2^-64, rounded as in a double; at least 1 unless it is zero. '*ret_one':
 * it was rounded up to one.
 */
static uint64_t fraction_bits(struct decimals *decimals, bool *ret_one)
{
	bool zero = is_zero(decimals);
	unsigned __int128 bits = 0;
	uint64_t fraction;

	for (unsigned i = 0; i < 64 + 53; i++)
		bits = bits << 1 | double_decimals(decimals);
	bits = round_to_double(bits, !is_zero(decimals)) >> 53;
	*ret_one = bits >> 64 != 0;
	fraction = (uint64_t)bits;
	return fraction == 0 && !zero && !*ret_one ? 1 : fraction;
}

/* The shift of a suffix; 64: it is not a suffix. */
static unsigned suffix_shift(char c)
{
	static const char suffixes[] = "BKMGTPE";
	char upper = (char)(is_letter(c) ? c & ~0x20 : c);

	for (unsigned i = 0; suffixes[i] != '\0'; i++) {
		if (suffixes[i] == upper)
			return 10 * i;
	}
	return 64;
}

/* (whole + fraction / 2^64) << shift, with half a byte rounded up. */
static enum status scale(uint64_t whole, uint64_t fraction, unsigned shift, uint64_t *ret)
{
	unsigned __int128 value;

	if (shift == 0 && fraction != 0)
		return ERR_INVAL;
	value = (unsigned __int128)whole << shift;
	value += ((unsigned __int128)fraction << shift) >> 64;
	value += fraction << shift >> 63;
	if (value >> 64 != 0)
		return ERR_RANGE;
	*ret = (uint64_t)value;
	return OK;
}

static enum status parse_hex_size(const char *p, uint64_t *ret)
{
	const char *start = p;
	bool fits = read_digits(&p, 16, ret);

	if (p == start || *p != '\0')
		return ERR_INVAL;
	return fits ? OK : ERR_RANGE;
}

/* Parse what follows the sign. */
static enum status parse_unsigned_size(const char *p, uint64_t *ret)
{
	const char *start = p;
	struct decimals decimals;
	uint64_t whole, fraction = 0;
	bool one = false, fits = read_digits(&p, 10, &whole), any = p != start;
	unsigned shift;

	if (fits && any && whole == 0 && (*p == 'x' || *p == 'X'))
		return *start == '0' && p == start + 1 ? parse_hex_size(p + 1, ret) : ERR_INVAL;
	if (*p == '.') {
		any = any || is_digit(p[1]);
		p = read_decimals(p + 1, &decimals);
		fraction = fraction_bits(&decimals, &one);
	}
	shift = suffix_shift(*p);
	if (shift < 64)
		p++;
	if (!any || *p != '\0')
		return ERR_INVAL;
	if (!fits || __builtin_add_overflow(whole, (uint64_t)one, &whole))
		return ERR_RANGE;
	return scale(whole, fraction, shift < 64 ? shift : 0, ret);
}

enum status parse_size(const char *text, uint64_t *ret)
{
	uint64_t ignored, value;
	enum status status;

	while (is_blank(*text))
		text++;
	if (*text == '-') {
		status = parse_unsigned_size(text + 1, &ignored);
		return status == OK ? ERR_RANGE : status;
	}
	status = parse_unsigned_size(*text == '+' ? text + 1 : text, &value);
	if (status == OK)
		*ret = value;
	return status;
}

void parse_advise_size(const char *text, struct diag *diag)
{
	char shorter[32];
	size_t len = strlen(text);

	if (len < 3 || len >= sizeof(shorter) || text[len - 1] != 'B')
		return;
	len -= text[len - 2] == 'i' ? 2 : 1;
	memcpy(shorter, text, len);
	shorter[len] = '\0';
	if (parse_size(shorter, &(uint64_t){0}) == OK)
		diag_advice(diag, "did you mean '%s'?", shorter);
}

/* Moves '*p' past blanks, sign, prefix and digits. */
static enum status read_integer(const char **p, uint64_t *ret, bool *ret_negative)
{
	const char *digits;
	unsigned base = 10;
	bool fits;

	while (is_blank(**p))
		(*p)++;
	*ret_negative = **p == '-';
	if (**p == '-' || **p == '+')
		(*p)++;
	if (**p == '0') {
		base = 8;
		if (((*p)[1] == 'x' || (*p)[1] == 'X') && parse_hex_digit((*p)[2]) < 16) {
			base = 16;
			*p += 2;
		}
	}
	digits = *p;
	fits = read_digits(p, base, ret);
	if (*p == digits)
		return ERR_INVAL;
	return fits ? OK : ERR_RANGE;
}

enum status parse_integer(const char *text, uint64_t *ret, bool *ret_negative)
{
	uint64_t value;
	bool negative;
	enum status status = read_integer(&text, &value, &negative);

	if (*text != '\0')
		return ERR_INVAL;
	TRY(status);
	if (negative && value > BIT(63))
		return ERR_RANGE;
	*ret = negative ? 0 - value : value;
	*ret_negative = negative;
	return OK;
}

enum status parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	bool negative_first, negative_last = false;
	uint64_t first, last;

	TRY(read_integer(&text, &first, &negative_first));
	last = first;
	if (*text == '-') {
		text++;
		TRY(read_integer(&text, &last, &negative_last));
	}
	if (*text != '\0' || negative_first || negative_last || first > last ||
	    last - first >= 65536)
		return ERR_INVAL;
	*ret_first = first;
	*ret_last = last;
	return OK;
}

enum status parse_limit(const struct word *word, size_t at, const char *name, struct diag *diag,
			uint64_t *ret)
{
	uint64_t size;

	if (parse_size(word->text + at, &size) == OK && size >= PAGE_SIZE) {
		*ret = align_down(size, PAGE_SIZE);
		return OK;
	}
	diag_error(diag, word_place(word, at), "Parameter '%s' expects a size of at least 4 KiB",
		   name);
	return ERR_INVAL;
}

bool parse_bool(const char *text, bool *ret)
{
	static const char *const names[] = {"on", "yes", "true", "y", "off", "no", "false", "n"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret = i < 4;
		return true;
	}
	return false;
}

bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (strncmp(list, name, len) != 0 || (list[len] != ' ' && list[len] != '\0')) {
		list = strchr(list, ' ');
		if (list == NULL)
			return false;
		list++;
	}
	return strchr(name, ' ') == NULL;
}

bool is_identifier(const char *text)
{
	if (!is_letter(*text))
		return false;
	while (*++text != '\0') {
		if (!is_letter(*text) && !is_digit(*text) && strchr("-._", *text) == NULL)
			return false;
	}
	return true;
}
