/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP on standard input and output: serve [all|LINE]. The VM r alone is there, or all of machine.h,
 * or r as this line of the configuration says, with a ramdisk that has /d/f32 and /d/f8.
 */
#include <poll.h>
#include <sys/mman.h>

#include "hv/monitor/hotplug_job.h"
#include "tests/qmp/machine.h"
#include "tests/unit/running_vm.h"

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

/* A machine that has not used its memory yet. */
static void make_large_memory(void)
{
	const size_t size = GIB(4);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	phys_offset = (uintptr_t)memory - FRAME_LOWEST;
	frame_add_range(FRAME_LOWEST, size);
}

int main(int n_arguments, char **arguments)
{
	bool is_line = n_arguments > 1 && strcmp(arguments[1], "all") != 0;

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() knows what has come */
	make_vms();
	if (is_line)
		make_large_memory();
	else
		make_memory();
	if (n_arguments == 1)
		running.next = NULL;
	if (is_line) {
		vms = running_make(&running, arguments[1]);
		vms->next = NULL;
		hotplug_job_setup(&running_images);
	}
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
