/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any packets of a gdb to the machine of tests/gdb/machine.h. Each line of the input is a packet's
 * data, or, after a byte 0xff, bytes as they are. The bytes 1 to 8 stand for the numbers of t and
 * of the VMs after it. At the end gdb detaches from all. Whatever the input is: nothing panics;
 * what comes back is whole packets; no VM is debugged then; unless gdb has written, the code of
 * each is as it was loaded; and all frames are free after the last VM.
 */
#include <stdio.h>

#include "hv/gdb/packet.h"
#include "tests/gdb/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What gdb may wait for, in the machine's milliseconds, before the next line; and at the end. */
enum { PATIENCE_MS = 3, N_PROCESSES = 8 };

static const uint8_t *input;
static size_t n_input;
static char line[GDB_FRAME_MAX]; /* to the machine */
static size_t n_line, n_received;
static unsigned patience;
static unsigned n_said; /* of the words at the end */
static struct gdb_input answer;
static bool writes; /* to memory, or to registers, which may send the guest anywhere */

/* ---- to the machine ---- */

/* With numbers in the place of the bytes that stand for them. */
static void frame_line(const uint8_t *data, size_t len)
{
	char packet[GDB_PACKET_MAX];
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(packet) - 8; i++)
		if (data[i] >= 1 && data[i] <= N_PROCESSES)
			n += (size_t)snprintf(packet + n, 8, "%x", first_pid + data[i] - 1);
		else
			packet[n++] = (char)data[i];
	n_line = gdb_frame(packet, n, line);
}

static void take_line(void)
{
	const uint8_t *end = memchr(input, '\n', n_input), *at = input;
	size_t len = end != NULL ? (size_t)(end - input) : n_input;

	input += end != NULL ? len + 1 : len;
	n_input -= end != NULL ? len + 1 : len;
	n_received = 0;
	if (len > 0 && *at == 0xff) {
		n_line = len - 1 < sizeof(line) ? len - 1 : sizeof(line);
		memcpy(line, at + 1, n_line);
	} else {
		frame_line(at, len);
	}
}

/* A byte that ends what came before it, Ctrl-C, and a word to each process. */
static void take_last_word(void)
{
	const uint8_t detach[] = {'D', ';', (uint8_t)n_said};

	n_received = 0;
	if (n_said > 0)
		frame_line(detach, sizeof(detach));
	else
		n_line = (size_t)snprintf(line, sizeof(line), "#00\3");
	n_said++;
}

int serial_receive(const struct serial_port *port)
{
	if (port->address != gdbs_port.address || n_received == n_line)
		return -1;
	return (uint8_t)line[n_received++];
}

/* ---- from the machine ---- */

static void send(uint8_t byte)
{
	if (answer.state == GDB_BETWEEN && byte != '$')
		assert(byte == '+' || byte == '-');
	else
		assert(gdb_input_add(&answer, byte) != GDB_DAMAGED);
}

/* ---- the operator ---- */

static void check(struct vm *vm)
{
	uint8_t code[CODE_LEN];

	assert(!vm_is_debugged(vm));
	assert(guest_read(&vm->memory, (gpa_t){MIB(1)}, code, sizeof(code)) == OK);
	assert(writes || memcmp(code, gdb_guest, sizeof(code)) == 0);
}

void cpu_wait(void)
{
	wait_for_alarm();
}

/* Each millisecond. */
void keys_poll(void)
{
	if (patience-- > 0)
		return;
	patience = PATIENCE_MS;
	if (n_received < n_line)
		return;
	if (n_input > 0) {
		take_line();
	} else if (n_said <= N_PROCESSES) {
		take_last_word();
	} else {
		vms_acquire();
		for (struct vm *vm = vms; vm; vm = vm->next)
			if (vm->outcome == VM_RUNNING)
				check(vm);
		lock_release(&vms_lock);
		end_all_vms();
	}
}

static bool may_write(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] == 'M' || data[i] == 'X' || data[i] == 'P' || data[i] == 'G')
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (n_cpus == 0)
		make_machine();
	input = data;
	n_input = size;
	n_line = n_received = 0;
	n_said = 0;
	patience = 0;
	answer = (struct gdb_input){0};
	writes = may_write(data, size);
	run_machine();
	return 0;
}
