/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP on standard input and output: serve [all|LINE]. The VM r alone is there, or all of machine.h,
 * or r as this line of the configuration says.
 */
#include <poll.h>

#include "hv/config/read.h"
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

static const struct vm_config *read_line(const char *line)
{
	static char memory[MIB(1)] __attribute__((aligned(16)));
	static struct config read;
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "line"};

	if (config_parse(line, strlen(line), &arena, &diag, &read) != OK)
		exit(1);
	return read.vms;
}

int main(int n_arguments, char **arguments)
{
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() knows what has come */
	make_memory();
	make_vms();
	if (n_arguments == 1 || strcmp(arguments[1], "all") != 0)
		running.next = NULL;
	if (running.next == NULL && n_arguments > 1)
		running.config = read_line(arguments[1]);
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
