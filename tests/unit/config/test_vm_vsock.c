/* SPDX-License-Identifier: BSD-2-Clause */
/* -device vhost-vsock-device: what it gives, and what is refused. */
#include "hv/config/config.h"
#include "hv/virtio/virtio_vsock.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

#define DEVICE "-device vhost-vsock-device,guest-cid="

static void a_device_has_its_cid(void **state)
{
	const struct vm_config *vm =
		run_vm(DEVICE "3,id=v\nvm w -kernel k -device virtio-rng-device -device "
			      "'{\"driver\":\"vhost-vsock-device\",\"guest-cid\":32767}'"
			      "\nvm x -kernel k -device virtio-rng-device",
		       "");

	assert_int_equal(vm->n_virtio, 1);
	assert_ptr_equal(vm->virtio->kind, &virtio_vsock);
	assert_int_equal(vm->virtio->features, VIRTIO_VSOCK_F_STREAM);
	assert_int_equal(vm->virtio->identity, 3);
	assert_int_equal(vm->next->virtio->next->identity, 32767);
}

static void impossible_devices_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{"-device vhost-vsock-device",
		 "error: guest-cid property must be greater than 2\n"},
		{DEVICE "2", "error: guest-cid property must be greater than 2\n"},
		{DEVICE "32768", "error: guest-cid 32768 is not possible, only 3 to 32767\n"
				 "error: Those above are for clones.\n"},
		{DEVICE "-1", "error: guest-cid 18446744073709551615 is not possible, only 3 to "
			      "32767\nerror: Those above are for clones.\n"},
		{DEVICE "x", NULL},
		{DEVICE "3,packed=x", "error: Parameter 'packed' expects 'on' or 'off'\n"},
		{DEVICE "3,vhostfd=5",
		 "error: Property 'vhost-vsock-device.vhostfd' not found\n"
		 "error:       = possible names: event_idx id indirect_desc packed guest-cid\n"},
		{DEVICE "3 " DEVICE "4", "error: a second vhost-vsock-device is not possible\n"},
		{DEVICE "5\nvm u -kernel k\nvm w -kernel k " DEVICE "5",
		 "error: guest-cid 5 is that of vm 'v' in line 1\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_vm(cases[i][0], cases[i][1]);
		assert_true(strlen(logged) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_its_cid),
		cmocka_unit_test(impossible_devices_are_refused),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
