/* SPDX-License-Identifier: BSD-2-Clause */
/* -numa: the nodes it makes, and each refusal of QEMU in QEMU's words. */
#include "hv/config/config.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

#define M(n) "-object memory-backend-ram,id=m" #n ",size=32M "

static void refused(const char *options, const char *message)
{
	char reported[1000];

	snprintf(reported, sizeof(reported), "error: %s\n", message);
	run_vm(options, reported);
}

static struct numa_node_config *node_of(struct vm_config *vm, uint32_t nodeid)
{
	struct numa_node_config *node = vm->numa_nodes;

	while (node != NULL && node->nodeid != nodeid)
		node = node->next;
	assert_non_null(node);
	return node;
}

static void nodes_come_in_the_order_of_their_numbers(void **state)
{
	struct vm_config *vm = run_vm("-m 96M " M(0) M(1) M(2) "-numa node,nodeid=2,memdev=m0 "
							       "-numa node,nodeid=0,memdev=m1 "
							       "-numa node,nodeid=1,memdev=m2",
				      "");
	struct numa_node_config *node = vm->numa_nodes;

	assert_int_equal(vm->n_numa_nodes, 3);
	assert_null(vm->memory_backend);
	for (uint32_t i = 0; i < 3; i++, node = node->next) {
		static const char *const ids[] = {"m1", "m2", "m0"};

		assert_int_equal(node->nodeid, i);
		assert_string_equal(node->backend->id, ids[i]);
		assert_int_equal(node->size, MIB(32));
		assert_true(node->backend->busy);
	}
	assert_null(node);
	assert_int_equal(vm->cpu_node[0], 0);
	assert_null(vm->numa_distance);
}

static void nodes_need_no_memory_and_no_number(void **state)
{
	struct vm_config *vm = run_vm("-m 32M " M(0) "-numa node -numa node,memdev=objects/m0", "");

	assert_int_equal(node_of(vm, 0)->size, 0);
	assert_null(node_of(vm, 0)->backend);
	assert_int_equal(node_of(vm, 1)->size, MIB(32));
	assert_int_equal(vm->cpu_node[0], 0);
	vm = run_vm("-m 32M " M(0) "-numa node,memdev=", ""); /* the only one */
	assert_string_equal(node_of(vm, 0)->backend->id, "m0");
}

static void the_cpu_goes_where_it_is_sent(void **state)
{
	static const char *const rows[] = {
		"-numa node,memdev=m0 -numa node,memdev=m1,cpus=0",
		"-numa node,memdev=m0 -numa type=node,memdev=m1,cpus=0-0,cpus=0",
		"-numa node,memdev=m0 -numa node,memdev=m1 -numa cpu,node-id=1",
		("-numa node,memdev=m0 -numa node,memdev=m1 "
		 "-numa cpu,node-id=1,socket-id=0,core-id=0,thread-id=0 -numa cpu,node-id=1"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char options[300];
		struct vm_config *vm;

		sprintf(options, "-m 64M " M(0) M(1) "%s", rows[i]);
		vm = run_vm(options, "");
		assert_int_equal(vm->cpu_node[0], 1);
	}
}

static void several_cpus_go_where_they_are_sent(void **state)
{
	static const struct {
		const char *options;
		uint8_t nodes[8];
		unsigned n;
	} cases[] = {
		{"-smp 4 -numa node,memdev=m0 -numa node,memdev=m1", {0, 0, 0, 0}, 4},
		{"-smp 4,sockets=2 -numa node,memdev=m0 -numa node,memdev=m1", {0, 0, 1, 1}, 4},
		{"-smp 4,sockets=4 -numa node,memdev=m0 -numa node,memdev=m1", {0, 1, 0, 1}, 4},
		{"-numa node,memdev=m0,cpus=1-2 -numa node,memdev=m1,cpus=0,cpus=3 -smp 4",
		 {1, 0, 0, 1},
		 4},
		{"-smp 2,maxcpus=4 -numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3",
		 {0, 0, 1, 1},
		 4},
		{"-smp 8,sockets=2,dies=2,threads=2 -numa node,memdev=m0 -numa node,memdev=m1 "
		 "-numa cpu,node-id=1,die-id=1 -numa cpu,node-id=0,die-id=0,thread-id=0 "
		 "-numa cpu,node-id=0,die-id=0,thread-id=1,core-id=0",
		 {0, 0, 1, 1, 0, 0, 1, 1},
		 8},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char options[400];
		struct vm_config *vm;

		sprintf(options, "-m 64M " M(0) M(1) "%s", cases[i].options);
		vm = run_vm(options, "");
		assert_memory_equal(vm->cpu_node, cases[i].nodes, cases[i].n);
	}
}

static void cpus_left_out_are_in_node_0_with_a_warning(void **state)
{
	struct vm_config *vm =
		run_vm("-m 64M -smp 4,dies=2,cores=2 " M(0) M(1) "-numa node,memdev=m0 "
								 "-numa node,memdev=m1,cpus=1-2",
		       "warning: warning: CPU(s) not present in any NUMA nodes: "
		       "CPU 0 [socket-id: 0, die-id: 0, core-id: 0, thread-id: 0], "
		       "CPU 3 [socket-id: 0, die-id: 1, core-id: 1, thread-id: 0]\n"
		       "warning: warning: All CPU(s) up to maxcpus should be described in NUMA "
		       "config, ability to start up "
		       "with partial NUMA mappings is obsoleted and will be removed in future\n");
	static const uint8_t nodes[] = {0, 1, 1, 0};

	assert_memory_equal(vm->cpu_node, nodes, 4);
}

static void without_a_topology_no_cpu_is_looked_for(void **state)
{
	run_vm("-m 32M -smp 3,cores=2 " M(0) "-numa node,memdev=m0,cpus=0-7 "
					     "-numa cpu,node-id=0,core-id=9",
	       "error: Invalid CPU topology: product of the hierarchy must match maxcpus: "
	       "sockets (1) * dies (1) * modules (1) * cores (2) * threads (1) != maxcpus (3)\n");
}

static void a_long_list_of_cpus_left_out_is_cut(void **state)
{
	struct vm_config *vm = run_vm("-m 32M -smp 255 " M(0) "-numa node,memdev=m0,cpus=7", NULL);

	assert_int_equal(vm->cpu_node[254], 0);
	assert_non_null(strstr(logged, "CPU 0 [socket-id: 0, core-id: 0, thread-id: 0], CPU 1 ["));
	assert_non_null(strstr(logged, "...\n"));
}

static void each_object_has_so_many_threads_as_there_are_cpus(void **state)
{
	struct vm_config *vm =
		run_vm("-m 32M " M(0) "-machine memory-backend=m0 "
				      "-object memory-backend-ram,id=m1,size=1M,prealloc-threads=2 "
				      "-smp 5,maxcpus=6",
		       "");

	assert_int_equal(vm->backends->prealloc_threads, 5);
	assert_int_equal(vm->backends->next->prealloc_threads, 2);
	vm = run_vm("-m 32M -smp 3", "");
	assert_int_equal(vm->memory_backend->prealloc_threads, 3);
}

static void memory_devices_make_one_node_of_all(void **state)
{
	struct vm_config *vm = run_vm("-m 64M,slots=1,maxmem=1G", "");

	assert_int_equal(vm->n_numa_nodes, 1);
	assert_int_equal(vm->numa_nodes->size, MIB(64));
	assert_null(vm->numa_nodes->backend);
	assert_int_equal(vm->cpu_node[0], 0);
	assert_string_equal(vm->memory_backend->id, "pc.ram");
	vm = run_vm("-m 64M,maxmem=1G", "");
	assert_int_equal(vm->n_numa_nodes, 1);
	vm = run_vm("-m 64M,maxmem=64M", "");
	assert_int_equal(vm->n_numa_nodes, 0);
	vm = run_vm("-m 32M,slots=1,maxmem=1G -machine memory-backend=m0 " M(0), "");
	assert_int_equal(vm->n_numa_nodes, 1);
	assert_int_equal(vm->numa_nodes->size, MIB(32));
}

static void options_of_node_have_qemus_errors(void **state)
{
	static const struct {
		const char *numa, *message;
	} rows[] = {
		{"nodeid=0", "Parameter 'type' is missing"},
		{"x", "Parameter 'type' does not accept value 'x'\n"
		      "error:       = possible values: 'node', 'dist', 'cpu', 'hmat-lb', "
		      "'hmat-cache'"},
		{"node,nodeid=x", "Parameter 'nodeid' expects a uint64 value"},
		{"node,nodeid=-1", "Parameter 'nodeid' expects a uint64 value"},
		{"node,nodeid=65536", "Parameter 'nodeid' expects uint16_t"},
		{"node,nodeid=65535", "Max number of NUMA nodes reached: 65535"},
		{"node,nodeid=128", "Max number of NUMA nodes reached: 128"},
		{"node,cpus=x", "Parameter 'cpus' expects a uint64 value or range"},
		{"node,cpus=3-1", "Parameter 'cpus' expects a uint64 value or range"},
		{"node,cpus=0-65536", "Parameter 'cpus' expects a uint64 value or range"},
		{"node,cpus=65536", "Parameter 'null' expects uint16_t"},
		{"node,cpus=1", "CPU index (1) should be smaller than maxcpus (1)"},
		{"node,cpus=0-3", "CPU index (1) should be smaller than maxcpus (1)"},
		{"node,cpus=7-9", "CPU index (7) should be smaller than maxcpus (1)"},
		{"node,cpus=0 -smp 2,maxcpus=3,cores=3 -numa node,cpus=2-4",
		 "CPU index (3) should be smaller than maxcpus (3)"},
		{"node -smp 2 -numa cpu,node-id=0,core-id=2", "no match found"},
		{"node -smp 2 -numa cpu,node-id=0,die-id=0", "die-id is not supported"},
		{"node -smp 2,dies=2 -numa cpu,node-id=0,module-id=0",
		 "module-id is not supported"},
		{"node,mem=x", "Parameter 'mem' expects a size value"},
		{"node,memdev=zz", "memdev=zz is ambiguous"},
		{"node,memdev=M0", "memdev=M0 is ambiguous"},
		{"node,initiator=x", "Parameter 'initiator' expects a uint64 value"},
		{"node,initiator=65536", "Parameter 'initiator' expects uint16_t"},
		{"node,initiator=0",
		 "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with "
		 "-machine hmat=on before using any of hmat specific options"},
		{"hmat-lb,initiator=0",
		 "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with "
		 "-machine hmat=on before using any of hmat specific options"},
		{"hmat-cache,node-id=0",
		 "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with "
		 "-machine hmat=on before using any of hmat specific options"},
		{"node,foo=1", "Invalid parameter 'foo'\nerror:       = possible names: cpus "
			       "initiator mem memdev nodeid type"},
		{"node,id=a",
		 "Invalid parameter 'id'\n"
		 "error:       = possible names: cpus initiator mem memdev nodeid type"},
		{"node,src=1",
		 "Invalid parameter 'src'\n"
		 "error:       = possible names: cpus initiator mem memdev nodeid type"},
		{"node,id=1",
		 "Parameter 'id' expects an identifier\nerror: Identifiers consist of letters, "
		 "digits, '-', '.', '_', starting with a letter."},
		{"node,mem=32M", "Parameter -numa node,mem is not supported by this machine type\n"
				 "error: Use -numa node,memdev instead"},
		{"node,mem=32M,memdev=m0",
		 "numa configuration should use either mem= or memdev=,mixing both is not allowed"},
		{"dist", "Parameter 'src' is missing"},
		{"dist,src=0", "Parameter 'dst' is missing"},
		{"dist,src=0,dst=0", "Parameter 'val' is missing"},
		{"dist,src=x,dst=0,val=10", "Parameter 'src' expects a uint64 value"},
		{"dist,src=0,dst=65536,val=10", "Parameter 'dst' expects uint16_t"},
		{"dist,src=0,dst=0,val=256", "Parameter 'val' expects uint8_t"},
		{"dist,src=0,dst=0,val=10,x=1", "Invalid parameter 'x'\n"
						"error:       = possible names: dst src type val"},
		{"dist,src=128,dst=128,val=10",
		 "Parameter 'src' expects an integer between 0 and 127"},
		{"dist,src=0,dst=128,val=10",
		 "Parameter 'dst' expects an integer between 0 and 127"},
		{"dist,src=0,dst=0,val=10",
		 "Source/Destination NUMA node is missing. Please use '-numa node' option to "
		 "declare it first."},
		{"cpu", "Missing mandatory node-id property"},
		{"cpu,node-id=x", "Parameter 'node-id' expects an int64 value"},
		{"cpu,node-id=0,core-id=9223372036854775808",
		 "Parameter 'core-id' expects an int64 value"},
		{"cpu,node-id=0,x=1",
		 "Invalid parameter 'x'\n"
		 "error:       = possible names: book-id cluster-id core-id die-id "
		 "drawer-id module-id node-id socket-id thread-id type"},
		{"cpu,node-id=0",
		 "Invalid node-id=0, NUMA node must be defined with -numa node,nodeid=ID before "
		 "it's used with -numa cpu,node-id=ID"},
		{"cpu,node-id=-1",
		 "Invalid node-id=-1, NUMA node must be defined with -numa node,nodeid=ID before "
		 "it's used with -numa cpu,node-id=ID"},
	};
	char options[300];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sprintf(options, "-m 32M " M(0) "-numa %s", rows[i].numa);
		refused(options, rows[i].message);
	}
}

static void short_forms_are_warned_about(void **state)
{
	run_vm("-m 32M " M(0) "-numa node,memdev=m0,nofoo",
	       "warning: warning: short-form boolean option 'nofoo' deprecated\n"
	       "warning: Please use foo=off instead\nerror: Invalid parameter 'foo'\nerror:       "
	       "= possible names: cpus initiator mem memdev nodeid type\n");
}

static void nodes_must_agree_with_each_other(void **state)
{
	static const struct {
		const char *options, *message;
	} rows[] = {
		{"-numa node,memdev=m0 -numa node,nodeid=0,memdev=m1", "Duplicate NUMA nodeid: 0"},
		{"-numa node,memdev=m0,nodeid=1 -numa node,memdev=m1,nodeid=3",
		 "numa: Node ID missing: 2"},
		{"-numa node,memdev=m0,nodeid=1 -numa node,memdev=m1,nodeid=2",
		 "numa: Node ID missing: 0"},
		{"-numa node,memdev=m0,nodeid=127 -numa node,memdev=m1",
		 "numa: Node ID missing: 126"},
		{"-numa node,memdev=m0",
		 "total memory for NUMA nodes (0x2000000) should equal RAM size (0x4000000)"},
		{"-numa node",
		 "total memory for NUMA nodes (0x0) should equal RAM size (0x4000000)"},
		{"-numa node,memdev=m0 -numa node,memdev=m0",
		 "memory backend m0 can't be used multiple times."},
		{"-numa node,memdev=m0 -numa node,mem=32M",
		 "numa configuration should use either mem= or memdev=,mixing both is not "
		 "allowed"},
		{"-numa node,cpus=0,memdev=m0 -numa node,cpus=0,memdev=m1",
		 "CPU is already assigned to node-id: 0"},
		{"-numa node,cpus=0,memdev=m0 -numa node,memdev=m1 -numa cpu,node-id=1",
		 "CPU is already assigned to node-id: 0"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa cpu,node-id=1,core-id=1",
		 "no match found"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa cpu,node-id=1,die-id=0",
		 "die-id is not supported"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 "
		 "-numa cpu,node-id=1,module-id=1,cluster-id=2",
		 "module-id is not supported"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa cpu,node-id=1,book-id=0",
		 "book-id is not supported"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -machine memory-backend=b",
		 "'-machine memory-backend' and '-numa memdev' properties are mutually exclusive"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -machine memory-backend=m2",
		 "Machine memory size does not match the size of the memory backend\n"
		 "error:       = -m is 65536 KiB, the size of 'm2' 32768 KiB"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -machine memory-backend=zz",
		 "Memory backend 'zz' not found"},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa dist,src=0,dst=1,val=9",
		 "NUMA distance (9) is invalid, it shouldn't be less than 10."},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa dist,src=1,dst=1,val=11",
		 "Local distance of node 1 should be 10."},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa dist,src=0,dst=2,val=20",
		 "Source/Destination NUMA node is missing. Please use '-numa node' option to "
		 "declare it first."},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa node "
		 "-numa dist,src=0,dst=1,val=20 -numa dist,src=2,dst=0,val=20",
		 "The distance between node 1 and 2 is missing, at least one distance value "
		 "between each nodes should be provided."},
		{"-numa node,memdev=m0 -numa node,memdev=m1 -numa node "
		 "-numa dist,src=0,dst=1,val=20 -numa dist,src=1,dst=0,val=21 "
		 "-numa dist,src=2,dst=0,val=20 -numa dist,src=1,dst=2,val=20",
		 "At least one asymmetrical pair of distances is given, please provide distances "
		 "for both directions of all node pairs."},
		{"-numa node,memdev=odd -numa node,memdev=m1 -m 40964K",
		 "total memory for NUMA nodes (0x2001001) should equal RAM size (0x2802000)"},
	};
	char options[700];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sprintf(options,
			"-m 64M " M(0) M(1) M(2) "-object memory-backend-ram,id=b,size=64M "
						 "-object memory-backend-ram,id=odd,size=4097 %s",
			rows[i].options);
		refused(options, rows[i].message);
	}
}

static void a_node_ends_with_a_page(void **state)
{
	refused("-m 8K -object memory-backend-ram,id=a,size=4097 "
		"-object memory-backend-ram,id=b,size=4095 -numa node,memdev=a -numa node,memdev=b",
		"memory of 0x1001 bytes for a NUMA node is not supported: not a multiple of 4 KiB");
}

static void a_sum_that_wraps_is_no_sum(void **state)
{
	refused("-m 8K -object memory-backend-ram,id=a,size=0xfffffffffffff000 "
		"-object memory-backend-ram,id=b,size=12K -numa node,memdev=a -numa node,memdev=b",
		"total memory for NUMA nodes (0x2000) should equal RAM size (0x2000)\n"
		"error: cannot set up guest memory 'a': Cannot allocate memory\n"
		"error:       = it takes 18014398509481980 KiB, this machine has 67108864 KiB");
}

static void what_is_broken_is_blamed_once(void **state)
{
	refused("-m 64M -object memory-backend-ram,id=a,size=zz -numa node,memdev=a",
		"Parameter 'size' expects a size value");
	refused("-m 64M,foo=1 " M(0) "-numa node,memdev=m0",
		"Invalid parameter 'foo'\n"
		"error:       = possible names: maxmem size slots");
	/* An error in one -numa is not reported again for all of them. */
	refused("-m 64M " M(0) "-numa node,memdev=m0 -numa node,memdev=zz",
		"memdev=zz is ambiguous");
}

static void distances_are_completed(void **state)
{
	static const struct {
		const char *dist;
		uint8_t want[9];
	} rows[] = {
		{"-numa dist,src=0,dst=1,val=20 -numa dist,src=0,dst=2,val=30 "
		 "-numa dist,src=2,dst=1,val=40",
		 {10, 20, 30, 20, 10, 40, 30, 40, 10}},
		{"-numa dist,src=0,dst=1,val=20 -numa dist,src=1,dst=0,val=21 "
		 "-numa dist,src=0,dst=2,val=22 -numa dist,src=2,dst=0,val=23 "
		 "-numa dist,src=1,dst=2,val=24 -numa dist,src=2,dst=1,val=255",
		 {10, 20, 22, 21, 10, 24, 23, 255, 10}},
		{"-numa dist,src=0,dst=1,val=20 -numa dist,src=0,dst=1,val=99 "
		 "-numa dist,src=0,dst=0,val=10 -numa dist,src=0,dst=2,val=30 "
		 "-numa dist,src=2,dst=1,val=40",
		 {10, 99, 30, 99, 10, 40, 30, 40, 10}},
	};
	char options[700];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sprintf(options,
			"-m 64M " M(0) M(1) "-numa node,memdev=m0 -numa node,memdev=m1 "
					    "-numa node %s",
			rows[i].dist);
		assert_memory_equal(run_vm(options, "")->numa_distance, rows[i].want, 9);
	}
}

static void all_of_128_nodes_can_be_had(void **state)
{
	static char options[16000];
	char *out = options;
	struct vm_config *vm;

	out += sprintf(out, "-m 512K ");
	for (unsigned i = 0; i < NUMA_NODES_MAX; i++)
		out += sprintf(out,
			       "-object memory-backend-ram,id=m%u,size=4K "
			       "-numa node,memdev=m%u ",
			       i, i);
	vm = run_vm(options, "");
	assert_int_equal(vm->n_numa_nodes, NUMA_NODES_MAX);
	sprintf(out, "-numa node");
	refused(options, "Max number of NUMA nodes reached: 128");
}

static void numa_memory_is_busy_for_dimms(void **state)
{
	refused("-m 32M,slots=1,maxmem=1G " M(0) "-numa node,memdev=m0 -device pc-dimm,memdev=m0",
		"can't use already busy memdev: m0");
	refused("-m 32M,slots=1,maxmem=1G " M(0) M(1) "-numa node,memdev=m0 -numa node "
						      "-device pc-dimm,memdev=m1,node=2",
		"'DIMM property node has value 2' which exceeds the number of numa nodes: 2");
	run_vm("-m 32M,slots=1,maxmem=1G " M(0) M(1) "-numa node,memdev=m0 -numa node "
						     "-device pc-dimm,memdev=m1,node=1",
	       "");
	assert_int_equal(config.vms->dimms->node, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_come_in_the_order_of_their_numbers),
		cmocka_unit_test(nodes_need_no_memory_and_no_number),
		cmocka_unit_test(the_cpu_goes_where_it_is_sent),
		cmocka_unit_test(several_cpus_go_where_they_are_sent),
		cmocka_unit_test(cpus_left_out_are_in_node_0_with_a_warning),
		cmocka_unit_test(without_a_topology_no_cpu_is_looked_for),
		cmocka_unit_test(a_long_list_of_cpus_left_out_is_cut),
		cmocka_unit_test(each_object_has_so_many_threads_as_there_are_cpus),
		cmocka_unit_test(memory_devices_make_one_node_of_all),
		cmocka_unit_test(options_of_node_have_qemus_errors),
		cmocka_unit_test(short_forms_are_warned_about),
		cmocka_unit_test(nodes_must_agree_with_each_other),
		cmocka_unit_test(a_node_ends_with_a_page),
		cmocka_unit_test(a_sum_that_wraps_is_no_sum),
		cmocka_unit_test(what_is_broken_is_blamed_once),
		cmocka_unit_test(distances_are_completed),
		cmocka_unit_test(all_of_128_nodes_can_be_had),
		cmocka_unit_test(numa_memory_is_busy_for_dimms),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
