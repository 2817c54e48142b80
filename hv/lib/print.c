/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text, by the rules of the C library, except that %p prints a null
 * pointer as 0x0. No floating point, no positional arguments, no %n.
 */
#include "hv/lib/print.h"

#include "hv/lib/string.h"

enum length { LENGTH_CHAR, LENGTH_SHORT, LENGTH_INT, LENGTH_LONG };

struct output {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero, plus, space, alternate;
	size_t width;
	bool has_precision;
	size_t precision;
	enum length length;
	char conversion;
};

/* A struct, so that the list can be passed by reference. */
struct arguments {
	va_list list;
};

static void put(struct output *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void put_many(struct output *out, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(out, c);
}

static void put_text(struct output *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put(out, s[i]);
}

static void put_padded(struct output *out, const struct spec *spec, const char *s, size_t len)
{
	size_t pad = spec->width > len ? spec->width - len : 0;

	if (!spec->left)
		put_many(out, ' ', pad);
	put_text(out, s, len);
	if (spec->left)
		put_many(out, ' ', pad);
}

/* Print sign or 0x, zeros and digits in a field. */
static void put_number(struct output *out, const struct spec *spec, const char *prefix,
		       uint64_t value)
{
	const char *symbols = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned base = spec->conversion == 'x' || spec->conversion == 'X' ? 16 : 10;
	size_t min = spec->has_precision ? spec->precision : 1, prefix_len = strlen(prefix);
	char digits[20];
	size_t n = 0;

	for (; value != 0; value /= base)
		digits[n++] = symbols[value % base];
	if (spec->zero && !spec->left && !spec->has_precision && spec->width > prefix_len + min)
		min = spec->width - prefix_len;

	size_t zeros = min > n ? min - n : 0, len = prefix_len + zeros + n;
	size_t pad = spec->width > len ? spec->width - len : 0;

	if (!spec->left)
		put_many(out, ' ', pad);
	put_text(out, prefix, prefix_len);
	put_many(out, '0', zeros);
	while (n > 0)
		put(out, digits[--n]);
	if (spec->left)
		put_many(out, ' ', pad);
}

static void put_signed(struct output *out, const struct spec *spec, struct arguments *args)
{
	int64_t value;

	if (spec->length == LENGTH_LONG)
		value = va_arg(args->list, int64_t);
	else
		value = va_arg(args->list, int);
	if (spec->length == LENGTH_SHORT)
		value = (short)value;
	if (spec->length == LENGTH_CHAR)
		value = (value & 0x7f) - (value & 0x80);
	if (value < 0)
		put_number(out, spec, "-", -(uint64_t)value);
	else
		put_number(out, spec, spec->plus ? "+" : spec->space ? " " : "", (uint64_t)value);
}

static void put_unsigned(struct output *out, const struct spec *spec, struct arguments *args)
{
	uint64_t value;
	const char *prefix = "";

	if (spec->length == LENGTH_LONG)
		value = va_arg(args->list, uint64_t);
	else
		value = va_arg(args->list, unsigned);
	if (spec->length == LENGTH_SHORT)
		value = (unsigned short)value;
	if (spec->length == LENGTH_CHAR)
		value = (unsigned char)value;
	if (spec->alternate && value != 0 && spec->conversion == 'x')
		prefix = "0x";
	if (spec->alternate && value != 0 && spec->conversion == 'X')
		prefix = "0X";
	put_number(out, spec, prefix, value);
}

static void put_pointer(struct output *out, struct spec *spec, struct arguments *args)
{
	spec->conversion = 'x';
	put_number(out, spec, "0x", (uintptr_t)va_arg(args->list, void *));
}

static void put_string(struct output *out, const struct spec *spec, struct arguments *args)
{
	const char *s = va_arg(args->list, const char *);

	if (s == NULL)
		s = "(null)";
	put_padded(out, spec, s, spec->has_precision ? strnlen(s, spec->precision) : strlen(s));
}

static void put_char(struct output *out, const struct spec *spec, struct arguments *args)
{
	char c = (char)va_arg(args->list, int);

	put_padded(out, spec, &c, 1);
}

static const char *parse_flags(const char *s, struct spec *spec)
{
	for (;; s++) {
		switch (*s) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		default:
			return s;
		}
	}
}

/*
 * A number is digits, or '*' for an argument. As in the C library, no more than
 * INT_MAX is allowed.
 */
static const char *parse_size(const char *s, struct arguments *args, int *ret)
{
	int n = 0;

	if (*s == '*') {
		*ret = va_arg(args->list, int);
		return s + 1;
	}
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n < 100000000)
			n = n * 10 + (*s - '0');
	}
	*ret = n;
	return s;
}

static const char *parse_width(const char *s, struct spec *spec, struct arguments *args)
{
	int n;

	s = parse_size(s, args, &n);
	if (n < 0)
		spec->left = true;
	spec->width = n < 0 ? -(size_t)n : (size_t)n;
	if (*s != '.')
		return s;
	s = parse_size(s + 1, args, &n);
	spec->has_precision = n >= 0;
	spec->precision = n >= 0 ? (size_t)n : 0;
	return s;
}

static const char *parse_length(const char *s, struct spec *spec)
{
	spec->length = LENGTH_INT;
	if (s[0] == 'h') {
		spec->length = s[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		return s[1] == 'h' ? s + 2 : s + 1;
	}
	if (s[0] == 'l' || s[0] == 'z') {
		spec->length = LENGTH_LONG;
		return s[0] == 'l' && s[1] == 'l' ? s + 2 : s + 1;
	}
	return s;
}

/* Return false if the conversion is unknown. */
static bool put_conversion(struct output *out, struct spec *spec, struct arguments *args)
{
	switch (spec->conversion) {
	case 'd':
	case 'i':
		put_signed(out, spec, args);
		return true;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(out, spec, args);
		return true;
	case 'c':
		put_char(out, spec, args);
		return true;
	case 's':
		put_string(out, spec, args);
		return true;
	case 'p':
		put_pointer(out, spec, args);
		return true;
	case '%':
		put(out, '%');
		return true;
	default:
		return false;
	}
}

/* Print the conversion that begins with the % at 's', and return what follows it. */
static const char *format_one(struct output *out, const char *s, struct arguments *args)
{
	struct spec spec = {0};
	const char *end = parse_flags(s + 1, &spec);

	end = parse_width(end, &spec, args);
	end = parse_length(end, &spec);
	spec.conversion = *end;
	if (put_conversion(out, &spec, args))
		return end + 1;
	put_text(out, s, (size_t)(end - s));
	return end;
}

size_t format_v(char *buf, size_t size, const char *fmt, va_list list)
{
	struct output out = {.buf = buf, .size = size};
	struct arguments args;

	va_copy(args.list, list);
	while (*fmt != '\0') {
		if (*fmt == '%')
			fmt = format_one(&out, fmt, &args);
		else
			put(&out, *fmt++);
	}
	va_end(args.list);
	if (size > 0)
		buf[out.len < size ? out.len : size - 1] = '\0';
	return out.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	size_t len = format_v(buf, size, fmt, args);

	va_end(args);
	return len;
}
