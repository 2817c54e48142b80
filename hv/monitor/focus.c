/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' serial lines on the host's console. Each VM's output appears in
 * whole lines behind its name; an unfinished line is shown when its VM waits for
 * input or ends. Typed bytes go to the VM in focus, the first that still runs;
 * Ctrl-A and then n moves the focus on, Ctrl-A twice sends one Ctrl-A, Ctrl-A and then c gives the
 * console to the monitor, and back.
 */
#include "hv/host/console.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/monitor.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/vm.h"

#define ESCAPE ('A' & 0x1f)

static struct vm *vm_of_platform(struct platform *platform)
{
	return (struct vm *)((char *)platform - offsetof(struct vm, platform));
}

/* Show the line and empty it; 'end' is what follows it. */
static void show_line(struct vm *vm)
{
	char text[VM_LINE_SIZE + 128];
	size_t n = format(text, sizeof(text), "%s: %.*s\n", vm->name, (int)vm->line.len,
			  vm->line.text);

	console_write_raw(text, n < sizeof(text) ? n : sizeof(text) - 1);
	vm->line.len = 0;
}

static void add_byte(struct vm *vm, uint8_t byte)
{
	if (byte == '\r')
		return;
	if (byte != '\n')
		vm->line.text[vm->line.len++] = (char)byte;
	if (byte == '\n' || vm->line.len == VM_LINE_SIZE)
		show_line(vm);
}

void uart_output(struct uart *uart, uint8_t byte)
{
	struct vm *vm =
		vm_of_platform((struct platform *)((char *)uart - offsetof(struct platform, uart)));

	if (vm->config->serial == SERIAL_STDIO)
		add_byte(vm, byte);
}

void debugcon_output(struct platform *platform, uint8_t byte)
{
	struct vm *vm = vm_of_platform(platform);

	if (vm->config->debugcon == SERIAL_STDIO)
		add_byte(vm, byte);
}

void vm_flush_output(struct vm *vm)
{
	if (vm->line.len)
		show_line(vm);
}

void vm_take_input(struct vm *vm)
{
	struct vm_input *input = &vm->input;
	/* Acquire pairs with the release in put_input(). */
	uint32_t head = __atomic_load_n(&input->head, __ATOMIC_ACQUIRE);
	uint32_t tail = input->tail;

	while (tail != head &&
	       platform_uart_receive(&vm->platform, input->data[tail % VM_INPUT_SIZE]))
		tail++;
	__atomic_store_n(&input->tail, tail, __ATOMIC_RELEASE);
}

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
