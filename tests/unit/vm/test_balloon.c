/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator asks of a VM's balloon, and when its device is told. */
#include "hv/vm/balloon.h"

#include <string.h>

#include "hv/vcpu/sched.h"
#include "hv/virtio/virtio_balloon.h"
#include "hv/virtio/virtio_rng.h"
#include "hv/vm/vm.h"
#include "tests/unit/support.h"

#include "tests/unit/platform_parts.h"

static const struct virtio_config balloon = {.kind = &virtio_balloon};
static const struct virtio_config rng = {.kind = &virtio_rng, .next = &balloon};

static struct {
	_Alignas(64) char room[KIB(16)];
	struct platform_wiring wiring;
	struct vcpu vcpu;
} room;
static struct vm *const vm = (struct vm *)room.room;
static struct virtio *device;
static struct vm_config config;
static struct dimm_config nvdimm, dimm;

void sched_request(struct vcpu *of, uint32_t requests)
{
	of->regs.requests |= requests;
}

static int set_up(void **state)
{
	static const struct cpu_topology topology = TOPOLOGY_ONE_CPU;
	const struct platform_config made = {.topology = &topology,
					     .phys_bits = 40,
					     .tsc_hz = 1000000000,
					     .extras = {.n_virtio = 2},
					     .virtio = &rng};

	memset(&room, 0, sizeof(room));
	assert_true(offsetof(struct vm, platform) + platform_whole_size(1, made.extras) <=
		    sizeof(room.room));
	nvdimm = (struct dimm_config){.size = GIB(1), .is_nvdimm = true};
	dimm = (struct dimm_config){.size = MIB(32), .next = &nvdimm};
	config = (struct vm_config){.ram_size = MIB(128)};
	vm->config = &config;
	vm->vcpu = &room.vcpu;
	platform_place_parts(&vm->platform, 1, made.extras);
	assert_int_equal(platform_init(&vm->platform, &room.wiring, &made), OK);
	device = &platform_virtio(&vm->platform)[1];
	device->driver_features = VIRTIO_F_VERSION_1;
	device->status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	return 0;
}

static bool has_interrupt(void)
{
	/* The second device's slot is 6. */
	return vm->platform.irqchip.ioapic.asserted & BIT(virtio_mmio_gsi(6));
}

static void a_vm_may_have_none(void **state)
{
	assert_true(vm_has_balloon(vm));
	device->config = &rng;
	assert_false(vm_has_balloon(vm));
	vm_balloon_look(vm);
	assert_int_equal(device->generation, 0);
}

/* The device is its VM's: the vCPU tells it. */
static void the_last_request_counts(void **state)
{
	vm_balloon_ask(vm, MIB(100));
	vm_balloon_ask(vm, MIB(64) + 1);
	assert_int_equal(room.vcpu.regs.requests, VCPU_REQUEST_VIRTIO);
	assert_int_equal(device->identity, 0);
	assert_false(has_interrupt());
	vm_balloon_look(vm);
	assert_int_equal(device->identity, MIB(64) / PAGE_SIZE - 1);
	assert_true(has_interrupt());
	vm_balloon_look(vm);
	assert_int_equal(device->generation, 1);
}

static void more_than_the_memory_empties_it(void **state)
{
	device->identity = 7;
	vm_balloon_ask(vm, MIB(129));
	vm_balloon_look(vm);
	assert_int_equal(device->identity, 0);
	config.ram_size = UINT64_C(1) << 46; /* more than a number of pages has bits for */
	vm_balloon_ask(vm, PAGE_SIZE);
	vm_balloon_look(vm);
	assert_int_equal(device->identity, UINT32_MAX);
}

static void dimms_are_memory(void **state)
{
	config.dimms = &dimm;
	assert_int_equal(vm_balloon_size(vm), MIB(160));
	vm_balloon_ask(vm, MIB(150));
	vm_balloon_look(vm);
	assert_int_equal(device->identity, MIB(10) / PAGE_SIZE);
}

/* The driver says any number. */
static void the_size_is_what_the_driver_says(void **state)
{
	device->own = MIB(28) / PAGE_SIZE;
	assert_int_equal(vm_balloon_size(vm), MIB(100));
	device->own = UINT32_MAX;
	assert_int_equal(vm_balloon_size(vm), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_vm_may_have_none, set_up),
		cmocka_unit_test_setup(the_last_request_counts, set_up),
		cmocka_unit_test_setup(more_than_the_memory_empties_it, set_up),
		cmocka_unit_test_setup(dimms_are_memory, set_up),
		cmocka_unit_test_setup(the_size_is_what_the_driver_says, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
