/* SPDX-License-Identifier: BSD-2-Clause */
/* -netdev and -device virtio-net-device: what they give, and what is refused. */
#include "hv/config/config.h"
#include "hv/net/hub.h"
#include "hv/virtio/virtio_net.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

#define HUBPORT "-netdev hubport,id=n,hubid=0 "
#define DEVICE	"-device virtio-net-device,netdev=n"

static uint64_t mac(unsigned last)
{
	return net_mac((uint8_t[6]){0x52, 0x54, 0, 0x12, 0x34, (uint8_t)last});
}

static void a_device_is_at_a_hub(void **state)
{
	const struct vm_config *vm =
		run_vm("-device virtio-net-device,netdev=b,mac=02-00-00-AB-cd-ef "
		       "-netdev hubport,id=a,hubid=63 -netdev "
		       "'{\"type\":\"hubport\",\"id\":\"b\",\"hubid\":5}' "
		       "-device virtio-net-device,netdev=a,id=x",
		       "");
	const struct virtio_config *one = vm->virtio;

	assert_int_equal(vm->n_virtio, 2);
	assert_ptr_equal(one->kind, &virtio_net);
	assert_int_equal(one->features, VIRTIO_NET_FEATURES);
	assert_int_equal(one->hub, 5);
	assert_int_equal(one->identity, net_mac((uint8_t[6]){2, 0, 0, 0xab, 0xcd, 0xef}));
	assert_int_equal(one->next->hub, 63);
	assert_int_equal(one->next->identity, mac(0x56));
}

/* QEMU counts in one VM; here all VMs may share a hub. */
static void devices_of_all_vms_have_different_addresses(void **state)
{
	const struct vm_config *vm =
		run_vm(HUBPORT DEVICE "\nvm w -kernel k " HUBPORT DEVICE ",mac=02:00:00:00:00:01 "
				      "-netdev hubport,id=m,hubid=1 "
				      "-device virtio-net-device,netdev=m",
		       "");

	assert_int_equal(vm->virtio->identity, mac(0x56));
	assert_int_equal(vm->next->virtio->identity, net_mac((uint8_t[6]){2, 0, 0, 0, 0, 1}));
	assert_int_equal(vm->next->virtio->next->identity, mac(0x57));
}

static void other_netdevs_are_refused(void **state)
{
	run_vm("-netdev user,id=u",
	       "error: -netdev user is not supported: there is no host network\n"
	       "error:       = write -netdev hubport,id=u,hubid=0 for a network between VMs\n");
	run_vm("-netdev tap",
	       "error: -netdev tap is not supported: there is no host network\n"
	       "error:       = write -netdev hubport,id=ID,hubid=0 for a network between VMs\n");
	run_vm("-netdev hubpart,id=n", "error: Parameter 'type' does not accept value 'hubpart'\n"
				       "error:       = did you mean 'hubport'?\n"
				       "error:       = possible values: 'hubport'\n");
	run_vm("-netdev id=n", "error: Parameter 'type' is missing\n");
	run_vm("-netdev '{\"type\":5}'", "error: Parameter 'type' is missing\n");
	run_vm("-netdev hubport,hubid=0", "error: Parameter 'id' is missing\n");
	run_vm("-netdev hubport,id=n", "error: Parameter 'hubid' is missing\n");
	run_vm("-netdev hubport,id=n,hubid=64", "error: there is no hub 64, only 0 to 63\n");
	run_vm("-netdev hubport,id=n,hubid=-1", NULL);
	assert_true(strlen(logged) > 0);
	run_vm("-netdev hubport,id=n,hubid=0,netdev=x",
	       "error: Invalid parameter 'netdev'\n"
	       "error:       = possible names: type id hubid\n");
	run_vm("-netdev hubport,id=1,hubid=0", NULL);
	assert_true(strlen(logged) > 0);
	run_vm(HUBPORT HUBPORT, "error: Duplicate ID 'n' for netdev\n");
}

static void impossible_devices_are_refused(void **state)
{
	static const char *const macs[] = {"52:54:00:12:34",	   "52:54:00:12:34:5",
					   "52:54:00:12:34:56:78", "52:54:00:12:34:5g",
					   "525400123456",	   ""};
	char options[200], message[200];

	run_vm("-device virtio-net-device",
	       "error: virtio-net-device needs a netdev\n"
	       "error:       = write -netdev hubport,id=ID,hubid=0, and here netdev=ID\n");
	run_vm(DEVICE, "error: Property 'virtio-net-device.netdev' can't find value 'n'\n");
	run_vm(HUBPORT DEVICE " " DEVICE,
	       "error: Property 'virtio-net-device.netdev' can't take value 'n', it's in use\n");
	run_vm(HUBPORT DEVICE ",mrg_rxbuf=off",
	       "error: Property 'virtio-net-device.mrg_rxbuf' not found\n"
	       "error:       = possible names: event_idx id indirect_desc packed mac netdev\n");
	run_vm(HUBPORT DEVICE ",mac=00:00:00:00:00:00",
	       "error: 00:00:00:00:00:00 is not the address of a device: it is zero\n");
	run_vm(HUBPORT DEVICE ",mac=03:00:00:00:00:00",
	       "error: 03:00:00:00:00:00 is not the address of a device: it is that of a group\n");
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		snprintf(options, sizeof(options), HUBPORT DEVICE ",mac=%s", macs[i]);
		snprintf(message, sizeof(message),
			 "error: Property 'virtio-net-device.mac' doesn't take value '%s'\n",
			 macs[i]);
		run_vm(options, message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_at_a_hub),
		cmocka_unit_test(devices_of_all_vms_have_different_addresses),
		cmocka_unit_test(other_netdevs_are_refused),
		cmocka_unit_test(impossible_devices_are_refused),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
