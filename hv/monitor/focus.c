/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed at the host's console. Bytes go to the VM in focus, the first that still runs;
 * Ctrl-A and then n moves the focus on, Ctrl-A twice sends one Ctrl-A, Ctrl-A and then c gives the
 * console to the monitor, and back.
 */
#include "hv/host/console.h"
#include "hv/lib/print.h"
#include "hv/monitor/monitor.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/vm.h"

#define ESCAPE ('A' & 0x1f)

static bool reads_console(const struct vm *vm)
{
	return vm->config->serial == SERIAL_STDIO &&
	       __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) == VM_RUNNING;
}

/* The first VM behind 'vm' that reads, around the list; NULL: none. vms_lock is held. */
static struct vm *next_reader(struct vm *vm)
{
	struct vm *start = vm && vm->next ? vm->next : vms;

	for (struct vm *next = start; next; next = next->next)
		if (reads_console(next))
			return next;
	for (struct vm *next = vms; next != start; next = next->next)
		if (reads_console(next))
			return next;
	return NULL;
}

/* Bytes that find no room are dropped, as on a line without flow control. */
static void put_input(struct vm *vm, uint8_t byte)
{
	struct vm_input *input = &vm->input;
	uint32_t head = input->head;

	if (head - __atomic_load_n(&input->tail, __ATOMIC_ACQUIRE) == VM_INPUT_SIZE)
		return;
	input->data[head % VM_INPUT_SIZE] = byte;
	__atomic_store_n(&input->head, head + 1, __ATOMIC_RELEASE);
}

static struct vm *focus; /* guarded by vms_lock */

void guest_console_forget(const struct vm *vm)
{
	if (focus == vm)
		focus = NULL;
}

struct vm *guest_console_focus(void)
{
	return focus ? focus : vms;
}

void guest_console_set_focus(struct vm *vm)
{
	focus = vm;
}

/* If the one in focus does not read, the first that does is. vms_lock is held. */
static void find_focus(void)
{
	if (focus == NULL || !reads_console(focus))
		focus = next_reader(NULL);
}

static void move_focus(void)
{
	lock_acquire(&vms_lock);
	find_focus();
	focus = next_reader(focus);
	if (focus)
		log_info("console: input goes to VM %s", focus->name);
	lock_release(&vms_lock);
}

static void type_to_guest(uint8_t byte)
{
	lock_acquire(&vms_lock);
	find_focus();
	if (focus)
		put_input(focus, byte);
	lock_release(&vms_lock);
}

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
		move_focus();
	else
		type_to_guest(byte);
}

/* A full FIFO is refilled as the guest empties it. */
static void wake_reader(void)
{
	lock_acquire(&vms_lock);
	if (focus && reads_console(focus) && focus->input.head != focus->input.tail)
		sched_request(focus->vcpu, VCPU_REQUEST_INPUT);
	lock_release(&vms_lock);
}

void guest_console_poll(void)
{
	for (int byte = console_read(); byte >= 0; byte = console_read())
		take_byte((uint8_t)byte);
	wake_reader();
	monitor_poll();
}
