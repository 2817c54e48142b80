/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' serial lines on the host's console. Each VM's output appears in whole lines after
 * its name, without control characters; an unfinished line is shown when its VM waits for input or
 * ends. If the console is attached to a VM alone, that VM's bytes appear unchanged. Typed bytes
 * wait in a ring until the UART takes them.
 */
#include "hv/vm/serial.h"

#include "hv/vm/line_source.h"
#include "hv/vm/output.h"

static bool has_colors; /* set once, before VMs run */

void vm_serial_use_colors(bool on)
{
	has_colors = on;
}

/* Show the line and empty it. */
static void show_line(struct vm *vm)
{
	unsigned color = has_colors ? 1 + vm->index % GUEST_LINE_N_COLORS : 0;
	struct guest_line_name name = {color, vm_name(vm), vm_line_label(vm, vm->line.source)};
	char text[GUEST_LINE_MAX];

	vm_output_put(vm, text, guest_line_show(text, &name, vm->line.text, vm->line.len));
	vm->line.len = 0;
}

static bool put_raw(struct vm *vm, uint8_t byte)
{
	if (!vm_output_put_raw(vm, byte))
		return false;
	vm_flush_output(vm); /* what came before */
	vm_hold_uart(vm);
	return true;
}

static void put_line(struct vm *vm, uint16_t source, uint8_t byte)
{
	if (source != vm->line.source)
		vm_flush_output(vm);
	vm->line.source = source;
	if (byte == '\r')
		return;
	if (byte != '\n')
		vm->line.text[vm->line.len++] = (char)byte;
	if (byte != '\n' && vm->line.len < VM_LINE_SIZE)
		return;
	show_line(vm);
	vm_hold_uart(vm);
}

void vm_put_output(struct vm *vm, uint8_t byte)
{
	if (!put_raw(vm, byte))
		put_line(vm, 0, byte);
}

void vm_put_port_output(struct vm *vm, uint16_t source, uint8_t byte)
{
	put_line(vm, source, byte);
}

void vm_hold_uart(struct vm *vm)
{
	platform_uart_hold(&vm->platform, vm_output_holds(vm));
}

void vm_flush_output(struct vm *vm)
{
	if (vm->line.len)
		show_line(vm);
}

bool vm_has_input_room(const struct vm *vm)
{
	const struct vm_input *input = &vm->input;

	/* Acquire pairs with the release in vm_take_input(). */
	return input->head - __atomic_load_n(&input->tail, __ATOMIC_ACQUIRE) < VM_INPUT_SIZE;
}

void vm_put_input(struct vm *vm, uint8_t byte)
{
	struct vm_input *input = &vm->input;
	uint32_t head = input->head;

	if (!vm_has_input_room(vm))
		return;
	input->data[head % VM_INPUT_SIZE] = byte;
	__atomic_store_n(&input->head, head + 1, __ATOMIC_RELEASE);
}

bool vm_has_input(const struct vm *vm)
{
	return vm->input.head != __atomic_load_n(&vm->input.tail, __ATOMIC_RELAXED);
}

void vm_take_input(struct vm *vm)
{
	struct vm_input *input = &vm->input;
	/* Acquire pairs with the release in vm_put_input(). */
	uint32_t head = __atomic_load_n(&input->head, __ATOMIC_ACQUIRE);
	uint32_t tail = input->tail;

	if (vm->config->has_console_port)
		return;
	while (tail != head &&
	       platform_uart_receive(&vm->platform, input->data[tail % VM_INPUT_SIZE]))
		tail++;
	__atomic_store_n(&input->tail, tail, __ATOMIC_RELEASE);
}

uint32_t vm_peek_input(const struct vm *vm, uint8_t *to, uint32_t max)
{
	const struct vm_input *input = &vm->input;
	/* Acquire pairs with the release in vm_put_input(). */
	uint32_t n = __atomic_load_n(&input->head, __ATOMIC_ACQUIRE) - input->tail;

	if (!vm->config->has_console_port)
		return 0;
	n = n < max ? n : max;
	for (uint32_t i = 0; i < n; i++)
		to[i] = input->data[(input->tail + i) % VM_INPUT_SIZE];
	return n;
}

void vm_drop_input(struct vm *vm, uint32_t n)
{
	/* Release pairs with vm_has_input_room(). */
	__atomic_store_n(&vm->input.tail, vm->input.tail + n, __ATOMIC_RELEASE);
}
