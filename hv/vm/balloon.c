/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/balloon.h"

#include "hv/config/layout.h"
#include "hv/vcpu/sched.h"
#include "hv/virtio/virtio_balloon.h"
#include "hv/vm/vm.h"

/* NULL: there is none. */
static struct virtio *find(struct vm *vm)
{
	struct virtio *devices = platform_virtio(&vm->platform);

	for (unsigned i = 0; i < vm->platform.extras.n_virtio; i++)
		if (devices[i].config->kind == &virtio_balloon)
			return &devices[i];
	return NULL;
}

static uint64_t memory_of(const struct vm *vm)
{
	return vm->config->ram_size + memory_plugged(vm->config);
}

bool vm_has_balloon(struct vm *vm)
{
	return find(vm) != NULL;
}

uint64_t vm_balloon_size(struct vm *vm)
{
	uint64_t size = memory_of(vm);
	uint64_t balloon = __atomic_load_n(&find(vm)->own, __ATOMIC_RELAXED) * VIRTIO_BALLOON_PAGE;

	return balloon < size ? size - balloon : 0;
}

void vm_balloon_ask(struct vm *vm, uint64_t size)
{
	uint64_t memory = memory_of(vm);
	uint64_t n_pages = size < memory ? (memory - size) / VIRTIO_BALLOON_PAGE : 0;

	n_pages = n_pages < UINT32_MAX ? n_pages : UINT32_MAX;
	__atomic_store_n(&vm->balloon_target, (uint32_t)n_pages, __ATOMIC_RELAXED);
	/* Release pairs with vm_balloon_look(): the target is there. */
	__atomic_store_n(&vm->has_new_balloon_target, true, __ATOMIC_RELEASE);
	/* The first vCPU is never without a place in its guest. */
	sched_request(vm->vcpu, VCPU_REQUEST_VIRTIO);
}

void vm_balloon_look(struct vm *vm)
{
	if (!__atomic_load_n(&vm->has_new_balloon_target, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&vm->has_new_balloon_target, false, __ATOMIC_ACQUIRE))
		return;
	virtio_balloon_ask(find(vm), __atomic_load_n(&vm->balloon_target, __ATOMIC_RELAXED));
	platform_update_virtio(&vm->platform);
}
