/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/console.h"

#include "hv/virtio/virtio_console.h"
#include "hv/virtio/virtio_vsock.h"
#include "hv/vm/line_source.h"
#include "hv/vm/output.h"
#include "hv/vm/serial.h"

static bool is_console(const struct virtio *device)
{
	return device->config->kind == &virtio_console;
}

static bool is_vsock(const struct virtio *device)
{
	return device->config->kind == &virtio_vsock;
}

static void show_label(struct vm *vm, const struct virtio *device, unsigned port, uint8_t byte)
{
	const struct virtio *devices = platform_virtio(&vm->platform);

	vm_put_port_output(vm, vm_line_source((unsigned)(device - devices), port), byte);
}

static void show(struct vm *vm, const struct virtio *device, unsigned port, uint8_t byte)
{
	const struct virtio_console_port *config = &virtio_console_config(device)->port[port];

	if (!config->is_there || !config->is_shown)
		return;
	if (config->has_input)
		vm_put_output(vm, byte);
	else
		show_label(vm, device, port, byte);
}

void vm_console_begin(struct vm *vm, const struct virtio *device, struct console_piece *piece)
{
	if (!is_console(device) && !is_vsock(device))
		return;
	piece->n_taken = piece->n_sent = 0;
	piece->is_held = vm_output_holds(vm);
	piece->n_typed = vm_peek_input(vm, piece->typed, sizeof(piece->typed));
}

void vm_console_end(struct vm *vm, const struct virtio *device, const struct console_piece *piece,
		    bool is_taken)
{
	for (uint32_t i = 0; is_vsock(device) && i < piece->n_sent; i++)
		show_label(vm, device, 0, piece->sent[i]);
	if (!is_console(device))
		return;
	for (uint32_t i = 0; i < piece->n_sent; i++)
		show(vm, device, piece->port, piece->sent[i]);
	if (is_taken)
		vm_drop_input(vm, piece->n_taken);
}

void vm_console_note(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);
	uint8_t byte;

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++)
		if (is_console(&devices[i]) && virtio_console_take_emergency(&devices[i], &byte))
			show(vm, &devices[i], 0, byte);
}

bool vm_console_look(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);
	bool has_work = false;

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++) {
		if (is_console(&devices[i]))
			virtio_console_look(&devices[i]);
		else if (is_vsock(&devices[i]))
			virtio_notify(&devices[i], VIRTIO_VSOCK_SEND);
		else
			continue;
		has_work |= virtio_has_work(&devices[i]);
	}
	return has_work;
}
