/* SPDX-License-Identifier: BSD-2-Clause */
/* -device virtio-serial-device, virtconsole and virtserialport: what they give, what is refused. */
#include "hv/config/config.h"
#include "hv/virtio/virtio_console.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

#define SERIAL	"-device virtio-serial-device "
#define CHARS	"-chardev stdio,id=a -chardev stdio,id=b -chardev null,id=z "
#define CONSOLE "-device virtconsole,chardev=a "
#define PORT	"-device virtserialport,chardev=b,name=agent "

static const struct virtio_console_config *first(const struct vm_config *vm)
{
	assert_ptr_equal(vm->virtio->kind, &virtio_console);
	return (const struct virtio_console_config *)vm->virtio;
}

static void a_device_has_ports(void **state)
{
	const struct vm_config *vm = run_vm(SERIAL PORT CONSOLE CHARS, "");
	const struct virtio_console_config *device = first(vm);

	assert_int_equal(vm->n_virtio, 1);
	assert_int_equal(device->n_ports, 2);
	assert_int_equal(device->base.n_absent, 0);
	assert_int_equal(device->base.features,
			 VIRTIO_CONSOLE_F_MULTIPORT | VIRTIO_CONSOLE_F_EMERG_WRITE);
	assert_true(device->port[0].is_there && device->port[0].is_console);
	assert_true(device->port[0].is_shown);
	assert_null(device->port[0].name);
	assert_string_equal(device->port[0].label, "a");
	assert_true(device->port[1].is_there && !device->port[1].is_console);
	assert_string_equal(device->port[1].name, "agent");
	/* COM1 is the operator's. */
	assert_false(vm->has_console_port);
	assert_false(device->port[0].has_input || device->port[1].has_input);
}

static void without_com1_the_first_port_that_is_shown_is_the_operators(void **state)
{
	const struct vm_config *vm = run_vm("-serial null " SERIAL CONSOLE PORT CHARS, "");

	assert_true(vm->has_console_port);
	assert_true(first(vm)->port[0].has_input);
	assert_false(first(vm)->port[1].has_input);
	vm = run_vm("-nodefaults " SERIAL PORT "-device virtconsole,chardev=z,name= " CHARS, "");
	assert_true(first(vm)->port[1].has_input);
	assert_false(first(vm)->port[0].has_input || first(vm)->port[0].is_shown);
	assert_null(first(vm)->port[0].name);
	vm = run_vm("-serial none " SERIAL "-device virtconsole,chardev=z " CHARS, "");
	assert_false(vm->has_console_port);
	assert_false(run_vm("-serial none", "")->has_console_port);
}

static void ports_may_say_where_they_are(void **state)
{
	const struct virtio_console_config *device = first(run_vm(
		"-device virtio-serial-device,id=s,max_ports=1 -device virtio-rng-device "
		"-device virtio-serial-device,id=t " CHARS
		"-device virtconsole,bus=t.0,nr=1,chardev=a -device virtconsole,chardev=b "
		"-device '{\"driver\":\"virtconsole\",\"bus\":\"t.0\",\"nr\":0,\"chardev\":\"z\"}'",
		""));
	const struct virtio_console_config *second =
		(const struct virtio_console_config *)device->base.next->next;

	assert_int_equal(device->n_ports, 1);
	assert_int_equal(device->base.n_absent, VIRTIO_CONSOLE_QUEUES - 2);
	assert_int_equal(device->base.features, VIRTIO_CONSOLE_F_EMERG_WRITE);
	assert_string_equal(device->port[0].label, "b");
	assert_string_equal(second->port[1].label, "a");
	assert_string_equal(second->port[0].label, "z");
}

/* A port without a bus goes where there is a place for it. */
static void a_second_device_has_places(void **state)
{
	const struct virtio_console_config *device =
		first(run_vm(SERIAL SERIAL CHARS PORT "-device virtserialport,chardev=a", ""));
	const struct virtio_console_config *second =
		(const struct virtio_console_config *)device->base.next;

	assert_true(device->port[1].is_there && !device->port[0].is_there);
	assert_true(second->port[1].is_there && !second->port[0].is_there);
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

static void impossible_ports_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{PORT CHARS, "error: No 'virtio-serial-bus' bus found for device 'virtserialport'\n"
			     "error:       = write -device virtio-serial-device before it\n"},
		{CONSOLE CHARS SERIAL,
		 "error: No 'virtio-serial-bus' bus found for device 'virtconsole'\n"
		 "error:       = write -device virtio-serial-device before it\n"},
		{SERIAL "-device virtconsole,chardev=a,bus=s.0 " CHARS,
		 "error: Bus 's.0' not found\n"},
		{"-device virtio-serial-device,id=s -device virtconsole,chardev=a,bus=s " CHARS,
		 "error: Bus 's' not found\n"},
		{SERIAL "-device virtconsole",
		 "error: virtconsole needs a chardev\n"
		 "error:       = write -chardev stdio,id=ID, and here chardev=ID\n"},
		{SERIAL CONSOLE, "error: Property 'virtconsole.chardev' can't find value 'a'\n"},
		{SERIAL CONSOLE "-device virtserialport,chardev=a " CHARS,
		 "error: Property 'virtconsole.chardev' can't take value 'a', it's in use\n"},
		{SERIAL CONSOLE "-device virtconsole,chardev=b,nr=0 " CHARS,
		 "error: virtio-serial-bus: A port already exists by id 0\n"},
		{SERIAL "-device virtserialport,chardev=b,nr=0 " CHARS,
		 "error: virtio-serial-bus: Port number 0 on virtio-serial devices reserved for "
		 "virtconsole devices for backward compatibility.\n"},
		{SERIAL "-device virtserialport,chardev=b,nr=2 " CHARS,
		 "error: virtio-serial-bus: Out-of-range port id specified, max. allowed: 1\n"},
		{SERIAL PORT "-device virtserialport,chardev=a " CHARS,
		 "error: virtio-serial-bus: Maximum port limit for this device reached\n"},
		{SERIAL PORT "-device virtconsole,chardev=a,name=agent " CHARS,
		 "error: virtio-serial-bus: A port already exists by name agent\n"},
		{SERIAL "-device virtserialport,chardev=a,name=" LONG " " CHARS,
		 "error: the name of a port has at most 63 bytes\n"},
		{SERIAL "-device virtserialport,chardev=a,host=1 " CHARS,
		 "error: Property 'virtserialport.host' not found\n"
		 "error:       = possible names: bus chardev id name nr\n"},
		{SERIAL "-device virtserialport,chardev=a,nr=x " CHARS,
		 "error: Parameter 'nr' expects integer\n"},
		{"-device virtio-serial-device,max_ports=0", "error: maximum ports supported: 2\n"},
		{"-device virtio-serial-device,max_ports=31",
		 "error: maximum ports supported: 2\n"},
		{"-device virtio-serial-device,max_ports=x",
		 "error: Parameter 'max_ports' expects integer\n"},
		{"-device virtio-serial-device,packed=x",
		 "error: Parameter 'packed' expects 'on' or 'off'\n"},
		{"-device virtio-serial-device,max_nr_ports=2",
		 "error: Property 'virtio-serial-device.max_nr_ports' not found\n"
		 "error:       = possible names: event_idx id indirect_desc packed max_ports\n"},
		{"-chardev pty,id=p", NULL},
		{SERIAL "-device '{\"driver\":\"virtconsole\",\"bus\":5}'", NULL},
		{SERIAL "-device '{\"driver\":\"virtconsole\",\"name\":5}'", NULL},
		{SERIAL "-device '{\"driver\":\"virtconsole\",\"chardev\":5}'", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_vm(cases[i][0], cases[i][1]);
		assert_true(strlen(logged) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_ports),
		cmocka_unit_test(without_com1_the_first_port_that_is_shown_is_the_operators),
		cmocka_unit_test(ports_may_say_where_they_are),
		cmocka_unit_test(a_second_device_has_places),
		cmocka_unit_test(impossible_ports_are_refused),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
