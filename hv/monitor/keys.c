/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys typed at the host's console. They go to the VM in focus, except after Ctrl-A: n focuses
 * the next VM, a attaches the console to the VM in focus alone, or to all again, d to all again,
 * c switches to the monitor and back, s the screen to the status page and back, a second Ctrl-A
 * sends one Ctrl-A. While the status page is shown, it has the keyboard.
 */
#include "hv/monitor/keys.h"

#include "hv/host/console.h"
#include "hv/host/scan_code.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/monitor.h"
#include "hv/monitor/status.h"
#include "hv/vm/output.h"

enum { BYTES_AT_ONCE = 256 }; /* a UART that is broken may deliver bytes for ever */

#define ESCAPE ('A' & 0x1f)

static void take_byte(uint8_t byte, bool is_line)
{
	static bool escaped;
	bool is_command = escaped;

	escaped = !escaped && byte == ESCAPE;
	if (escaped)
		return;
	if (is_command && byte == 'c') {
		(void)vm_output_detach(NULL);
		monitor_switch();
	} else if (is_command && byte == 's') {
		status_switch(is_line);
	} else if (monitor_is_on()) {
		monitor_type(byte);
	} else if (is_command && byte == 'n') {
		(void)vm_output_detach(NULL);
		focus_next();
	} else if (is_command && byte == 'a') {
		focus_attach();
	} else if (is_command && byte == 'd') {
		(void)vm_output_detach(NULL);
	} else {
		focus_type(byte);
	}
}

/* As console_read() has it. */
static void take(int typed)
{
	bool is_line = !(typed & CONSOLE_KEYBOARD);
	uint8_t byte = (uint8_t)typed;

	if (!is_line && byte == SCAN_SWITCH)
		status_switch(false);
	else if (status_takes(is_line))
		status_type(byte);
	else
		take_byte(byte, is_line);
}

/* A byte without room stays in the UART, which then holds its sender up. */
static bool has_room(void)
{
	return monitor_is_on() ? monitor_has_room() : focus_has_room();
}

void keys_poll(void)
{
	int typed = 0;

	for (unsigned i = 0; i < BYTES_AT_ONCE && has_room() && typed >= 0; i++) {
		typed = console_read();
		if (typed >= 0)
			take(typed);
	}
	focus_wake();
	monitor_poll();
	status_poll();
}
