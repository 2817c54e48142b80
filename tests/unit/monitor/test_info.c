/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's answers, line by line. test_consumers.c compares them with QEMU's. */
#include "hv/monitor/info.h"

#include "hv/config/layout.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

static struct mem_map map;
static const struct device_list devices = {
	.memory = {{0xfec00000, 0x1000, "ioapic", 0}, {0xfee00000, 0x1000, "apic-msi", 4096}},
	.port = {{0x70, 2, "rtc", 0}, {0xcf8, 8, "pci-conf-idx", 0}},
	.n_memory = 2,
	.n_ports = 2,
};
static char answer[32768];

static void collect(void *context, const char *line)
{
	assert_ptr_equal(context, answer);
	assert_null(strchr(line, '\n'));
	strcat(strcat(answer, line), "\n");
}

/* The VM that was configured last, with this memory and these devices. */
static enum status ask(const char *command)
{
	const struct info_vm vm = {config.vms, &map, &devices};

	return info_run(&vm, command, collect, answer);
}

static void answers(const char *command, const char *want)
{
	*answer = '\0';
	map.n = map.n_hidden = 0;
	assert_int_equal(memory_layout(config.vms, &map), OK);
	assert_int_equal(ask(command), OK);
	assert_string_equal(answer, want);
}

static const char much[] =
	"-m 4096M,slots=4,maxmem=8G -machine nvdimm=on,mem-merge=off "
	"-object memory-backend-ram,id=a,size=4G,policy=bind,host-nodes=0,host-nodes=2-5,"
	"host-nodes=127,dump=off,prealloc=on "
	"-object memory-backend-file,id=n,size=8M,mem-path=/d/f8,readonly=on "
	"-object memory-backend-file,id=d,size=32M,offset=0,mem-path=/d/f32,share=on,reserve=off "
	"-numa node,cpus=0 -numa node,memdev=a "
	"-device pc-dimm,memdev=d,addr=0x160000000,node=1 "
	"-device nvdimm,id=nv,memdev=n,unarmed=on,label-size=128K,slot=3";

static void a_vm_with_everything_tells_of_it(void **state)
{
	run_vm(much, "");
	answers("info memdev", "memory backend: a\n"
			       "  size:  4294967296\n"
			       "  merge: false\n"
			       "  dump: false\n"
			       "  prealloc: true\n"
			       "  share: false\n"
			       "  reserve: true\n"
			       "  policy: bind\n"
			       "  host nodes: 0,2-5,127\n"
			       "memory backend: n\n"
			       "  size:  8388608\n"
			       "  merge: false\n"
			       "  dump: true\n"
			       "  prealloc: false\n"
			       "  share: false\n"
			       "  reserve: true\n"
			       "  policy: default\n"
			       "  host nodes: \n"
			       "memory backend: d\n"
			       "  size:  33554432\n"
			       "  merge: false\n"
			       "  dump: true\n"
			       "  prealloc: false\n"
			       "  share: true\n"
			       "  reserve: false\n"
			       "  policy: default\n"
			       "  host nodes: \n"
			       "\n");
	answers("query-memdev",
		"{\"return\": [\n"
		"{\"id\": \"a\", \"size\": 4294967296, \"merge\": false, \"dump\": false, "
		"\"prealloc\": true, \"share\": false, \"reserve\": true, "
		"\"host-nodes\": [0, 2, 3, 4, 5, 127], \"policy\": \"bind\"},\n"
		"{\"id\": \"n\", \"size\": 8388608, \"merge\": false, \"dump\": true, "
		"\"prealloc\": false, \"share\": false, \"reserve\": true, \"host-nodes\": [], "
		"\"policy\": \"default\"},\n"
		"{\"id\": \"d\", \"size\": 33554432, \"merge\": false, \"dump\": true, "
		"\"prealloc\": false, \"share\": true, \"reserve\": false, \"host-nodes\": [], "
		"\"policy\": \"default\"}]}\n");
	answers("info memory_size_summary", "base memory: 4294967296\nplugged memory: 33554432\n");
	answers("query-memory-size-summary",
		"{\"return\": {\"base-memory\": 4294967296, \"plugged-memory\": 33554432}}\n");
	answers("info numa", "2 nodes\n"
			     "node 0 cpus: 0\n"
			     "node 0 size: 7 MB\n"
			     "node 0 plugged: 7 MB\n"
			     "node 1 cpus:\n"
			     "node 1 size: 4128 MB\n"
			     "node 1 plugged: 32 MB\n");
}

static void disks_tell_where_writes_go(void **state)
{
	run_vm("-device virtio-rng-device -drive file=/d/f8,if=none,id=ro,readonly=on "
	       "-drive file=/d/f32,if=none,id=own,snapshot=on "
	       "-blockdev driver=file,filename=/d/f32,node-name=file "
	       "-device virtio-blk-device,drive=own -device virtio-blk-device,drive=ro",
	       "");
	answers("info block", "ro: /d/f8 (raw, read-only)\n"
			      "    Attached to:      virtio-blk-device.2\n"
			      "    Cache mode:       writeback\n"
			      "\n"
			      "own: /d/f32 (raw)\n"
			      "    Attached to:      virtio-blk-device.1\n"
			      "    Cache mode:       writeback\n"
			      "    Writes go to:     the VM's own copy\n"
			      "\n"
			      "file: /d/f32 (raw)\n"
			      "    Cache mode:       writeback\n"
			      "    Writes go to:     the file\n");
	run_vm("", "");
	answers("info block", "");
}

static void a_pmem_device_has_an_address_and_no_slot(void **state)
{
	run_vm("-m 128M,slots=1,maxmem=2G -object memory-backend-ram,id=r,size=32M "
	       "-device virtio-pmem-device,id=p,memdev=r",
	       "");
	answers("info memory-devices", "Memory device [virtio-pmem]: \"p\"\n"
				       "  memaddr: 0x100000000\n"
				       "  size: 33554432\n"
				       "  memdev: /objects/r\n");
	answers("query-memory-devices",
		"{\"return\": [\n"
		"{\"type\": \"virtio-pmem\", \"data\": {\"id\": \"p\", \"memaddr\": 4294967296, "
		"\"size\": 33554432, \"memdev\": \"/objects/r\"}}]}\n");
	answers("info memory_size_summary", "base memory: 134217728\nplugged memory: 0\n");
}

static void memory_devices_come_by_address(void **state)
{
	run_vm(much, "");
	answers("info memory-devices", "Memory device [nvdimm]: \"nv\"\n"
				       "  addr: 0x140000000\n"
				       "  slot: 3\n"
				       "  node: 0\n"
				       "  size: 8257536\n"
				       "  memdev: /objects/n\n"
				       "  hotplugged: false\n"
				       "  hotpluggable: true\n"
				       "Memory device [dimm]: \"\"\n"
				       "  addr: 0x160000000\n"
				       "  slot: 0\n"
				       "  node: 1\n"
				       "  size: 33554432\n"
				       "  memdev: /objects/d\n"
				       "  hotplugged: false\n"
				       "  hotpluggable: true\n");
	answers("query-memory-devices",
		"{\"return\": [\n"
		"{\"type\": \"nvdimm\", \"data\": {\"id\": \"nv\", \"addr\": 5368709120, "
		"\"slot\": 3, \"node\": 0, \"size\": 8257536, \"memdev\": \"/objects/n\", "
		"\"hotplugged\": false, \"hotpluggable\": true}},\n"
		"{\"type\": \"dimm\", \"data\": {\"addr\": 5905580032, \"slot\": 0, \"node\": 1, "
		"\"size\": 33554432, \"memdev\": \"/objects/d\", \"hotplugged\": false, "
		"\"hotpluggable\": true}}]}\n");
}

static void the_order_of_the_options_does_not_matter(void **state)
{
	run_vm("-m 128M,slots=2,maxmem=1G -object memory-backend-ram,id=a,size=2M "
	       "-object memory-backend-ram,id=b,size=2M "
	       "-device pc-dimm,id=low,memdev=a,addr=0x100000000 "
	       "-device pc-dimm,id=high,memdev=b,addr=0x110000000",
	       "");
	*answer = '\0';
	assert_int_equal(ask("info memory-devices"), OK);
	assert_true(strstr(answer, "\"low\"\n  addr: 0x100000000\n") <
		    strstr(answer, "\"high\"\n  addr: 0x110000000\n"));
	assert_non_null(strstr(answer, "\"low\"\n  addr: 0x100000000\n"));
}

static void the_configurations_commands_are_logged(void **state)
{
	struct info_config sizes = {.command = "info memory_size_summary"};
	struct info_config numa = {.next = &sizes, .command = "info numa"};
	struct info_vm vm = {run_vm("-m 1M", ""), &map, &devices};

	info_print(&vm, NULL);
	assert_string_equal(logged, "");
	info_print(&vm, &numa);
	assert_string_equal(logged, "v: (qemu) info numa\n"
				    "v: 0 nodes\n"
				    "v: (qemu) info memory_size_summary\n"
				    "v: base memory: 1048576\n"
				    "v: plugged memory: 0\n");
}

#define DEVICES \
	"  00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\n" \
	"  00000000fee00000-00000000fee00fff (prio 4096, i/o): apic-msi\n"
#define PORTS \
	"FlatView #1\n" \
	" AS \"I/O\", root: io\n" \
	" Root memory region: io\n" \
	"  0000000000000070-0000000000000071 (prio 0, i/o): rtc\n" \
	"  0000000000000cf8-0000000000000cff (prio 0, i/o): pci-conf-idx\n" \
	"\n"

static void the_memory_map_is_flat(void **state)
{
	run_vm(much, "");
	answers("info mtree -f",
		"FlatView #0\n"
		" AS \"memory\", root: system\n"
		" AS \"cpu-memory-0\", root: system\n"
		" Root memory region: system\n"
		"  0000000000000000-00000000bfffffff (prio 0, ram): a\n" DEVICES
		"  0000000100000000-000000013fffffff (prio 0, ram): a @00000000c0000000\n"
		"  0000000140000000-00000001407dffff (prio 0, nv-rom): n\n"
		"  0000000160000000-0000000161ffffff (prio 0, ram): d\n"
		"\n" PORTS);
	run_vm("-m 4G", "");
	answers("info mtree -f",
		"FlatView #0\n"
		" AS \"memory\", root: system\n"
		" AS \"cpu-memory-0\", root: system\n"
		" Root memory region: system\n"
		"  0000000000000000-00000000bfffffff (prio 0, ram): pc.ram\n" DEVICES
		"  0000000100000000-000000013fffffff (prio 0, ram): pc.ram @00000000c0000000\n"
		"\n" PORTS);
	run_vm("-m 1M -smp 2", "");
	answers("info mtree -f",
		"FlatView #0\n"
		" AS \"memory\", root: system\n"
		" AS \"cpu-memory-0\", root: system\n"
		" AS \"cpu-memory-1\", root: system\n"
		" Root memory region: system\n"
		"  0000000000000000-00000000000fffff (prio 0, ram): pc.ram\n" DEVICES "\n" PORTS);
}

/* As QEMU 7.2 prints it, except that modules are not inside "device-memory". */
static void the_memory_map_is_a_tree(void **state)
{
	run_vm(much, "");
	answers("info mtree",
		"address-space: cpu-memory-0\n"
		"address-space: memory\n"
		"  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
		"    0000000000000000-00000000bfffffff (prio 0, ram): alias ram-below-4g @a "
		"0000000000000000-00000000bfffffff\n"
		"    00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\n"
		"    00000000fee00000-00000000fee00fff (prio 4096, i/o): apic-msi\n"
		"    0000000100000000-000000013fffffff (prio 0, ram): alias ram-above-4g @a "
		"00000000c0000000-00000000ffffffff\n"
		"    0000000140000000-00000001407dffff (prio 0, nv-rom): n\n"
		"    0000000160000000-0000000161ffffff (prio 0, ram): d\n"
		"\n"
		"address-space: I/O\n"
		"  0000000000000000-000000000000ffff (prio 0, i/o): io\n"
		"    0000000000000070-0000000000000071 (prio 0, i/o): rtc\n"
		"    0000000000000cf8-0000000000000cff (prio 0, i/o): pci-conf-idx\n"
		"\n");
}

static void a_file_window_begins_at_0_of_its_backend(void **state)
{
	run_vm("-machine memory-backend=m -object memory-backend-file,id=m,size=4M,offset=4M,"
	       "mem-path=/d/f8,readonly=on,rom=on",
	       NULL); /* a warning */
	answers("info mtree -f",
		"FlatView #0\n"
		" AS \"memory\", root: system\n"
		" AS \"cpu-memory-0\", root: system\n"
		" Root memory region: system\n"
		"  0000000000000000-00000000003fffff (prio 0, rom): m\n" DEVICES "\n" PORTS);
}

static void a_vm_without_anything_has_little_to_tell(void **state)
{
	struct arena arena = {.base = run_memory, .size = sizeof(run_memory)};
	struct diag diag = {0};

	run_vm("", "");
	answers("info numa", "0 nodes\n");
	answers("info memory-devices", "");
	answers("query-memory-devices", "{\"return\": []}\n");
	assert_int_equal(config_parse_objects(NULL, 0, &arena, &diag, &config), OK);
	answers("info memdev", "\n");
	answers("query-memdev", "{\"return\": []}\n");
}

static void ids_of_devices_are_quoted(void **state)
{
	run_vm("-m 128M,slots=1,maxmem=1G -object memory-backend-ram,id=m,size=2M "
	       "-device '{\"driver\":\"pc-dimm\",\"memdev\":\"m\","
	       "\"id\":\"a\\\"\\\\\\u001b\u00e4\"}'",
	       "");
	answers("query-memory-devices",
		"{\"return\": [\n"
		"{\"type\": \"dimm\", \"data\": {\"id\": \"a\\\"\\\\\\u001b\u00e4\", "
		"\"addr\": 4294967296, \"slot\": 0, \"node\": 0, \"size\": 2097152, "
		"\"memdev\": \"/objects/m\", \"hotplugged\": false, "
		"\"hotpluggable\": true}}]}\n");
}

static void other_commands_are_not_known(void **state)
{
	static const char *const others[] = {"",
					     "info",
					     "memdev",
					     "info memde",
					     "info memdevs",
					     "info mtree -d",
					     "query-memde",
					     "info memory-size-summary"};

	run_vm("", "");
	*answer = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_false(info_is_command(others[i]));
		assert_int_equal(ask(others[i]), ERR_NOTFOUND);
	}
	assert_string_equal(answer, "");
	assert_true(info_is_command("info mtree -f"));
}

static void long_lines_are_cut(void **state)
{
	static char options[4000];
	char *out = options;

	out += sprintf(out, "-object memory-backend-ram,size=4K,id=i");
	memset(out, 'd', 1500);
	run_vm(options, "");
	*answer = '\0';
	assert_int_equal(ask("info memdev"), OK);
	assert_int_equal(strcspn(answer, "\n"), INFO_LINE_MAX);
}

static void a_long_answer_comes_in_parts(void **state)
{
	static const char *const commands[] = {
		"info memdev", "info memory-devices", "info mtree -f",	     "info mtree",
		"info numa",   "query-memdev",	      "query-memory-devices"};
	static char whole[sizeof(answer)];
	const struct info_vm vm = {run_vm(much, ""), &map, &devices};

	map.n = map.n_hidden = 0;
	assert_int_equal(memory_layout(config.vms, &map), OK);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct info_part part = {.n = 3};

		*answer = '\0';
		assert_int_equal(ask(commands[i]), OK);
		strcpy(whole, answer);
		*answer = '\0';
		for (; part.n == 3; part.first += part.n)
			assert_int_equal(info_run_part(&vm, commands[i], &part, collect, answer),
					 OK);
		assert_string_equal(answer, whole);
		assert_true(part.n < 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_with_everything_tells_of_it),
		cmocka_unit_test(disks_tell_where_writes_go),
		cmocka_unit_test(a_pmem_device_has_an_address_and_no_slot),
		cmocka_unit_test(memory_devices_come_by_address),
		cmocka_unit_test(the_order_of_the_options_does_not_matter),
		cmocka_unit_test(the_configurations_commands_are_logged),
		cmocka_unit_test(the_memory_map_is_flat),
		cmocka_unit_test(the_memory_map_is_a_tree),
		cmocka_unit_test(a_file_window_begins_at_0_of_its_backend),
		cmocka_unit_test(a_vm_without_anything_has_little_to_tell),
		cmocka_unit_test(ids_of_devices_are_quoted),
		cmocka_unit_test(other_commands_are_not_known),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(a_long_answer_comes_in_parts),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
