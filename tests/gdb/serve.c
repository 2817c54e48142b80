/* SPDX-License-Identifier: BSD-2-Clause */
/* gdb's port on standard input and output, until the input ends. The log goes to standard error. */
#include <poll.h>
#include <stdio.h>

#include "tests/gdb/machine.h"

static bool is_closed;

/* Wait so many ms for input. */
static bool has_input(int ms)
{
	return poll(&(struct pollfd){.fd = fileno(stdin), .events = POLLIN}, 1, ms) == 1;
}

int serial_receive(const struct serial_port *port)
{
	uint8_t byte;

	if (is_closed || port->address != gdbs_port.address || !has_input(0))
		return -1;
	is_closed = fread(&byte, 1, 1, stdin) != 1;
	return is_closed ? -1 : byte;
}

static void send(uint8_t byte)
{
	putchar(byte);
}

void cpu_wait(void)
{
	if (!is_closed)
		(void)has_input(1);
	wait_for_alarm();
}

void keys_poll(void)
{
	if (is_closed)
		end_all_vms();
}

int main(void)
{
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() knows what has come */
	setvbuf(stdout, NULL, _IONBF, 0);
	make_machine();
	run_machine();
	fputs(logged, stderr);
	return 0;
}
