/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/output.h"

#include "hv/host/console.h"
#include "hv/host/io.h"

enum { LINES_AT_ONCE = 16 };

/* Guards 'turns', 'left' and every VM's queue. The frames' lock may be taken inside. */
static struct lock output_lock;
static struct output_turns turns;
static struct output_queue left = {.name = "VMs that have ended"};

/* Only tried: guards 'line', and keeps lines in order on their way from a queue to the console. */
static struct lock sending;
static char line[OUTPUT_LINE_MAX];
static size_t line_len; /* 0: none waits */

/*
 * The usual case: no line waits, and the console takes this one. It needs no frame then, of which
 * there may be none.
 */
static bool send_at_once(const char *text, size_t len)
{
	bool waits, is_sent;

	if (!lock_try(&sending))
		return false;
	lock_acquire(&output_lock);
	waits = line_len > 0 || turns.first != NULL;
	lock_release(&output_lock);
	is_sent = !waits && console_offer(text, len);
	lock_release(&sending);
	return is_sent;
}

void vm_output_put(struct vm *vm, const char *text, size_t len)
{
	if (send_at_once(text, len))
		return;
	lock_acquire(&output_lock);
	vm->output.name = vm->name;
	output_queue_put(&turns, &vm->output, text, len);
	lock_release(&output_lock);
	(void)vm_output_poll();
}

static bool next_line(void)
{
	if (line_len == 0) {
		lock_acquire(&output_lock);
		line_len = output_queue_take(&turns, line);
		lock_release(&output_lock);
	}
	return line_len > 0;
}

bool vm_output_poll(void)
{
	unsigned n_left = LINES_AT_ONCE;

	if (!lock_try(&sending))
		return true;
	while (n_left > 0 && next_line() && console_offer(line, line_len)) {
		line_len = 0;
		n_left--;
	}

	bool waits = n_left == 0 || line_len > 0;

	lock_release(&sending);
	return waits;
}

void vm_output_flush(void)
{
	while (vm_output_poll())
		pause();
}

void vm_output_leave(struct vm *vm)
{
	lock_acquire(&output_lock);
	output_queue_move(&turns, &vm->output, &left);
	lock_release(&output_lock);
}
