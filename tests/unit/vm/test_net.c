/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of VMs' network devices: when they are connected, what they cost, what wakes a vCPU. */
#include "hv/vm/net.h"

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/net/hub.h"
#include "hv/net/vsock.h"
#include "hv/vcpu/sched.h"
#include "hv/virtio/virtio_net.h"
#include "hv/virtio/virtio_rng.h"
#include "hv/virtio/virtio_vsock.h"
#include "hv/vm/vm.h"
#include "tests/unit/support.h"

#include "tests/unit/platform_parts.h"

#define FRAMES	 MIB(2)
#define N_FRAMES (3 * NET_PORT_FRAMES)
#define N_VMS	 2

static const struct virtio_config vsock = {
	.kind = &virtio_vsock, .features = VIRTIO_VSOCK_F_STREAM, .identity = 5};
static const struct virtio_config net = {.next = &vsock,
					 .kind = &virtio_net,
					 .features = VIRTIO_NET_FEATURES,
					 .identity = 0x563412005452,
					 .hub = 9};
static const struct virtio_config rng = {.kind = &virtio_rng, .next = &net};

static struct {
	_Alignas(64) char room[KIB(16)];
	struct platform_wiring wiring;
	struct vcpu vcpu;
} rooms[N_VMS];
static struct vm *vm[N_VMS];
static struct virtio *device[N_VMS];

void sched_request(struct vcpu *of, uint32_t requests)
{
	of->regs.requests |= requests;
}

void random_fill(void *buf, size_t len)
{
	memset(buf, 7, len);
}

static void make(unsigned n)
{
	static const struct cpu_topology topology = TOPOLOGY_ONE_CPU;
	const struct platform_config config = {.topology = &topology,
					       .phys_bits = 40,
					       .tsc_hz = 1000000000,
					       .extras = {.n_virtio = 3},
					       .virtio = &rng};

	memset(&rooms[n], 0, sizeof(rooms[n]));
	vm[n] = (struct vm *)rooms[n].room;
	assert_true(offsetof(struct vm, platform) + platform_whole_size(1, config.extras) <=
		    sizeof(rooms[n].room));
	vm[n]->name = n == 0 ? "a" : "b";
	vm[n]->vcpu = &rooms[n].vcpu;
	vm[n]->ept.max_owned = 2 * NET_PORT_FRAMES;
	platform_place_parts(&vm[n]->platform, 1, config.extras);
	assert_int_equal(platform_init(&vm[n]->platform, &rooms[n].wiring, &config), OK);
	device[n] = &platform_virtio(&vm[n]->platform)[1];
}

static int setup(void **state)
{
	frame_reset();
	(void)phys_arena(FRAMES, align_up(N_FRAMES * PAGE_SIZE, MIB(2)));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	for (unsigned n = 0; n < N_VMS; n++)
		make(n);
	log_reset();
	return 0;
}

static int teardown(void **state)
{
	for (unsigned n = 0; n < N_VMS; n++) {
		vm_net_leave(vm[n]);
		assert_int_equal(vm[n]->ept.max_owned, 2 * NET_PORT_FRAMES);
	}
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

static void runs(unsigned n)
{
	device[n]->driver_features = VIRTIO_F_VERSION_1 | VIRTIO_NET_FEATURES;
	device[n]->status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	device[n]->queue[VIRTIO_NET_RECEIVE].is_ready = true;
}

static void socket_runs(unsigned n)
{
	device[n][1].driver_features = VIRTIO_F_VERSION_1;
	device[n][1].status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	for (unsigned queue = VIRTIO_VSOCK_RECEIVE; queue <= VIRTIO_VSOCK_EVENT; queue++)
		device[n][1].queue[queue].is_ready = true;
}

static bool has_interrupt(unsigned n)
{
	/* The second device's slot is 6. */
	return vm[n]->platform.irqchip.ioapic.asserted & BIT(virtio_mmio_gsi(6));
}

static void send(unsigned n)
{
	uint64_t progress = 0;

	memset(device[n]->port->frame, 0xff, 60);
	assert_true(net_send(device[n]->port, 60, &progress));
}

static void a_device_is_connected_once_and_paid_for(void **state)
{
	struct net_port *port;

	assert_int_equal(vm_net_connect(vm[0], device[0] - 1), OK); /* no network device */
	assert_null(device[0][-1].port);
	assert_int_equal(frame_available(), N_FRAMES);
	assert_int_equal(vm_net_connect(vm[0], device[0]), OK);
	port = device[0]->port;
	assert_int_equal(port->config.hub, 9);
	assert_int_equal(port->config.device, 1);
	assert_int_equal(vm[0]->ept.max_owned, NET_PORT_FRAMES);
	assert_int_equal(vm_net_connect(vm[0], device[0]), OK);
	assert_ptr_equal(device[0]->port, port);
	vm_net_leave(vm[0]);
	assert_null(device[0]->port);
}

static void a_vm_may_not_have_the_memory(void **state)
{
	vm[0]->ept.max_owned = NET_PORT_FRAMES - 1;
	assert_int_equal(vm_net_connect(vm[0], device[0]), ERR_NOMEM);
	assert_int_equal(vm[0]->ept.max_owned, NET_PORT_FRAMES - 1);
	vm[0]->ept.max_owned = 2 * NET_PORT_FRAMES;
	/* The machine has none. */
	while (frame_alloc() != 0)
		;
	assert_int_equal(vm_net_connect(vm[0], device[0]), ERR_NOMEM);
	assert_null(device[0]->port);
	frame_reset();
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
}

static void a_frame_wakes_the_other_vm(void **state)
{
	for (unsigned n = 0; n < N_VMS; n++) {
		assert_int_equal(vm_net_connect(vm[n], device[n]), OK);
		runs(n);
	}
	send(0);
	assert_int_equal(vm[0]->vcpu->regs.requests, 0);
	assert_int_equal(vm[1]->vcpu->regs.requests, VCPU_REQUEST_VIRTIO);
	vm_net_look(vm[0]);
	assert_null(platform_busy_virtio(&vm[0]->platform));
	vm_net_look(vm[1]);
	assert_ptr_equal(platform_busy_virtio(&vm[1]->platform), device[1]);
}

static void a_clone_gets_addresses_of_its_own(void **state)
{
	static const uint8_t mac[6] = {2, 0x12, 0x34, 0x56, 0, 5};
	const struct identity *identity = &vm[0]->platform.fw_cfg.identity;

	vm_net_name(vm[0]);
	assert_memory_equal(identity->mac, &net.identity, 6);
	runs(0);
	vm[0]->number = 5;
	vm[0]->template = vm[1];
	vm_net_renew(vm[0]);
	assert_memory_equal(identity->mac, mac, 6);
	assert_memory_equal(&device[0]->identity, mac, 6);
	assert_int_equal(device[0][-1].identity, 0);
	assert_true(has_interrupt(0));
	assert_int_equal(device[0]->own, 0);
}

static void a_vm_that_was_loaded_announces_itself(void **state)
{
	runs(0);
	device[0]->identity = 0x0402;
	vm_net_moved(vm[0]);
	assert_int_equal(device[0]->own, VIRTIO_NET_ANNOUNCE);
	assert_true(has_interrupt(0));
	assert_memory_equal(vm[0]->platform.fw_cfg.identity.mac, &device[0]->identity, 6);
	assert_int_equal(device[0][-1].own, 0);
}

static void a_socket_is_connected_by_its_cid(void **state)
{
	struct vsock_header header = {.dst_cid = 6};

	device[1][1].identity = 6;
	for (unsigned n = 0; n < N_VMS; n++) {
		socket_runs(n);
		assert_int_equal(vm_net_connect(vm[n], &device[n][1]), OK);
		assert_int_equal(vm[n]->ept.max_owned, NET_PORT_FRAMES);
	}
	memcpy(device[0][1].port->frame, &header, sizeof(header));
	assert_int_equal(vsock_send(device[0][1].port), OK);
	assert_int_equal(vm[1]->vcpu->regs.requests, VCPU_REQUEST_VIRTIO);
	vm_net_look(vm[1]);
	assert_ptr_equal(platform_busy_virtio(&vm[1]->platform), &device[1][1]);
	vm_net_leave(vm[1]);
	assert_null(device[1][1].port);
	assert_int_equal(vsock_send(device[0][1].port), ERR_NOTFOUND);
}

static void a_cid_that_is_taken_gives_no_socket(void **state)
{
	for (unsigned n = 0; n < N_VMS; n++) {
		socket_runs(n);
		assert_int_equal(vm_net_connect(vm[n], &device[n][1]), OK);
	}
	assert_non_null(device[0][1].port);
	assert_null(device[1][1].port);
	assert_int_equal(vm[1]->ept.max_owned, 2 * NET_PORT_FRAMES);
	assert_string_equal(logged, "warning: VM b: another VM has the CID 5: no sockets\n");
	assert_int_equal(vm_net_connect(vm[1], &device[1][1]), OK);
	assert_string_equal(logged, "warning: VM b: another VM has the CID 5: no sockets\n");
}

static void a_clone_gets_a_cid_of_its_own(void **state)
{
	struct vm *clone = vm[0], *template = vm[1];

	clone->template = template;
	clone->number = 7;
	clone->index = 40;
	socket_runs(0);
	vm_net_renew(clone);
	assert_int_equal(device[0][1].identity, 5 << 16 | 7);
	assert_int_equal(device[0][1].own, 1);
	assert_int_equal(device[0][1].notified, BIT(VIRTIO_VSOCK_EVENT));
	vm_net_renew(clone); /* a revert */
	assert_int_equal(device[0][1].identity, 5 << 16 | 7);
	clone->number = 0x10000;
	vm_net_renew(clone);
	assert_int_equal(device[0][1].identity, 0x80000028);
	clone->number = 7;
	template->template = template;
	vm_net_renew(clone);
	assert_int_equal(device[0][1].identity, 0x80000028);
}

static void a_vm_that_was_loaded_has_the_cid_of_its_configuration(void **state)
{
	socket_runs(0);
	device[0][1].identity = 9;
	vm_net_moved(vm[0]);
	assert_int_equal(device[0][1].identity, 5);
	assert_int_equal(device[0][1].own, 1);
	assert_int_equal(device[0][1].notified, BIT(VIRTIO_VSOCK_EVENT));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_is_connected_once_and_paid_for),
		TEST(a_vm_may_not_have_the_memory),
		TEST(a_frame_wakes_the_other_vm),
		TEST(a_clone_gets_addresses_of_its_own),
		TEST(a_vm_that_was_loaded_announces_itself),
		TEST(a_socket_is_connected_by_its_cid),
		TEST(a_cid_that_is_taken_gives_no_socket),
		TEST(a_clone_gets_a_cid_of_its_own),
		TEST(a_vm_that_was_loaded_has_the_cid_of_its_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
