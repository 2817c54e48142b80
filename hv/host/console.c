/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's console: a UART, the screen and the keyboard. Text for the UART goes through a
 * ring, because a UART needs a millisecond for sixteen bytes; the screen is drawn when there is
 * time. A UART that stops taking bytes is given up, so that no caller waits for it again.
 */
#include "hv/host/console.h"

#include "hv/host/io.h"
#include "hv/host/keyboard.h"
#include "hv/host/last_words.h"
#include "hv/host/output_ring.h"
#include "hv/host/screen.h"
#include "hv/host/tsc.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	SEND_TRIES = 1000000, /* reads of a port take a microsecond; the FIFO empties in 1.4 ms */
	FIFOS_AT_ONCE = 16,   /* without waiting; only an emulated UART takes more than one */
	DRAWS_PER_SECOND = 10,
	OFFER_MAX = 2048, /* bytes that wait beside a guest's line: the rest is for others' */
};

/* Guards everything below. A leaf. */
static struct lock console_lock;
static bool lock_broken;
static struct serial_port serial = {.space = ACPI_SPACE_NONE};
static bool buffered;
static bool line_is_open; /* the last output was not a whole line */
static struct output_ring ring;
static struct screen screen;
static bool is_painting; /* a processor paints, without the lock; cleared without it; atomic */
static bool shows_page;	 /* not the text; only while output is buffered */
static uint64_t last_draw;
static uint64_t waited_tsc; /* in write_locked(), while output was not buffered */
/* Lines that the full ring did not take: since the last line that says so, and before it. */
static unsigned n_lost;
static uint64_t n_told_lost; /* atomic */

static void console_lock_acquire(void)
{
	if (!lock_broken)
		lock_acquire(&console_lock);
}

static bool console_lock_try(void)
{
	return lock_broken || lock_try(&console_lock);
}

static void console_lock_release(void)
{
	if (!lock_broken)
		lock_release(&console_lock);
}

static bool has_serial(void)
{
	return serial.space != ACPI_SPACE_NONE;
}

/* Bytes that a port is to send. */
static size_t n_waiting(void)
{
	return has_serial() ? output_ring_len(&ring) : 0;
}

/* Fill the UART's empty FIFO. */
static void ring_send_some(void)
{
	for (unsigned i = 0; i < SERIAL_FIFO_SIZE && output_ring_len(&ring) > 0; i++)
		serial_send(&serial, (uint8_t)output_ring_take(&ring));
}

static void ring_send_without_waiting(void)
{
	for (unsigned i = 0; i < FIFOS_AT_ONCE && n_waiting() > 0 && serial_can_send(&serial); i++)
		ring_send_some();
}

static void ring_send_all(void)
{
	unsigned tries = 0;

	while (n_waiting() > 0) {
		if (serial_can_send(&serial)) {
			ring_send_some();
			tries = 0;
		} else if (++tries == SEND_TRIES) {
			serial.space = ACPI_SPACE_NONE;
		} else {
			pause();
		}
	}
}

/* Wait for the last bit: the machine may be switched off next. */
static void wait_all_sent(void)
{
	for (unsigned i = 0; has_serial() && i < SEND_TRIES; i++) {
		if (serial_all_sent(&serial))
			return;
		pause();
	}
}

/* A full ring loses its oldest byte if there is no port. */
static void ring_put(char c)
{
	if (output_ring_len(&ring) == OUTPUT_RING_SIZE && !buffered)
		ring_send_all();
	if (output_ring_len(&ring) == OUTPUT_RING_SIZE)
		(void)output_ring_take(&ring);
	output_ring_put(&ring, c);
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

/* Show all text at once. A panic does not wait for a processor that it has stopped. */
static void draw(void)
{
	while (!lock_broken && __atomic_load_n(&is_painting, __ATOMIC_ACQUIRE))
		pause();
	screen_draw(&screen);
	last_draw = rdtsc();
}

/* Before the lock is released: what is on the screen is this processor's, until end_painting(). */
static void begin_painting(void)
{
	__atomic_store_n(&is_painting, true, __ATOMIC_RELAXED);
}

/* Release pairs with the acquire of the next processor that paints. */
static void end_painting(void)
{
	__atomic_store_n(&is_painting, false, __ATOMIC_RELEASE);
}

/* Whether this processor may paint next. */
static bool may_paint(void)
{
	return buffered && !__atomic_load_n(&is_painting, __ATOMIC_ACQUIRE);
}

/* Whether a row of the text waits to be painted: it is copied. */
static bool take_row(unsigned *ret_row, struct screen_row *ret)
{
	if (shows_page || !may_paint())
		return false;
	if (screen.n_left == 0 && rdtsc() - last_draw >= tsc_hz / DRAWS_PER_SECOND) {
		screen_begin(&screen);
		last_draw = rdtsc();
	}
	return screen_take(&screen, ret_row, ret);
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

static void send_and_draw(void)
{
	uint64_t begin = rdtsc();

	ring_send_all();
	draw();
	waited_tsc += rdtsc() - begin;
}

/* What buffered output may become in the ring, with a return for each newline, and one more line.
 */
static bool ring_has_room(size_t len)
{
	return !buffered || n_waiting() + 2 * len + 2 <= OUTPUT_RING_SIZE;
}

static void write_locked(enum screen_color color, const char *data, size_t len)
{
	/* A fast port takes at once what would be lost. */
	while (!ring_has_room(len) && serial_can_send(&serial))
		ring_send_some();
	if (!ring_has_room(len)) {
		n_lost++;
		return;
	}
	serial_write(data, len);
	screen_write(&screen, color, data, len);
	if (buffered) {
		ring_send_without_waiting();
		return;
	}
	send_and_draw();
}

static bool is_same_port(const struct serial_port *port)
{
	return port->space == serial.space && port->address == serial.address;
}

bool console_has_port(const struct serial_port *port)
{
	return has_serial() && is_same_port(port);
}

/* Setting up a UART empties its FIFO, and may change its speed. */
static void use_port(const struct serial_port *port)
{
	ring_send_all();
	wait_all_sent();
	serial = *port;
	if (has_serial())
		serial_init(&serial);
}

void console_set_serial(const struct serial_port *port)
{
	console_lock_acquire();
	bool is_same = is_same_port(port);

	if (!is_same || port->divisor != serial.divisor)
		use_port(port);
	if (!is_same)
		output_ring_rewind(&ring);
	if (!is_same && !buffered)
		send_and_draw();
	console_lock_release();
}

bool console_set_divisor(uint16_t divisor)
{
	struct serial_port port;
	bool is_known;

	console_lock_acquire();
	is_known = has_serial() && serial.divisor != 0;
	port = serial;
	port.divisor = divisor;
	if (is_known)
		use_port(&port);
	console_lock_release();
	return is_known;
}

void console_init(const struct boot_info *info)
{
	struct serial_port com1 = SERIAL_COM1;

	com1.divisor = 0; /* the firmware's speed, until its tables tell one */
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
	if (serial_is_present(&com1))
		console_set_serial(&com1);
}

/* Say how many lines were lost, when half of the ring is free again, or all is sent at once. */
static void tell_lost(void)
{
	char text[64];

	if (n_lost == 0 || (buffered && n_waiting() > OUTPUT_RING_SIZE / 2))
		return;
	close_line();
	write_locked(
		SCREEN_WARNING, text,
		format(text, sizeof(text), "stencil: warning: console: %u lines lost\n", n_lost));
	__atomic_fetch_add(&n_told_lost, n_lost, __ATOMIC_RELAXED);
	n_lost = 0;
}

uint64_t console_n_lost(void)
{
	return __atomic_load_n(&n_told_lost, __ATOMIC_RELAXED);
}

void console_set_buffered(bool on)
{
	console_lock_acquire();
	buffered = on;
	shows_page = false;
	tell_lost();
	console_lock_release();
	if (!on)
		console_flush();
}

bool console_poll(void)
{
	bool waits, is_row;
	struct screen_row now;
	unsigned row;

	if (!console_lock_try())
		return true;
	ring_send_without_waiting();
	tell_lost();
	is_row = take_row(&row, &now);
	if (is_row)
		begin_painting();
	waits = n_waiting() > 0 || (!shows_page && screen_is_dirty(&screen));
	console_lock_release();
	if (is_row) {
		screen_paint(&screen, row, &now);
		end_painting();
	}
	return waits;
}

bool console_show_page(bool on)
{
	bool has_screen;

	console_lock_acquire();
	has_screen = screen.n_displays > 0;
	shows_page = on && has_screen && buffered;
	screen_touch(&screen);
	console_lock_release();
	return has_screen;
}

void console_get_size(unsigned *ret_columns, unsigned *ret_rows)
{
	*ret_columns = screen.columns;
	*ret_rows = screen.rows;
}

void console_copy_row(unsigned back, struct screen_row *ret)
{
	console_lock_acquire();
	back += screen.column == 0; /* the newest line ended with a newline */
	*ret = screen.text[back <= screen.row ? screen.row - back : screen.rows - 1];
	console_lock_release();
}

bool console_paint_page(unsigned row, const struct screen_row *now)
{
	bool may;

	if (!console_lock_try())
		return false;
	may = shows_page && may_paint();
	if (may)
		begin_painting();
	console_lock_release();
	if (may) {
		screen_paint(&screen, row, now);
		end_painting();
	}
	return may;
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
	wait_all_sent();
	draw();
	console_lock_release();
}

void console_write_line(enum screen_color color, const char *data, size_t len)
{
	console_lock_acquire();
	close_line();
	last_words_add(data, len);
	write_locked(color, data, len);
	console_lock_release();
}

void console_write_raw(const char *data, size_t len)
{
	console_write_line(SCREEN_PLAIN, data, len);
}

static bool takes_offer(size_t len)
{
	return !buffered || n_waiting() + len <= OFFER_MAX;
}

bool console_offer(const char *data, size_t len)
{
	bool taken;

	if (!console_lock_try())
		return false;
	taken = takes_offer(len);
	if (taken) {
		close_line();
		write_locked(SCREEN_PLAIN, data, len);
	}
	console_lock_release();
	return taken;
}

static void write_part(const char *data, size_t len)
{
	write_locked(SCREEN_PLAIN, data, len);
	line_is_open = len > 0 ? data[len - 1] != '\n' : line_is_open;
}

void console_write_part(const char *data, size_t len)
{
	console_lock_acquire();
	write_part(data, len);
	console_lock_release();
}

bool console_offer_part(const char *data, size_t len)
{
	bool taken;

	if (!console_lock_try())
		return false;
	taken = takes_offer(len);
	if (taken)
		write_part(data, len);
	console_lock_release();
	return taken;
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
	n = n_waiting();
	console_lock_release();
	return n;
}

void console_wait_for_room(void)
{
	uint64_t begin = rdtsc();

	while (console_waiting() > OUTPUT_RING_SIZE / 2 && rdtsc() - begin < 2 * tsc_hz)
		(void)console_poll();
}

int console_read(void)
{
	int c;

	console_lock_acquire();
	c = has_serial() ? serial_receive(&serial) : -1;
	if (c < 0) {
		c = keyboard_read();
		c = c < 0 ? c : c | CONSOLE_KEYBOARD;
	}
	console_lock_release();
	return c;
}

void console_break_lock(void)
{
	lock_broken = true;
	buffered = false;
}
