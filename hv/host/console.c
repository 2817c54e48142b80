/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's console: a UART and the screen. Text for the UART goes through a ring, because a
 * UART needs a millisecond for sixteen bytes; the screen is drawn when there is time. A UART
 * that stops taking bytes is given up, so that no caller waits for it again.
 */
#include "hv/host/console.h"

#include "hv/host/io.h"
#include "hv/host/screen.h"
#include "hv/host/tsc.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Registers of a 16550. */
enum {
	UART_DATA = 0,
	UART_INTERRUPT_ENABLE = 1,
	UART_DIVISOR_LOW = 0,
	UART_DIVISOR_HIGH = 1,
	UART_FIFO_CONTROL = 2,
	UART_LINE_CONTROL = 3,
	UART_MODEM_CONTROL = 4,
	UART_LINE_STATUS = 5,
	UART_SCRATCH = 7,
	LINE_8N1 = 0x03,
	LINE_DIVISOR_ACCESS = 0x80,
	FIFO_ENABLE_AND_CLEAR = 0x07,
	MODEM_DTR_RTS = 0x03,
	STATUS_DATA = 0x01,
	STATUS_SEND_EMPTY = 0x20, /* the FIFO is empty */
	STATUS_ALL_SENT = 0x40,	  /* and the last bit is on the line */
};

enum {
	RING_SIZE = 16384, /* a power of two */
	FIFO_SIZE = 16,
	LINE_MAX = 1024,
	SEND_TRIES = 1000000, /* reads of a port take a microsecond; the FIFO empties in 1.4 ms */
	DRAWS_PER_SECOND = 10,
};

/* Guards everything below except the level. A leaf. */
static struct lock console_lock;
static bool lock_broken;
static uint16_t serial_port; /* 0: none */
static bool buffered;
static bool line_is_open; /* the last output was not a whole line */
static struct {
	uint32_t head, tail; /* total bytes put in and taken out */
	char data[RING_SIZE];
} ring;
static struct screen screen;
static uint64_t last_draw;
static uint64_t waited_tsc; /* in write_locked(), while output was not buffered */

static enum log_level max_level = LOG_INFO;
static char step[64]; /* the beginning of its line; only the boot processor uses it */

static void console_lock_acquire(void)
{
	if (!lock_broken)
		lock_acquire(&console_lock);
}

static void console_lock_release(void)
{
	if (!lock_broken)
		lock_release(&console_lock);
}

static bool uart_can_send(void)
{
	return inb((uint16_t)(serial_port + UART_LINE_STATUS)) & STATUS_SEND_EMPTY;
}

/* Fill the UART's empty FIFO. */
static void ring_send_some(void)
{
	for (unsigned i = 0; i < FIFO_SIZE && ring.tail != ring.head; i++)
		outb(serial_port + UART_DATA, (uint8_t)ring.data[ring.tail++ % RING_SIZE]);
}

static void ring_send_without_waiting(void)
{
	if (serial_port != 0 && ring.tail != ring.head && uart_can_send())
		ring_send_some();
}

static void ring_send_all(void)
{
	unsigned tries = 0;

	while (serial_port != 0 && ring.tail != ring.head) {
		if (uart_can_send()) {
			ring_send_some();
			tries = 0;
		} else if (++tries == SEND_TRIES) {
			serial_port = 0;
		} else {
			pause();
		}
	}
}

/* Wait for the last bit: the machine may be switched off next. */
static void uart_wait_all_sent(void)
{
	if (serial_port == 0)
		return;
	for (unsigned i = 0; i < SEND_TRIES; i++) {
		if (inb((uint16_t)(serial_port + UART_LINE_STATUS)) & STATUS_ALL_SENT)
			return;
		pause();
	}
}

static void ring_put(char c)
{
	if (serial_port == 0)
		return;
	if (ring.head - ring.tail == RING_SIZE)
		ring_send_all();
	ring.data[ring.head++ % RING_SIZE] = c;
}

/* A terminal needs a return with each newline. */
static void serial_write(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
			ring_put('\r');
		ring_put(data[i]);
	}
}

static void draw(void)
{
	screen_draw(&screen);
	last_draw = rdtsc();
}

/* End an open line before a whole line starts. */
static void close_line(void)
{
	if (!line_is_open)
		return;
	line_is_open = false;
	serial_write("\n", 1);
	screen_write(&screen, SCREEN_PLAIN, "\n", 1);
}

static void write_locked(enum screen_color color, const char *data, size_t len)
{
	serial_write(data, len);
	screen_write(&screen, color, data, len);
	if (buffered) {
		ring_send_without_waiting();
		return;
	}
	uint64_t begin = rdtsc();

	ring_send_all();
	draw();
	waited_tsc += rdtsc() - begin;
}

/* A port without a device reads as all ones. */
static bool uart_is_present(uint16_t port)
{
	outb((uint16_t)(port + UART_SCRATCH), 0x5a);
	if (inb((uint16_t)(port + UART_SCRATCH)) != 0x5a)
		return false;
	outb((uint16_t)(port + UART_SCRATCH), 0xa5);
	return inb((uint16_t)(port + UART_SCRATCH)) == 0xa5;
}

static void uart_init(uint16_t port)
{
	outb((uint16_t)(port + UART_INTERRUPT_ENABLE), 0);
	outb((uint16_t)(port + UART_LINE_CONTROL), LINE_DIVISOR_ACCESS);
	outb((uint16_t)(port + UART_DIVISOR_LOW), 1);
	outb((uint16_t)(port + UART_DIVISOR_HIGH), 0);
	outb((uint16_t)(port + UART_LINE_CONTROL), LINE_8N1);
	outb((uint16_t)(port + UART_FIFO_CONTROL), FIFO_ENABLE_AND_CLEAR);
	outb((uint16_t)(port + UART_MODEM_CONTROL), MODEM_DTR_RTS);
}

void console_set_serial(uint16_t port)
{
	console_lock_acquire();
	if (port == serial_port) {
		console_lock_release();
		return;
	}
	ring_send_all();
	uart_wait_all_sent(); /* setting up a UART empties its FIFO */
	serial_port = port != 0 && uart_is_present(port) ? port : 0;
	ring.tail = ring.head;
	if (serial_port != 0)
		uart_init(port);
	console_lock_release();
}

void console_init(const struct boot_info *info)
{
	screen_init(&screen);
	for (uint32_t i = 0; i < info->n_framebuffers; i++) {
		const struct boot_framebuffer *fb = &info->framebuffer[i];

		screen_add(&screen, &(struct screen_display){
					    .base = (uint32_t *)fb->base,
					    .width = fb->width,
					    .height = fb->height,
					    .pitch = fb->pitch,
					    .red_shift = fb->red_shift,
					    .green_shift = fb->green_shift,
					    .blue_shift = fb->blue_shift,
				    });
	}
	console_set_serial(CONSOLE_COM1);
}

void console_set_buffered(bool on)
{
	console_lock_acquire();
	buffered = on;
	console_lock_release();
	if (!on)
		console_flush();
}

bool console_poll(void)
{
	console_lock_acquire();
	ring_send_without_waiting();
	if (screen.dirty && rdtsc() - last_draw >= tsc_hz / DRAWS_PER_SECOND)
		draw();
	bool waits = (serial_port != 0 && ring.tail != ring.head) || screen.dirty;

	console_lock_release();
	return waits;
}

uint64_t console_waited_tsc(void)
{
	console_lock_acquire();
	uint64_t ticks = waited_tsc;

	console_lock_release();
	return ticks;
}

void console_flush(void)
{
	console_lock_acquire();
	ring_send_all();
	uart_wait_all_sent();
	draw();
	console_lock_release();
}

static void write_line(enum screen_color color, const char *data, size_t len)
{
	console_lock_acquire();
	close_line();
	write_locked(color, data, len);
	console_lock_release();
}

void console_write_raw(const char *data, size_t len)
{
	write_line(SCREEN_PLAIN, data, len);
}

void console_write_part(const char *data, size_t len)
{
	console_lock_acquire();
	write_locked(SCREEN_PLAIN, data, len);
	line_is_open = len > 0 ? data[len - 1] != '\n' : line_is_open;
	console_lock_release();
}

bool console_line_is_open(void)
{
	bool is_open;

	console_lock_acquire();
	is_open = line_is_open;
	console_lock_release();
	return is_open;
}

size_t console_waiting(void)
{
	size_t n;

	console_lock_acquire();
	n = serial_port != 0 ? ring.head - ring.tail : 0;
	console_lock_release();
	return n;
}

int console_read(void)
{
	int c = -1;

	console_lock_acquire();
	if (serial_port != 0 && inb((uint16_t)(serial_port + UART_LINE_STATUS)) & STATUS_DATA)
		c = inb((uint16_t)(serial_port + UART_DATA));
	console_lock_release();
	return c;
}

void console_break_lock(void)
{
	lock_broken = true;
	buffered = false;
}

/* Format a whole line; one that is too long for the buffer loses its end. */
static size_t format_line(char line[LINE_MAX], const char *prefix, const char *fmt, va_list args)
{
	size_t len = format(line, LINE_MAX, "%s", prefix);

	len += format_v(line + len, LINE_MAX - len, fmt, args);
	if (len > LINE_MAX - 2)
		len = LINE_MAX - 2;
	line[len++] = '\n';
	return len;
}

static void say(const char *prefix, enum screen_color color, const char *fmt, va_list args)
{
	char line[LINE_MAX];
	size_t len = format_line(line, prefix, fmt, args);

	write_line(color, line, len);
}

static bool is_logged(enum log_level level)
{
	return level <= __atomic_load_n(&max_level, __ATOMIC_RELAXED);
}

void console_begin_step(const char *name)
{
	size_t len = format(step, sizeof(step), "stencil: %s: ", name);

	if (is_logged(LOG_INFO))
		console_write_part(step, len);
}

void console_end_step(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = format_line(line, console_line_is_open() ? "" : step, fmt, args);
	va_end(args);
	if (is_logged(LOG_INFO))
		console_write_part(line, len);
}

void console_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("stencil: ", SCREEN_PLAIN, fmt, args);
	va_end(args);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const struct {
		const char *prefix;
		enum screen_color color;
	} forms[] = {
		[LOG_ERROR] = {"stencil: error: ", SCREEN_ERROR},
		[LOG_WARNING] = {"stencil: warning: ", SCREEN_WARNING},
		[LOG_INFO] = {"stencil: ", SCREEN_PLAIN},
		[LOG_DEBUG] = {"stencil: ", SCREEN_PLAIN},
	};
	va_list args;

	if (!is_logged(level))
		return;
	va_start(args, fmt);
	say(forms[level].prefix, forms[level].color, fmt, args);
	va_end(args);
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&max_level, level, __ATOMIC_RELAXED);
}
