/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys typed at the host's console. They go to the VM in focus, except after Ctrl-A: n focuses
 * the next VM, c switches to the monitor and back, a second Ctrl-A sends one Ctrl-A.
 */
#include "hv/monitor/keys.h"

#include "hv/host/console.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/monitor.h"

#define ESCAPE ('A' & 0x1f)

static void take_byte(uint8_t byte)
{
	static bool escaped;
	bool is_command = escaped;

	escaped = !escaped && byte == ESCAPE;
	if (escaped)
		return;
	if (is_command && byte == 'c')
		monitor_switch();
	else if (monitor_is_on())
		monitor_type(byte);
	else if (is_command && byte == 'n')
		focus_next();
	else
		focus_type(byte);
}

void keys_poll(void)
{
	for (int byte = console_read(); byte >= 0; byte = console_read())
		take_byte((uint8_t)byte);
	focus_wake();
	monitor_poll();
}
