/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/line_source.h"

#include "hv/virtio/virtio_console.h"
#include "hv/virtio/virtio_vsock.h"
#include "hv/vm/vm.h"

uint16_t vm_line_source(unsigned device, unsigned port)
{
	return (uint16_t)(1 + device * VIRTIO_CONSOLE_PORTS_MAX + port);
}

const char *vm_line_label(const struct vm *vm, uint16_t source)
{
	const struct virtio_config *config = vm->config->virtio;
	unsigned n = source - 1u;

	if (source == 0)
		return "";
	for (unsigned i = 0; i < n / VIRTIO_CONSOLE_PORTS_MAX; i++)
		config = config->next;
	if (config->kind == &virtio_vsock)
		return "vsock";
	return ((const struct virtio_console_config *)config)
		->port[n % VIRTIO_CONSOLE_PORTS_MAX]
		.label;
}
