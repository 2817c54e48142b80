/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces are short, and no lock is held between two of them: the other vCPUs of the VM, and other
 * VMs, wait no longer for a guest with long chains than for any other one.
 */
#include "hv/run/virtio.h"

#include "hv/guest/discard.h"
#include "hv/host/random.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/sync.h"
#include "hv/virtio/virtio_console.h"
#include "hv/vm/balloon.h"
#include "hv/vm/console.h"
#include "hv/vm/net.h"
#include "hv/vm/vm.h"

void virtio_note(struct vcpu *vcpu)
{
	struct platform *platform = &vcpu->vm->platform;

	vm_net_look(vcpu->vm);
	vm_console_note(vcpu->vm);
	platform_update_virtio(platform);
	if (platform_busy_virtio(platform) != NULL)
		vcpu_request(vcpu, VCPU_REQUEST_VIRTIO);
}

/*
 * No processor may write to a frame that is free: this vCPU and the VM's others forget their
 * translations first. No lock is held, because they are waited for.
 */
static void free_discarded(struct vcpu *vcpu, struct discard *discard)
{
	vcpu_flush_if_behind(vcpu);
	discard_free(discard);
}

enum status virtio_work_some(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct discard discard;
	struct console_piece console;
	struct virtio_host host = {.memory = &vm->memory,
				   .fill_random = random_fill,
				   .discard = &discard,
				   .console = &console};
	enum status status = ERR_NOTFOUND;
	struct virtio *device;

	discard.n = 0;
	vm_lock_devices(vm);
	vm_net_look(vm);
	vm_balloon_look(vm);
	device = platform_busy_virtio(&vm->platform);
	if (device != NULL) {
		struct memory_lock held;

		vm_console_begin(vm, device, &console);
		held = memory_lock(vcpu);
		status = vm_net_connect(vm, device);
		if (status == OK)
			status = virtio_serve(device, &host);
		if (status != OK)
			stop_for_memory(vcpu, host.at);
		memory_unlock(&held);
		vm_console_end(vm, device, &console, status == OK);
		platform_update_virtio(&vm->platform);
	}
	vm_unlock_devices(vm);
	if (discard.n > 0)
		free_discarded(vcpu, &discard);
	return status;
}
