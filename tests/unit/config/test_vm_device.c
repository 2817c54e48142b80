/* SPDX-License-Identifier: BSD-2-Clause */
/* -device as JSON: how QEMU 7.2 and later read it, and the words of its refusals. */
#include "hv/config/config.h"

#include "hv/virtio/virtio_balloon.h"
#include "hv/virtio/virtio_rng.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

static struct vm_config *run_devices(const char *devices, const char *reported)
{
	char options[2000];

	snprintf(options, sizeof(options),
		 "-machine nvdimm=on -m 128M,slots=4,maxmem=2G "
		 "-object memory-backend-ram,id=m0,size=32M "
		 "-object memory-backend-ram,id=m1,size=32M %s",
		 devices);
	return run_vm(options, reported);
}

static struct vm_config *run_device(const char *json, const char *message)
{
	char device[500], reported[500] = "";

	snprintf(device, sizeof(device), "-device '%s'", json);
	if (*message != '\0')
		snprintf(reported, sizeof(reported), "error: %s\n", message);
	return run_devices(device, reported);
}

static void a_dimm_has_what_it_is_given(void **state)
{
	const struct dimm_config *dimm =
		run_device("{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":\"d0\","
			   "\"addr\":4328521728,\"slot\":2,\"node\":0}",
			   "")
			->dimms;

	assert_false(dimm->is_nvdimm);
	assert_string_equal(dimm->id, "d0");
	assert_string_equal(dimm->backend->id, "m0");
	assert_int_equal(dimm->addr, 0x102000000);
	assert_int_equal(dimm->slot, 2);
	dimm = run_device("{\"driver\":\"nvdimm\",\"memdev\":\"m0\",\"unarmed\":true,"
			  "\"label-size\":131072,"
			  "\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\",\"slot\":-1}",
			  "")
		       ->dimms;
	assert_true(dimm->is_nvdimm && dimm->unarmed);
	assert_int_equal(dimm->label_size, KIB(128));
	assert_int_equal(dimm->size, MIB(30));
	assert_int_equal(dimm->slot, 0);
}

static void any_text_is_an_id(void **state)
{
	static const char *const ids[] = {"1x", "", "a b", "\u00e4"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		char json[100];

		sprintf(json, "{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":\"%s\"}", ids[i]);
		assert_string_equal(run_device(json, "")->dimms->id, ids[i]);
	}
	assert_null(
		run_device("{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":5}", "")->dimms->id);
}

static void other_devices_are_made_too(void **state)
{
	const struct vm_config *vm = run_devices(
		"-device '{\"driver\":\"isa-debug-exit\",\"iobase\":244,\"iosize\":4}' "
		"-device '{\"driver\":\"vmgenid\",\"guid\":\"auto\"}' "
		"-device '{\"driver\":\"isa-debugcon\",\"iobase\":1026,\"chardev\":\"c\"}' "
		"-chardev null,id=c",
		"");

	assert_int_equal(vm->debug_exit_iobase, 244);
	assert_int_equal(vm->debug_exit_iosize, 4);
	assert_true(vm->has_vmgenid && !vm->has_guid);
	assert_int_equal(vm->debugcon_iobase, 1026);
	assert_int_equal(vm->debugcon, SERIAL_NULL);
}

#define DEVICES \
	"error:       = possible values: 'acpi-watchdog', 'isa-debug-exit', 'isa-debugcon', " \
	"'loader', 'nvdimm', " \
	"'pc-dimm', 'pvpanic', 'vhost-vsock-device', 'virtconsole', 'virtio-balloon-device', " \
	"'virtio-blk-device', " \
	"'virtio-net-device', 'virtio-pmem-device', 'virtio-rng-device', 'virtio-serial-device', " \
	"'virtserialport', " \
	"'vmgenid'"

static void virtio_devices_are_numbered_and_find_their_objects(void **state)
{
	const struct vm_config *vm = run_devices(
		"-device virtio-rng-device,rng=r1 -object rng-random,id=r1,filename=/dev/random "
		"-object rng-builtin,id=r2 -device virtio-rng-device "
		"-device '{\"driver\":\"virtio-rng-device\",\"rng\":\"r2\"}'",
		"");

	assert_int_equal(vm->n_virtio, 3);
	assert_ptr_equal(vm->virtio->kind, &virtio_rng);
	assert_ptr_equal(vm->virtio->next->next->kind, &virtio_rng);
	assert_null(vm->virtio->next->next->next);
	assert_string_equal(vm->rngs->id, "r1");
	assert_string_equal(vm->rngs->next->id, "r2");
}

static void queues_have_the_features_that_are_asked_for(void **state)
{
	const struct vm_config *vm =
		run_devices("-device virtio-rng-device,packed=on -device virtio-rng-device "
			    "-device virtio-rng-device,event_idx=off,indirect_desc=off,packed=off",
			    "");
	const struct virtio_config *device = vm->virtio;

	assert_true(device->features == VIRTIO_F_RING_PACKED);
	assert_int_equal(device->without, 0);
	device = device->next;
	assert_int_equal(device->features | device->without, 0);
	device = device->next;
	assert_int_equal(device->features, 0);
	assert_int_equal(device->without, VIRTIO_F_EVENT_INDEX | VIRTIO_F_INDIRECT);
	run_devices("-device virtio-rng-device,packed=maybe",
		    "error: Parameter 'packed' expects 'on' or 'off'\n");
}

static void a_balloon_offers_what_is_asked_for(void **state)
{
	const struct virtio_config *device =
		run_devices("-device virtio-balloon-device,id=b", "")->virtio;

	assert_ptr_equal(device->kind, &virtio_balloon);
	assert_int_equal(device->features, 0);
	assert_int_equal(device->n_absent, 1);
	device = run_devices(
			 "-device virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on",
			 "")
			 ->virtio;
	assert_int_equal(device->features,
			 VIRTIO_BALLOON_F_REPORTING | VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	assert_int_equal(device->n_absent, 0);
	run_devices("-device virtio-balloon-device,free-page-reporting=off,deflate-on-oom=off", "");
	run_devices("-device virtio-balloon-device -device virtio-balloon-device",
		    "error: Only one balloon device is supported\n");
	run_devices("-device virtio-balloon-device,free-page-reporting=1",
		    "error: Parameter 'free-page-reporting' expects 'on' or 'off'\n");
	run_devices("-device virtio-balloon-device,free-page-hint=on",
		    "error: Property 'virtio-balloon-device.free-page-hint' not found\n"
		    "error:       = possible names: event_idx id indirect_desc packed "
		    "deflate-on-oom free-page-reporting\n");
}

#define RNG "-device virtio-rng-device "

static void impossible_virtio_devices_are_refused(void **state)
{
	run_devices("-device virtio-rng-device,rng=rang -object rng-builtin,id=rung",
		    "error: Device 'rang' not found\nerror:       = did you mean 'rung'?\n");
	run_devices("-device virtio-rng-device,max-bytes=1",
		    "error: Property 'virtio-rng-device.max-bytes' not found\n"
		    "error:       = possible names: event_idx id indirect_desc packed rng\n");
	run_devices("-object rng-random,id=r,filename=/f",
		    "error: rng-random cannot read '/f': there is no file but the machine's own "
		    "source\n"
		    "error:       = write filename=/dev/urandom\n");
	run_devices("-object rng-builtin,id=r -object rng-random,id=r",
		    "error: Duplicate ID 'r' for object\n");
	run_devices(RNG RNG RNG RNG RNG RNG RNG, "");
	run_devices(RNG RNG RNG RNG RNG RNG RNG RNG,
		    "error: No 'virtio-bus' bus found for device 'virtio-rng-device'\n"
		    "error:       = a vm has at most 7 virtio devices\n");
}

static void devices_in_json_come_after_all_others(void **state)
{
	const struct dimm_config *dimm =
		run_devices("-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":\"a\"}' "
			    "-device pc-dimm,memdev=m1,id=b",
			    "")
			->dimms;

	assert_string_equal(dimm->id, "b");
	assert_int_equal(dimm->addr, GIB(4));
	assert_string_equal(dimm->next->id, "a");
	assert_int_equal(dimm->next->addr, GIB(4) + MIB(32));
	run_devices("-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":\"a\"}' "
		    "-device pc-dimm,memdev=m1,id=a",
		    "error: Duplicate device ID 'a'\n");
	run_devices("-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m0\",\"id\":\"a\"}' "
		    "-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m1\",\"id\":\"a\"}'",
		    "error: Duplicate device ID 'a'\n");
	run_devices("-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m9\"' -device nix",
		    "error: JSON parse error, premature EOI\n"
		    "error: 'nix' is not a valid device model name\n" DEVICES "\n");
	run_devices("-device '{\"driver\":\"pc-dimm\"}' -device nix",
		    "error: 'nix' is not a valid device model name\n" DEVICES "\n"
		    "error: 'memdev' property must be set\n");
}

#define DIMM(more)   "{\"driver\":\"pc-dimm\",\"memdev\":\"m0\"," more "}"
#define NVDIMM(more) "{\"driver\":\"nvdimm\",\"memdev\":\"m0\"," more "}"

static void refusals_have_qemus_words(void **state)
{
	static const struct {
		const char *json, *message;
	} rows[] = {
		{"{\"driver\":\"pc-dimm\"}", "'memdev' property must be set"},
		{"{\"driver\":\"pc-dimm\",\"memdev\":\"\"}", "'memdev' property must be set"},
		{"{\"driver\":\"pc-dimm\",\"memdev\":\"m9\"}", "Device 'm9' not found"},
		{"{\"driver\":\"pc-dimm\",\"memdev\":5}",
		 "Invalid parameter type for 'memdev', expected: string"},
		{"{\"driver\":\"pc-dimm\",\"memdev\":null}",
		 "Invalid parameter type for 'memdev', expected: string"},
		{DIMM("\"addr\":\"0x100000000\""), "Parameter 'addr' expects uint64"},
		{DIMM("\"addr\":true"), "Parameter 'addr' expects uint64"},
		{DIMM("\"addr\":1.5"), "Parameter 'addr' expects uint64"},
		{DIMM("\"addr\":-1"), "address must be aligned to 0x200000 bytes"},
		{DIMM("\"addr\":5"), "address must be aligned to 0x200000 bytes"},
		{DIMM("\"node\":\"0\""), "Parameter 'node' expects uint64"},
		{DIMM("\"node\":4294967296"), "Parameter 'node' expects uint32_t"},
		{DIMM("\"node\":-1"), "Parameter 'node' expects uint32_t"},
		{DIMM("\"node\":7"), "'DIMM property node has value 7' which exceeds the number of "
				     "numa nodes: 1"},
		{DIMM("\"slot\":\"1\""), "Invalid parameter type for 'slot', expected: integer"},
		{DIMM("\"slot\":4294967296"), "Parameter 'slot' expects int32_t"},
		{DIMM("\"slot\":9223372036854775808"),
		 "Invalid parameter type for 'slot', expected: integer"},
		{DIMM("\"slot\":-2"), "invalid slot number -2, valid range is [0-3]"},
		{DIMM("\"slot\":-2147483649"), "Parameter 'slot' expects int32_t"},
		{DIMM("\"slot\":[1]"), "Invalid parameter type for 'slot', expected: integer"},
		{DIMM("\"foo\":1"), "Property 'pc-dimm.foo' not found\n"
				    "error:       = possible names: addr id memdev node slot"},
		{DIMM("\"unarmed\":true"),
		 "Property 'pc-dimm.unarmed' not found\n"
		 "error:       = possible names: addr id memdev node slot"},
		{DIMM("\"driver\":\"nvdimm\""), "JSON parse error, duplicate key"},
		{NVDIMM("\"unarmed\":\"on\""),
		 "Invalid parameter type for 'unarmed', expected: boolean"},
		{NVDIMM("\"unarmed\":1"),
		 "Invalid parameter type for 'unarmed', expected: boolean"},
		{NVDIMM("\"label-size\":\"128K\""), "Parameter 'label-size' expects uint64"},
		{NVDIMM("\"label-size\":4096"),
		 "Property 'nvdimm.label-size' (0x1000) is required at least 0x20000"},
		{NVDIMM("\"label-size\":0"),
		 "Property 'nvdimm.label-size' (0x0) is required at least 0x20000"},
		{NVDIMM("\"label-size\":-1"),
		 "the size of memdev m0 (0x2000000) is too small to contain nvdimm label "
		 "(0xffffffffffffffff) and aligned PMEM (0x200000)"},
		{NVDIMM("\"uuid\":\"x\""), "Property 'nvdimm.uuid' has invalid value"},
		{NVDIMM("\"uuid\":5"), "Invalid parameter type for 'uuid', expected: string"},
		{"{\"driver\":5}", "Parameter 'driver' is missing"},
		{"{\"driver\":null,\"memdev\":\"m0\"}", "Parameter 'driver' is missing"},
		{"{\"memdev\":\"m0\"}", "Parameter 'driver' is missing"},
		{"{\"driver\":\"\"}", "'' is not a valid device model name\n" DEVICES},
		{"{\"driver\":\"nix\"}", "'nix' is not a valid device model name\n" DEVICES},
		{"{\"driver\":\"pc-dimm\"} x", "Expecting at most one JSON value"},
		{"{\"driver\":\"isa-debug-exit\",\"iobase\":\"244\"}",
		 "Parameter 'iobase' expects uint64"},
		{"{\"driver\":\"isa-debug-exit\",\"iobase\":-1}",
		 "Parameter 'iobase' expects uint32_t"},
		{"{\"driver\":\"vmgenid\",\"guid\":1}",
		 "Invalid parameter type for 'guid', expected: string"},
		{"{\"driver\":\"vmgenid\",\"guid\":\"x\"}",
		 "Property 'vmgenid.guid' doesn't take value 'x'"},
		{"{\"driver\":\"isa-debugcon\",\"chardev\":\"c\"}",
		 "Property 'isa-debugcon.chardev' can't find value 'c'"},
		{"{\"driver\":\"isa-debugcon\",\"chardev\":1}",
		 "Invalid parameter type for 'chardev', expected: string"},
		{"{\"driver\":\"isa-debugcon\",\"chardev\":\"\"}",
		 "Can't create debugcon device, empty char device\n"
		 "error:       = write -chardev stdio,id=ID, and here chardev=ID"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_device(rows[i].json, rows[i].message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dimm_has_what_it_is_given),
		cmocka_unit_test(any_text_is_an_id),
		cmocka_unit_test(other_devices_are_made_too),
		cmocka_unit_test(virtio_devices_are_numbered_and_find_their_objects),
		cmocka_unit_test(queues_have_the_features_that_are_asked_for),
		cmocka_unit_test(a_balloon_offers_what_is_asked_for),
		cmocka_unit_test(impossible_virtio_devices_are_refused),
		cmocka_unit_test(devices_in_json_come_after_all_others),
		cmocka_unit_test(refusals_have_qemus_words),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
