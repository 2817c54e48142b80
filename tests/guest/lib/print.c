/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to the first 16550. Polls for a bounded time a byte, so that an absent UART does no harm. */
#include "tests/guest/lib/internal.h"
#include "tests/guest/lib/lib.h"

#define UART	   0x3f8
#define UART_IER   (UART + 1)
#define UART_FCR   (UART + 2)
#define UART_LCR   (UART + 3)
#define UART_MCR   (UART + 4)
#define UART_LSR   (UART + 5)
#define LSR_THRE   0x20
#define POLL_LIMIT 100000

void serial_init(void)
{
	outb(0, UART_IER);
	outb(0x03, UART_LCR); /* 8n1 */
	outb(0x01, UART_FCR); /* FIFO on */
	outb(0x03, UART_MCR); /* DTR, RTS */
}

void print_char(char c)
{
	if (c == '\n')
		print_char('\r');
	for (int i = 0; i < POLL_LIMIT; i++) {
		if (inb(UART_LSR) & LSR_THRE)
			break;
	}
	outb((uint8_t)c, UART);
}

static void print_string(const char *s)
{
	while (*s != '\0')
		print_char(*s++);
}

struct conversion {
	unsigned width;
	char pad;
	bool alternate;
	bool is_long;
};

static void print_number(uint64_t value, unsigned base, const struct conversion *c)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (c->alternate)
		print_string("0x");
	for (unsigned i = n; i < c->width; i++)
		print_char(c->pad);
	while (n > 0)
		print_char(digits[--n]);
}

static const char *parse_conversion(const char *f, struct conversion *ret)
{
	*ret = (struct conversion){.pad = ' '};
	for (; *f == '#' || *f == '0'; f++) {
		if (*f == '#')
			ret->alternate = true;
		else
			ret->pad = '0';
	}
	for (; *f >= '0' && *f <= '9'; f++)
		ret->width = ret->width * 10 + (unsigned)(*f - '0');
	for (; *f == 'l'; f++)
		ret->is_long = true;
	return f;
}

static void print_signed(int64_t value, const struct conversion *c)
{
	if (value < 0)
		print_char('-');
	print_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, c);
}

void print_args(const char *f, __builtin_va_list args)
{
	struct conversion c;

	for (; *f != '\0'; f++) {
		if (*f != '%') {
			print_char(*f);
			continue;
		}
		f = parse_conversion(f + 1, &c);
		if (*f == 's')
			print_string(__builtin_va_arg(args, const char *));
		else if (*f == 'c')
			print_char((char)__builtin_va_arg(args, int));
		else if (*f == 'd' && c.is_long)
			print_signed(__builtin_va_arg(args, int64_t), &c);
		else if (*f == 'd')
			print_signed(__builtin_va_arg(args, int), &c);
		else if (*f == 'u' || *f == 'x')
			print_number(c.is_long ? __builtin_va_arg(args, uint64_t)
					       : __builtin_va_arg(args, uint32_t),
				     *f == 'u' ? 10 : 16, &c);
		else
			print_char(*f);
	}
}

void print(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	print_args(format, args);
	__builtin_va_end(args);
}
