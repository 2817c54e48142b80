/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/status.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/monitor/status_keys.h"
#include "hv/monitor/status_look.h"
#include "hv/monitor/status_table.h"

enum {
	LOOKS_PER_SECOND = 2,
	ESCAPES_PER_SECOND = 20,  /* the rest of a sequence comes within a twentieth */
	TURNS_PER_SECOND = 10000, /* a turn of looking takes so long: 100 us */
};

static bool is_on, has_line, is_looking;
static struct status_view status;
static struct status_keys keys;
static struct status_size size;
static unsigned to_paint; /* to be painted; size.rows: all were since the last look */
static uint64_t due;	  /* host TSC: the next look */

bool status_show(bool on, bool is_line)
{
	bool has_screen = console_show_page(on);

	is_on = on && has_screen;
	has_line = is_on && is_line;
	keys = (struct status_keys){0};
	is_looking = false;
	due = 0;
	if (!is_on)
		status_table_end();
	console_get_size(&size.columns, &size.rows);
	to_paint = size.rows; /* nothing before the first look */
	return has_screen;
}

bool status_takes(bool is_line)
{
	return is_on && (has_line || !is_line);
}

void status_switch(bool is_line)
{
	(void)status_show(!status_takes(is_line), is_line);
}

static void go_back(void)
{
	if (status_is_open())
		status_open(false);
	else
		(void)status_show(false, false);
}

static void act(enum status_key key)
{
	static const enum status_move moves[] = {
		[STATUS_KEY_UP] = STATUS_UP,	       [STATUS_KEY_DOWN] = STATUS_DOWN,
		[STATUS_KEY_PAGE_UP] = STATUS_PAGE_UP, [STATUS_KEY_PAGE_DOWN] = STATUS_PAGE_DOWN,
		[STATUS_KEY_HOME] = STATUS_HOME,       [STATUS_KEY_END] = STATUS_END,
	};

	if (key == STATUS_KEY_NONE)
		return;
	due = 0;
	if (key == STATUS_KEY_BACK)
		go_back();
	else if (key == STATUS_KEY_ENTER)
		status_open(true);
	else if (!status_is_open())
		status_move(&status, moves[key], status_tree_rows(size.rows));
}

void status_type(uint8_t byte)
{
	act(status_keys_type(&keys, byte, rdtsc()));
}

/* Do a part of the look. It is over, or a key has asked for another one, when it is due again. */
static void look(void)
{
	uint64_t began = rdtsc();

	if (!is_looking) {
		due = began + tsc_hz / LOOKS_PER_SECOND;
		status_look_begin();
	}
	do
		is_looking = !status_look_step(&status, status_tree_rows(size.rows));
	while (is_looking && rdtsc() - began < tsc_hz / TURNS_PER_SECOND);
	if (!is_looking)
		to_paint = 0;
}

static void paint(void)
{
	struct screen_row row;
	unsigned back;

	if (!status_page_row(&status, size, to_paint, &row, &back))
		console_copy_row(back, &row);
	if (console_paint_page(to_paint, &row))
		to_paint++;
}

bool status_is_waiting(void)
{
	return is_on && (is_looking || to_paint < size.rows);
}

void status_poll(void)
{
	if (!is_on)
		return;
	act(status_keys_wait(&keys, rdtsc(), tsc_hz / ESCAPES_PER_SECOND));
	if (is_looking || rdtsc() >= due)
		look();
	if (is_on && to_paint < size.rows)
		paint();
}
