/* SPDX-License-Identifier: BSD-2-Clause */
/* -device nvdimm, as far as it differs from pc-dimm. test_config.c tests what they share. */
#include "hv/config/config.h"

#include "hv/virtio/virtio_pmem.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

#define BACKENDS \
	"-m 128M,slots=4,maxmem=2G -machine nvdimm=on " \
	"-object memory-backend-file,id=f,size=32M,mem-path=/d/f32 " \
	"-object memory-backend-file,id=rom,size=32M,mem-path=/d/f32,readonly=on " \
	"-object memory-backend-file,id=roms,size=32M,mem-path=/d/f32,readonly=on,share=on " \
	"-object memory-backend-file,id=cow,size=32M,mem-path=/d/f32,readonly=on,rom=off " \
	"-object memory-backend-file,id=odd,size=31M,mem-path=/d/f32,align=2M " \
	"-object memory-backend-ram,id=r,size=33M " \
	"-object memory-backend-ram,id=page,size=4K "

static struct dimm_config *accepted(const char *devices)
{
	char options[2000];

	sprintf(options, BACKENDS "%s", devices);
	return run_vm(options, "")->dimms;
}

static void refused(const char *devices, const char *message)
{
	char options[2000], reported[500];

	sprintf(options, BACKENDS "%s", devices);
	sprintf(reported, "error: %s\n", message);
	run_vm(options, reported);
}

static void an_nvdimm_has_what_it_is_given(void **state)
{
	struct dimm_config *dimm = accepted(
		"-device nvdimm,id=n,memdev=rom,unarmed=on,label-size=256K,addr=0x120000000,slot=2,"
		"uuid=01234567-89ab-cdef-ABCD-EF0123456789,node=0");

	assert_true(dimm->is_nvdimm && dimm->unarmed);
	assert_int_equal(dimm->label_size, KIB(256));
	assert_int_equal(dimm->size, MIB(32) - KIB(256));
	assert_int_equal(dimm->addr, 0x120000000);
	assert_int_equal(dimm->slot, 2);
	assert_string_equal(dimm->backend->id, "rom");
	dimm = accepted("-device nvdimm,memdev=f");
	assert_true(dimm->is_nvdimm && !dimm->unarmed);
	assert_int_equal(dimm->label_size, 0);
	assert_int_equal(dimm->size, MIB(32));
	assert_int_equal(dimm->addr, GIB(4));
	assert_int_equal(dimm->slot, 0);
	dimm = accepted("-device pc-dimm,memdev=f");
	assert_false(dimm->is_nvdimm);
	assert_int_equal(dimm->size, MIB(32));
}

static void a_pmem_device_takes_a_place_and_no_slot(void **state)
{
	struct dimm_config *dimm = accepted("-device virtio-pmem-device,id=p,memdev=cow,packed=on "
					    "-device pc-dimm,memdev=f,slot=0");

	assert_non_null(dimm->pmem);
	assert_false(dimm_is_plain(dimm));
	assert_int_equal(dimm->slot, -1);
	assert_int_equal(dimm->addr, GIB(4));
	assert_int_equal(dimm->pmem->start, GIB(4));
	assert_int_equal(dimm->pmem->len, MIB(32));
	assert_int_equal(dimm->pmem->base.features, VIRTIO_F_RING_PACKED);
	assert_string_equal(dimm->backend->id, "cow");
	assert_true(dimm_is_plain(dimm->next));
	assert_int_equal(dimm->next->slot, 0);
	assert_int_equal(dimm->next->addr, GIB(4) + MIB(32));
	refused("-device virtio-pmem-device", "'memdev' property must be set");
	refused("-device virtio-pmem-device,memdev=none", "Device 'none' not found");
	refused("-device pc-dimm,memdev=f -device virtio-pmem-device,memdev=f",
		"can't use already busy memdev: f");
	refused("-device virtio-pmem-device,memdev=odd",
		"backend memory size must be multiple of 0x200000");
	run_vm("-m 128M -object memory-backend-ram,id=r,size=32M -device "
	       "virtio-pmem-device,memdev=r",
	       "error: the configuration is not prepared for memory devices (e.g., for memory "
	       "hotplug), consider specifying the maxmem option\n");
	refused("-device virtio-pmem-device,memdev=f,slot=1",
		"Property 'virtio-pmem-device.slot' not found\nerror:       = possible names: "
		"event_idx id indirect_desc packed memdev");
}

/* Labels are at the end; the rest is rounded down to the alignment, which is 2 MiB for RAM. */
static void labels_and_alignment_shrink_an_nvdimm(void **state)
{
	static const struct {
		const char *device;
		uint64_t size;
	} rows[] = {
		{"f,label-size=128K", MIB(32) - KIB(128)},
		{"f,label-size=131073", MIB(32) - KIB(128) - PAGE_SIZE},
		{"f,label-size=33550336", PAGE_SIZE},
		{"odd", MIB(30)},
		{"odd,label-size=1M", MIB(30)},
		{"odd,label-size=1049K", MIB(28)},
		{"r", MIB(32)},
		{"r,label-size=1M", MIB(32)},
		{"r,label-size=2M", MIB(30)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char device[100];

		sprintf(device, "-device nvdimm,memdev=%s", rows[i].device);
		assert_int_equal(accepted(device)->size, rows[i].size);
	}
}

static void rom_must_be_unarmed(void **state)
{
	refused("-device nvdimm,memdev=rom",
		"'unarmed' property must be 'on' since memdev rom is read-only\n"
		"error:       = for an NVDIMM that the guest cannot write, write unarmed=on");
	refused("-device nvdimm,memdev=roms,unarmed=off",
		"'unarmed' property must be 'on' since memdev roms is read-only\n"
		"error:       = for an NVDIMM that the guest cannot write, write unarmed=on");
	accepted("-device nvdimm,memdev=roms,unarmed=on");
	/* rom counts, not readonly; RAM may also be unarmed. */
	accepted("-device nvdimm,memdev=cow -device nvdimm,memdev=f,unarmed=yes");
}

static void nvdimms_have_qemus_errors(void **state)
{
	static const struct {
		const char *devices, *message;
	} rows[] = {
		{"-device nvdimm,memdev=f,label-size=0",
		 "Property 'nvdimm.label-size' (0x0) is required at least 0x20000"},
		{"-device nvdimm,memdev=f,label-size=131071",
		 "Property 'nvdimm.label-size' (0x1ffff) is required at least 0x20000"},
		{"-device nvdimm,memdev=f,label-size=x", "Parameter 'label-size' expects size"},
		{"-device nvdimm,memdev=f,unarmed=1", "Parameter 'unarmed' expects 'on' or 'off'"},
		{"-device nvdimm,memdev=f,uuid=x", "Property 'nvdimm.uuid' has invalid value"},
		{"-device nvdimm,memdev=f,uuid=01234567-89ab-cdef-ABCD-EF012345678g",
		 "Property 'nvdimm.uuid' has invalid value"},
		{"-device nvdimm,memdev=f,uuid=01234567+89ab-cdef-ABCD-EF0123456789",
		 "Property 'nvdimm.uuid' has invalid value"},
		{"-device nvdimm,memdev=f,foo=1",
		 "Property 'nvdimm.foo' not found\n"
		 "error:       = possible names: addr id label-size memdev node slot unarmed uuid"},
		{"-device pc-dimm,memdev=f,unarmed=on",
		 "Property 'pc-dimm.unarmed' not found\n"
		 "error:       = possible names: addr id memdev node slot"},
		{"-device pc-dimm,memdev=f,label-size=1M",
		 "Property 'pc-dimm.label-size' not found\n"
		 "error:       = possible names: addr id memdev node slot"},
		{"-device nvdimm", "'memdev' property must be set"},
		{"-device nvdimm,memdev=", "'memdev' property must be set"},
		{"-device nvdimm,memdev=zz", "Device 'zz' not found"},
		{"-device nvdimm,memdev=pc.ram,unarmed=on",
		 "can't use already busy memdev: pc.ram"},
		{"-device nvdimm,memdev=f -machine nvdimm=off",
		 "nvdimm is not enabled: missing 'nvdimm' in '-M'"},
		{"-device nvdimm,memdev=rom,label-size=64M",
		 "the size of memdev rom (0x2000000) is too small to contain nvdimm label "
		 "(0x4000000) and aligned PMEM (0x1000)"},
		{"-device nvdimm,memdev=f,label-size=32M",
		 "the size of memdev f (0x2000000) is too small to contain nvdimm label "
		 "(0x2000000) and aligned PMEM (0x1000)"},
		{"-device nvdimm,memdev=f,label-size=33550337",
		 "the size of memdev f (0x2000000) is too small to contain nvdimm label "
		 "(0x1fff001) and aligned PMEM (0x1000)"},
		{"-device nvdimm,memdev=page",
		 "the size of memdev page (0x1000) is too small to contain nvdimm label (0x0) and "
		 "aligned PMEM (0x200000)"},
		{"-device nvdimm,memdev=f,addr=0x100000001",
		 "address must be aligned to 0x1000 bytes"},
		{"-device pc-dimm,memdev=odd,addr=0x100000001",
		 "backend memory size must be multiple of 0x200000"},
		{"-device nvdimm,memdev=f,label-size=128K,id=a "
		 "-device nvdimm,memdev=cow,addr=0x101fdf000",
		 "address range conflicts with memory device id='a'"},
		{"-m 128M,slots=4,maxmem=144M -device nvdimm,memdev=f",
		 "not enough space, currently 0x0 in use of total space for memory devices "
		 "0x1000000"},
		{"-device nvdimm,memdev=f -device nvdimm,memdev=f",
		 "can't use already busy memdev: f"},
		{"-device nvdimm,memdev=f,node=1",
		 "'DIMM property node has value 1' which exceeds the number of numa nodes: 1"},
		{"-device nvdimm,memdev=f,slot=4", "invalid slot number 4, valid range is [0-3]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused(rows[i].devices, rows[i].message);
	/* Directly after what the labels leave of the first. */
	accepted("-device nvdimm,memdev=f,label-size=128K "
		 "-device nvdimm,memdev=cow,addr=0x101fe0000");
}

static void the_window_is_missed_before_the_backend(void **state)
{
	run_vm("-m 128M,slots=1,maxmem=1G -machine memory-backend=b,nvdimm=on "
	       "-object memory-backend-ram,id=b,size=128M -device nvdimm",
	       "error: 'memdev' property must be set\n");
	run_vm("-m slots=1,maxmem=1G -machine memory-backend=b,nvdimm=on "
	       "-object memory-backend-ram,id=b,size=2G -device nvdimm",
	       "error: the configuration is not prepared for memory devices (e.g., for memory "
	       "hotplug), consider specifying the maxmem option\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_nvdimm_has_what_it_is_given),
		cmocka_unit_test(a_pmem_device_takes_a_place_and_no_slot),
		cmocka_unit_test(labels_and_alignment_shrink_an_nvdimm),
		cmocka_unit_test(rom_must_be_unarmed),
		cmocka_unit_test(nvdimms_have_qemus_errors),
		cmocka_unit_test(the_window_is_missed_before_the_backend),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
