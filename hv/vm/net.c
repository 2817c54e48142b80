/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/net.h"

#include "hv/host/random.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/net/hub.h"
#include "hv/net/vsock.h"
#include "hv/vcpu/sched.h"
#include "hv/virtio/virtio_net.h"
#include "hv/virtio/virtio_vsock.h"
#include "hv/vm/vm.h"

static bool is_net(const struct virtio *device)
{
	return device->config->kind == &virtio_net;
}

static bool is_vsock(const struct virtio *device)
{
	return device->config->kind == &virtio_vsock;
}

/* The first vCPU does the work: it is never without a place in its guest, others may be. */
static void wake(void *owner)
{
	struct vm *vm = owner;

	sched_request(vm->vcpu, VCPU_REQUEST_VIRTIO);
}

static enum status charge(struct ept *ept)
{
	for (unsigned i = 0; i < NET_PORT_FRAMES; i++) {
		enum status status = ept_charge(ept);

		if (status == OK)
			continue;
		while (i-- > 0)
			ept_discharge(ept);
		return status;
	}
	return OK;
}

static void discharge(struct ept *ept)
{
	for (unsigned i = 0; i < NET_PORT_FRAMES; i++)
		ept_discharge(ept);
}

/* Once: a guest can cause it again and again. */
static void tell_full(const struct vm *vm, const struct virtio *device)
{
	static bool is_told[2];

	if (__atomic_exchange_n(&is_told[is_vsock(device)], true, __ATOMIC_RELAXED))
		return;
	if (is_vsock(device))
		log_warning("VM %s: another VM has the CID %lu: no sockets", vm_name(vm),
			    device->identity);
	else
		log_warning("VM %s: hub %u has %u ports, the most that there can be: no network",
			    vm_name(vm), device->config->hub, NET_PORTS_MAX);
}

static enum status connect(struct vm *vm, struct virtio *device)
{
	struct net_port_config config = {
		.name = vm_name(vm),
		.hub = device->config->hub,
		.device = (unsigned)(device - platform_virtio(&vm->platform)),
		.wake = wake,
		.owner = vm,
	};
	enum status status;

	random_fill(&config.seed, sizeof(config.seed));
	TRY(charge(&vm->ept));
	status = is_vsock(device) ? vsock_connect(&config, device->identity, &device->port)
				  : net_connect(&config, &device->port);
	if (status != OK)
		discharge(&vm->ept);
	if (status != ERR_RANGE)
		return status;
	tell_full(vm, device);
	return OK;
}

enum status vm_net_connect(struct vm *vm, struct virtio *device)
{
	return (is_net(device) || is_vsock(device)) && device->port == NULL ? connect(vm, device)
									    : OK;
}

void vm_net_look(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++) {
		if (devices[i].port && is_vsock(&devices[i]))
			virtio_vsock_look(&devices[i]);
		else if (devices[i].port)
			virtio_net_look(&devices[i]);
	}
}

void vm_net_leave(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++) {
		if (devices[i].port == NULL)
			continue;
		if (is_vsock(&devices[i]))
			vsock_disconnect(devices[i].port);
		else
			net_disconnect(devices[i].port);
		devices[i].port = NULL;
		discharge(&vm->ept);
	}
}

void vm_net_name(struct vm *vm)
{
	const struct virtio *devices = platform_virtio(&vm->platform);
	struct identity *identity = &vm->platform.fw_cfg.identity;

	for (unsigned i = vm->platform.extras.n_virtio; i-- > 0;)
		if (is_net(&devices[i])) {
			memcpy(identity->mac, &devices[i].identity, sizeof(identity->mac));
			identity->has_mac = true;
		}
}

/* Those of a template's first clones can be known in advance; the others' have no order. */
static uint64_t cid_of_clone(const struct vm *clone, const struct virtio *device)
{
	if (clone->template->template || clone->number >= VIRTIO_VSOCK_NUMBERS)
		return VIRTIO_VSOCK_CID_OTHER + clone->index % VIRTIO_VSOCK_CID_OTHER;
	return virtio_vsock_clone_cid(device->config->identity, clone->number);
}

void vm_net_renew(struct vm *clone)
{
	struct virtio *devices = platform_virtio(&clone->platform);

	for (unsigned i = 0; i < clone->platform.extras.n_virtio; i++) {
		if (is_net(&devices[i]))
			virtio_net_renew(&devices[i], clone->number);
		if (is_vsock(&devices[i]))
			virtio_vsock_move(&devices[i], cid_of_clone(clone, &devices[i]));
	}
	vm_net_name(clone);
	platform_update_virtio(&clone->platform);
}

void vm_net_moved(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++) {
		if (is_net(&devices[i]))
			virtio_net_moved(&devices[i]);
		if (is_vsock(&devices[i]))
			virtio_vsock_move(&devices[i], devices[i].config->identity);
	}
	vm_net_name(vm);
	platform_update_virtio(&vm->platform);
}
