/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/examine.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

static enum status refuse(char *why, const char *what)
{
	format(why, EXAMINE_WHY_MAX, "%s", what);
	return ERR_INVAL;
}

/* The unit that a letter stands for; 0: it is none. 'L' is an old name of 'g'. */
static uint8_t size_of(char letter)
{
	switch (letter) {
	case 'b':
		return 1;
	case 'h':
		return 2;
	case 'w':
		return 4;
	case 'g':
	case 'L':
		return 8;
	default:
		return 0;
	}
}

static const char *read_count(const char *text, uint32_t *ret)
{
	uint64_t count = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		count = count * 10 + (uint64_t)(*text - '0');
		count = count < UINT32_MAX ? count : UINT32_MAX;
	}
	*ret = (uint32_t)count;
	return text;
}

enum status examine_read_format(const char *text, struct examine *ret, char why[EXAMINE_WHY_MAX])
{
	struct examine examine = *ret;
	uint32_t count = 1;

	text += *text == '/';
	if (*text >= '0' && *text <= '9')
		text = read_count(text, &count);
	for (; *text != '\0'; text++) {
		if (strchr("oxduc", *text) != NULL)
			examine.format = *text;
		else if (size_of(*text) > 0)
			examine.size = size_of(*text);
		else if (*text == 'i')
			return refuse(why, "format 'i' is not supported: there is no disassembler");
		else
			break;
	}
	if (*text != '\0') {
		format(why, EXAMINE_WHY_MAX, "invalid char in format: '%c'", *text);
		return ERR_INVAL;
	}
	examine.n_left = (uint64_t)count * examine.size;
	*ret = examine;
	return OK;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static int read_register(const char **text)
{
	static const char names[][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					"rsi", "rdi", "r8",  "r9",  "r10", "r11",
					"r12", "r13", "r14", "r15", "rip"};
	size_t len = 0;

	while (is_alphanumeric((*text)[len]))
		len++;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == len && strncmp(names[i], *text, len) == 0) {
			*text += len;
			return (int)i;
		}
	}
	return EXAMINE_NO_REGISTER;
}

/* The value of a digit; 16: it is none. */
static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* In C's notation: octal after 0, hexadecimal after 0x. False: too large. */
static bool read_number(const char **text, uint64_t *ret)
{
	const char *at = *text;
	uint64_t base = 10;
	bool fits = true;

	if (*at == '0') {
		bool is_hex = (at[1] | ' ') == 'x' && digit_of(at[2]) < 16;

		base = is_hex ? 16 : 8;
		at += is_hex ? 2 : 0;
	}
	for (*ret = 0; digit_of(*at) < base; at++)
		fits &= !__builtin_mul_overflow(*ret, base, ret) &&
			!__builtin_add_overflow(*ret, digit_of(*at), ret);
	*text = at;
	return fits;
}

/* One register or number of a sum, with its sign. */
static enum status read_term(const char **text, bool is_negative, struct examine *examine,
			     char *why)
{
	bool may_be_register = !is_negative && examine->reg == EXAMINE_NO_REGISTER;
	uint64_t number;

	if (**text == '\0')
		return refuse(why, "unexpected end of expression");
	if (**text == '$' && may_be_register) {
		++*text;
		examine->reg = (int8_t)read_register(text);
		return examine->reg < 0 ? refuse(why, "unknown register") : OK;
	}
	if (digit_of(**text) > 9) {
		format(why, EXAMINE_WHY_MAX, "invalid char '%c' in expression", **text);
		return ERR_INVAL;
	}
	if (!read_number(text, &number))
		return refuse(why, "number too large");
	examine->address += is_negative ? -number : number;
	return OK;
}

enum status examine_read_address(const char *text, struct examine *ret, char why[EXAMINE_WHY_MAX])
{
	struct examine examine = *ret;
	bool is_negative = *text == '-';

	examine.reg = EXAMINE_NO_REGISTER;
	examine.address = 0;
	text += is_negative || *text == '+';
	for (;;) {
		TRY(read_term(&text, is_negative, &examine, why));
		if (*text == '\0')
			break;
		is_negative = *text == '-';
		if (!is_negative && *text != '+') {
			format(why, EXAMINE_WHY_MAX, "invalid char '%c' in expression", *text);
			return ERR_INVAL;
		}
		text++;
	}
	*ret = examine;
	return OK;
}

unsigned examine_line_bytes(const struct examine *examine)
{
	unsigned max = examine->size == 1 ? EXAMINE_BYTES_MAX / 2 : EXAMINE_BYTES_MAX;

	return examine->n_left < max ? (unsigned)examine->n_left : max;
}

/* A part of the line, which is long enough for all parts. */
struct out {
	char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	out->at += format_v(out->at, (size_t)(out->end - out->at), fmt, args);
	va_end(args);
}

static void put_char(struct out *out, uint8_t c)
{
	if (c == '\n' || c == '\r')
		put(out, " '\\%c'", c == '\n' ? 'n' : 'r');
	else if (c < ' ' || c > '~')
		put(out, " '\\x%02x'", c);
	else
		put(out, " '%s%c'", c == '\'' || c == '\\' ? "\\" : "", c);
}

/* With a zero before other digits, as far to the right as the largest number. */
static void put_octal(struct out *out, uint64_t value, unsigned width)
{
	char digits[24], *at = digits + sizeof(digits);

	*--at = '\0';
	for (; value > 0; value >>= 3)
		*--at = (char)('0' + (value & 7));
	*--at = '0';
	put(out, " %*s", (int)width, at);
}

static void put_item(struct out *out, const struct examine *examine, uint64_t value)
{
	unsigned bits = examine->size * 8, decimals = (bits * 10 + 32) / 33;

	if (examine->format == 'o')
		put_octal(out, value, (bits + 2) / 3);
	else if (examine->format == 'x')
		put(out, " 0x%0*lx", (int)bits / 4, value);
	else if (examine->format == 'u')
		put(out, " %*lu", (int)decimals, value);
	else
		put(out, " %*ld", (int)decimals, (int64_t)value);
}

void examine_line(struct examine *examine, const uint8_t *bytes, char line[EXAMINE_LINE_MAX])
{
	unsigned n = examine_line_bytes(examine), size = examine->size;
	struct out out = {line, line + EXAMINE_LINE_MAX};

	put(&out, "%016lx:", examine->address);
	if (bytes == NULL) {
		put(&out, " Cannot access memory");
		examine->n_left = 0;
		return;
	}
	if (examine->format == 'c')
		for (unsigned i = 0; i < n; i++)
			put_char(&out, bytes[i]);
	for (unsigned i = 0; i < n && examine->format != 'c'; i += size) {
		uint64_t value = 0;

		memcpy(&value, bytes + i, size);
		put_item(&out, examine, value);
	}
	examine->address += n;
	examine->n_left -= n;
}
