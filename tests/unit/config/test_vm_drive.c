/* SPDX-License-Identifier: BSD-2-Clause */
/* -drive, -blockdev and virtio-blk-device: what they give, and the words of refusals. */
#include "hv/config/drive.h"

#include "hv/config/layout.h"
#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

#define DEVICE " -device virtio-blk-device,drive="

static const struct drive_config *drive_of(const char *options)
{
	char text[1000];

	snprintf(text, sizeof(text), "vm v -kernel k %s", options);
	if (!run(text))
		fail_msg("refused: %s", logged);
	return config.vms->drives;
}

/* The first message is this one, at this place, and whatever advice follows. */
static void refuses(const char *options, const char *message)
{
	char text[1000];

	snprintf(text, sizeof(text), "vm v -kernel k %s", options);
	assert_false(run(text));
	assert_string_equal(reported(1, 400), message);
}

static void a_drive_writes_to_its_file(void **state)
{
	const struct drive_config *drive = drive_of(
		"-drive file=/d/f8,if=none,id=a,format=raw,media=disk" DEVICE "a,serial=s");
	static struct mem_map map;

	assert_int_equal(drive->backend.kind, MEM_SHARED);
	assert_true(drive->backend.image->is_written);
	assert_true(drive_writes_file(drive));
	assert_int_equal(drive->device->n_sectors, MIB(8) / 512);
	assert_int_equal(drive->device->block_size, 512);
	assert_string_equal(drive->device->serial, "s");
	assert_false(drive->device->is_private);
	assert_true(drive->device->base.features & VIRTIO_BLK_F_DISCARD);
	assert_false(drive->device->base.features & VIRTIO_BLK_F_RO);
	assert_ptr_equal(config.vms->virtio, &drive->device->base);
	assert_ptr_equal(drives_find_unshared(config.vms), drive);
	memset(&map, 0, sizeof(map));
	assert_int_equal(memory_layout(config.vms, &map), OK);
	assert_int_equal(map.n, 1);
	assert_int_equal(map.n_hidden, 1);
	assert_int_equal(map.region[1].gpa.raw, MEM_HIDDEN_START);
	assert_int_equal(map.region[1].len, MIB(8));
	assert_int_equal(map.region[1].kind, MEM_SHARED);
	assert_ptr_equal(map.region[1].image, drive->backend.image);
}

static void a_drive_may_be_read_only_or_private(void **state)
{
	static const struct {
		const char *options;
		enum mem_kind kind;
	} cases[] = {
		{"-drive file=/d/ro0444,if=none,id=a,readonly=on" DEVICE "a", MEM_ROM},
		{"-drive file=/d/ro0444,if=none,id=a,read-only=on,snapshot=on" DEVICE "a", MEM_ROM},
		{"-drive file=/d/ro0444,if=none,id=a,snapshot=on" DEVICE "a", MEM_COW},
		{"-blockdev driver=file,filename=/d/f8,node-name=a,read-only=on" DEVICE "a",
		 MEM_ROM},
		{"-blockdev "
		 "raw,file.driver=file,file.filename=/d/f8,node-name=a,discard=unmap" DEVICE "a",
		 MEM_SHARED},
		{"-blockdev '{\"driver\":\"raw\",\"node-name\":\"a\",\"read-only\":true,"
		 "\"file\":{\"driver\":\"file\",\"filename\":\"/d/f8\"}}'" DEVICE "a",
		 MEM_ROM},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct drive_config *drive = drive_of(cases[i].options);
		uint64_t features = drive->device->base.features;
		bool is_ro = cases[i].kind == MEM_ROM;

		assert_int_equal(drive->backend.kind, cases[i].kind);
		assert_int_equal(drive->device->is_private, cases[i].kind == MEM_COW);
		assert_int_equal((features & VIRTIO_BLK_F_RO) != 0, is_ro);
		assert_int_equal((features & VIRTIO_BLK_F_WRITE_ZEROES) == 0, is_ro);
		assert_int_equal(drive->backend.image->is_written, cases[i].kind == MEM_SHARED);
		assert_int_equal(drives_find_unshared(config.vms) != NULL,
				 cases[i].kind == MEM_SHARED);
	}
}

/* As a saved VM's drive begins in the file of its memory. */
static void a_drive_may_be_a_part_of_its_file(void **state)
{
	const struct drive_config *drive =
		drive_of("-drive file=/d/f8,if=none,id=a,snapshot=on,offset=4k,size=5120" DEVICE
			 "a,logical_block_size=4096,discard=off,write-zeroes=off "
			 "-drive file=/d/f32,if=none,id=b,snapshot=on,offset=31M" DEVICE "b");
	struct mem_region region = drive_region(drive);

	assert_int_equal(region.offset, 4096);
	assert_int_equal(region.len, 8192);
	assert_int_equal(memory_backend_offset(&region), 0);
	assert_int_equal(drive->device->n_sectors, 8); /* whole blocks */
	assert_false(drive->device->base.features & VIRTIO_BLK_F_DISCARD);
	assert_false(drive->device->base.features & VIRTIO_BLK_F_WRITE_ZEROES);
	assert_int_equal(drive->next->device->n_sectors, MIB(1) / 512);
	assert_int_equal(drive->next->device->blocks.raw, MEM_HIDDEN_START + GIB(1));
}

static void a_drive_needs_no_device(void **state)
{
	const struct drive_config *drive = drive_of("-drive file=/d/f8,if=none,id=a");
	static struct mem_map map;

	assert_null(drive->device);
	assert_false(drive->backend.image->is_written);
	memset(&map, 0, sizeof(map));
	assert_int_equal(memory_layout(config.vms, &map), OK);
	assert_int_equal(map.n_hidden, 0);
}

static void what_cannot_be_is_refused(void **state)
{
#define NONE "-drive if=none,id=a,"
	static const char *const cases[][2] = {
		{"-drive file=/d/f8,id=a", "a drive without 'if=none' is not supported"},
		{"-drive file=/d/f8,id=a,if=virtio",
		 "'if=virtio' is not supported, only 'if=none'"},
		{NONE "file=/d/f8,format=qcow2",
		 "'format=qcow2' is not supported, only 'format=raw'"},
		{NONE "file=/d/f8,media=cdrom",
		 "'media=cdrom' is not supported, only 'media=disk'"},
		{NONE "file=/d/f8,cache=none", "Invalid parameter 'cache'"},
		{"-drive if=none,file=/d/f8",
		 "'id' must be specified: a -device names the drive by it"},
		{"-drive if=none,file=/d/f8,id=1", "Parameter 'id' expects an identifier | "
						   "Identifiers consist of letters, digits, '-', "
						   "'.', '_', starting with a letter."},
		{NONE "format=raw", "a drive needs 'file', a file of the ramdisk"},
		{NONE "file=", "a drive needs 'file', a file of the ramdisk"},
		{NONE "file=/d/f8,readonly=maybe", "Parameter 'readonly' expects 'on' or 'off'"},
		{NONE "file=/d/none", "Could not open '/d/none': No such file or directory"},
		{NONE "file=/d/dir", "Could not open '/d/dir': Is a directory"},
		{NONE "file=/d/no0000,readonly=on",
		 "Could not open '/d/no0000': Permission denied"},
		{NONE "file=/d/ro0444" DEVICE "a", "Could not open '/d/ro0444': Permission denied"},
		{NONE "file=/d/f8,offset=100", "a drive's offset must be a multiple of 4096"},
		{NONE "file=/d/f8,size=100", "Specified size is not multiple of 512"},
		{NONE "file=/d/f8,offset=4M,size=5M",
		 "The sum of offset (4194304) and size (5242880) has to be smaller or equal to the "
		 "actual size of the containing file (8388608), and the size not 0"},
		{NONE "file=/d/empty",
		 "The sum of offset (0) and size (0) has to be smaller or equal to the "
		 "actual size of the containing file (0), and the size not 0"},
		{NONE "file=/d/odd5000",
		 "'/d/odd5000' has 5000 bytes, which is not a multiple of 512: fill it up, or give "
		 "a size="},
		{NONE "file=/d/f8 " NONE "file=/d/f32", "Duplicate ID 'a' for drive"},
		{"-blockdev driver=qcow2,node-name=a",
		 "block driver 'qcow2' is not supported, only 'raw' over 'file', and 'file'"},
		{"-blockdev node-name=a", "Parameter 'driver' is missing"},
		{"-blockdev driver=raw,node-name=a",
		 "block driver 'raw' is not supported, only 'raw' over 'file', and 'file'"},
		{"-blockdev driver=raw,node-name=a,file=b",
		 "a node below another one is not supported"},
		{"-blockdev driver=file,filename=/d/f8",
		 "'node-name' must be specified: a -device names the drive by it"},
		{"-blockdev driver=file,node-name=a",
		 "a drive needs 'filename', a file of the ramdisk"},
		{"-blockdev driver=file,filename=/d/f8,node-name=a,aio=native",
		 "Parameter 'aio' is unexpected"},
		{"-blockdev driver=file,filename=/d/f8,node-name=a,discard=ignore",
		 "'discard=ignore' is not supported, only 'discard=unmap'"},
		{"-device virtio-blk-device", "drive property not set"},
		{"-device virtio-blk-device,drive=b " NONE "file=/d/f8",
		 "Property 'virtio-blk-device.drive' can't find value 'b'"},
		{NONE "file=/d/f8" DEVICE "a" DEVICE "a",
		 "Drive 'a' is already in use by another block device"},
		{NONE "file=/d/f8" DEVICE "a,bootindex=1",
		 "Property 'virtio-blk-device.bootindex' not found"},
		{NONE "file=/d/f8" DEVICE "a,serial=123456789012345678901",
		 "the serial number '123456789012345678901' is longer than 20 characters"},
		{NONE "file=/d/f8" DEVICE "a,logical_block_size=513",
		 "logical_block_size must be a power of 2 between 512 and 2097152"},
		{NONE "file=/d/f8" DEVICE "a,logical_block_size=4M",
		 "logical_block_size must be a power of 2 between 512 and 2097152"},
		{NONE "file=/d/f8" DEVICE "a,share-rw=2",
		 "Parameter 'share-rw' expects 'on' or 'off'"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		refuses(cases[i][0], cases[i][1]);
}

#define TWO(a, device_a, b, device_b) \
	"vm v -kernel k -drive file=/d/f8,if=none,id=a" a DEVICE "a" device_a \
	"\nvm w -kernel k -drive file=/d/f8,if=none,id=b" b DEVICE "b" device_b

/* QEMU's locks, between VMs as between processes. */
static void one_vm_writes_to_a_file(void **state)
{
	assert_false(run(TWO("", "", "", "")));
	assert_non_null(strstr(logged, "t:2:28: Failed to get \"write\" lock"));
	assert_non_null(strstr(logged, "a drive of vm 'v' has the image '/d/f8', too"));
	assert_false(run(TWO("", "", ",readonly=on", "")));
	assert_non_null(strstr(logged, "Failed to get shared \"write\" lock"));
	assert_false(run(TWO(",snapshot=on", "", "", "")));
	assert_false(run(TWO("", ",share-rw=on", "", "")));
	assert_false(run(TWO("", "", "", ",share-rw=on")));
	assert_true(run(TWO("", ",share-rw=on", "", ",share-rw=on")));
	assert_true(run(TWO("", "", ",readonly=on", ",share-rw=on")));
	assert_true(run(TWO(",readonly=on", "", ",readonly=on", "")));
	assert_true(run(TWO(",snapshot=on", "", ",snapshot=on", "")));
	refuses("-drive file=/d/f8,if=none,id=a -drive file=/d/f8,if=none,id=b" DEVICE "a" DEVICE
		"b",
		"Failed to get \"write\" lock");
}

static void clones_share_no_file_by_mistake(void **state)
{
#define CLONE(drive, device) \
	"vm v -kernel k -drive file=/d/f8,if=none,id=a" drive DEVICE "a" device "\nclone v"
	assert_false(run(CLONE("", "")));
	assert_non_null(strstr(logged, "t:2:7: vm 'v' cannot become a template: all clones would "
				       "write to the file of its drive 'a'"));
	assert_true(run(CLONE(",snapshot=on", "")));
	assert_true(run(CLONE(",readonly=on", "")));
	assert_true(run(CLONE("", ",share-rw=on")));
	assert_true(run("vm v -kernel k -drive file=/d/f8,if=none,id=a\nclone v"));
}

/* The hint names the nearest one. */
/* Of virtio devices and what they name: each value is of another type, or out of its range. */
static void other_values_are_refused(void **state)
{
#define RNG " -device virtio-rng-device"
	static const char *const cases[][2] = {
		{"-drive if=none,id=d,file=/d/f8,read-only=maybe",
		 "Parameter 'read-only' expects 'on' or 'off'"},
		{"-drive if=none,id=d,file=/d/f8,snapshot=maybe",
		 "Parameter 'snapshot' expects 'on' or 'off'"},
		{"-drive if=none,id=d,file=/d/f8,offset=x",
		 "Parameter 'offset' expects a size value"},
		{"-drive if=none,id=d,file=/d/f8,size=x", "Parameter 'size' expects a size value"},
		{"-blockdev '{\"driver\":5,\"node-name\":\"d\"}'",
		 "Invalid parameter type for 'driver', expected: string"},
		{"-blockdev driver=file,node-name=d,filename=/d/f8,read-only=maybe",
		 "Parameter 'read-only' expects 'on' or 'off'"},
		{"-blockdev '{\"driver\":\"file\",\"node-name\":5,\"filename\":\"/d/f8\"}'",
		 "Invalid parameter type for 'node-name', expected: string"},
		{"-blockdev '{'", "JSON parse error, premature EOI"},
		{"-blockdev '{\"driver\":\"raw\",\"node-name\":\"d\",\"file\":{}}'",
		 "block driver 'raw' is not supported"},
		{"-blockdev '{\"driver\":\"raw\",\"node-name\":\"d\",\"file\":{\"driver\":5}}'",
		 "block driver 'raw' is not supported"},
		{"-blockdev '{\"driver\":\"raw\",\"node-name\":\"d\",\"file\":\"x\"}'",
		 "a node below another one is not supported"},
		{"-blockdev "
		 "'{\"driver\":\"raw\",\"node-name\":\"d\",\"file\":{\"driver\":\"nbd\"}}'",
		 "block driver 'nbd' is not supported"},
		{"-blockdev driver=raw,node-name=d", "block driver 'raw' is not supported"},
		{"-blockdev '{\"driver\":\"raw\",\"node-name\":\"d\",\"file.driver\":5}'",
		 "Invalid parameter type for 'file.driver', expected: string"},
		{"-blockdev "
		 "'{\"driver\":\"raw\",\"node-name\":\"d\",\"file.driver\":\"file\",\"file."
		 "filename\":5}'",
		 "Invalid parameter type for 'file.filename', expected: string"},
		{"-device virtio-blk-device,drive=d,discard=maybe",
		 "Parameter 'discard' expects 'on' or 'off'"},
		{"-device virtio-blk-device,drive=d,write-zeroes=maybe",
		 "Parameter 'write-zeroes' expects 'on' or 'off'"},
		{"-device virtio-blk-device,drive=d,packed=maybe",
		 "Parameter 'packed' expects 'on' or 'off'"},
		{"-device virtio-blk-device,drive=d,indirect_desc=maybe",
		 "Parameter 'indirect_desc' expects 'on' or 'off'"},
		{"-device virtio-blk-device,drive=d,event_idx=maybe",
		 "Parameter 'event_idx' expects 'on' or 'off'"},
		{"-device virtio-blk-device,drive=d,logical_block_size=x",
		 "Parameter 'logical_block_size' expects a size value"},
		{"-device virtio-blk-device,drive=", "drive property not set"},
		{"-device '{\"driver\":\"virtio-blk-device\",\"drive\":5}'",
		 "Invalid parameter type for 'drive', expected: string"},
		{"-device '{\"driver\":\"virtio-blk-device\",\"drive\":\"d\",\"serial\":5}'",
		 "Invalid parameter type for 'serial', expected: string"},
		{"-device '{\"driver\":\"virtio-rng-device\",\"rng\":5}'",
		 "Invalid parameter type for 'rng', expected: string"},
		{"-device '{\"driver\":\"virtio-net-device\",\"netdev\":5}'",
		 "Invalid parameter type for 'netdev', expected: string"},
		{"-device '{\"driver\":\"virtio-net-device\",\"netdev\":\"n\",\"mac\":5}'",
		 "Invalid parameter type for 'mac', expected: string"},
		{"-device virtio-net-device,netdev=n,packed=maybe",
		 "Parameter 'packed' expects 'on' or 'off'"},
		{"-netdev '{'", "JSON parse error, premature EOI"},
		{"-netdev hubport,id=n,hubid=0" RNG RNG RNG RNG RNG RNG RNG
		 " -device virtio-net-device,netdev=n",
		 "No 'virtio-bus' bus found for device 'virtio-net-device'"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[1000];

		snprintf(text, sizeof(text), "vm v -kernel k %s", cases[i][0]);
		assert_false(run(text));
		if (strstr(logged, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], logged);
	}
}

static void a_wrong_name_has_a_suggestion(void **state)
{
	assert_false(run("vm v -kernel k -drive file=/d/f8,if=none,id=disk" DEVICE "disc"));
	assert_non_null(strstr(logged, "did you mean 'disk'?"));
	assert_false(run("vm v -kernel k -drive file=/d/odd500,if=none,id=disk"));
	assert_non_null(strstr(logged, "did you mean '/d/odd5000'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drive_writes_to_its_file),
		cmocka_unit_test(a_drive_may_be_read_only_or_private),
		cmocka_unit_test(a_drive_may_be_a_part_of_its_file),
		cmocka_unit_test(a_drive_needs_no_device),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(one_vm_writes_to_a_file),
		cmocka_unit_test(clones_share_no_file_by_mistake),
		cmocka_unit_test(other_values_are_refused),
		cmocka_unit_test(a_wrong_name_has_a_suggestion),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
