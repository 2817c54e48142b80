/* SPDX-License-Identifier: BSD-2-Clause */
/* QMP on standard input and output: serve [ALL]. Without ALL, the VM r alone is there. */
#include <poll.h>

#include "tests/qmp/machine.h"

static bool is_closed;

/* Wait so many ms for input. */
static bool has_input(int ms)
{
	return poll(&(struct pollfd){.fd = fileno(stdin), .events = POLLIN}, 1, ms) == 1;
}

int serial_receive(const struct serial_port *port)
{
	int byte;

	if (is_closed || !has_input(0))
		return -1;
	byte = getchar();
	is_closed = byte == EOF;
	return is_closed ? -1 : byte;
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	putchar(byte);
	if (byte == '\n')
		fflush(stdout);
}

int main(int n_arguments, char **arguments)
{
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() knows what has come */
	make_memory();
	make_vms();
	if (n_arguments == 1)
		running.next = NULL;
	if (qmp_begin(&SERIAL_COM2) != OK)
		return 1;
	/* After the end of the input an answer may have any number of pieces. */
	for (unsigned left = 1000; left > 0; left -= is_closed) {
		job_work();
		qmp_poll();
		if (!is_closed)
			(void)has_input(1);
	}
	return 0;
}
