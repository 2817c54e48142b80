/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of all types, as options and as JSON, with the words that QEMU was observed to use. */
#include "tests/unit/support.h"

#include "hv/frame/numa.h"
#include "tests/unit/config_run.h"

struct row {
	const char *objects; /* each with its "-object" except the first */
	const char *reported;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[1000] = "vm v -kernel k -object ";

		strcat(text, rows[i].objects);
		print_message("[ row      ] %s\n", rows[i].objects);
		assert_int_equal(run(text), *rows[i].reported == '\0');
		assert_string_equal(reported(17, 1000), rows[i].reported);
	}
}

#define RAM   "'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":4096"
#define FILE_ "'{\"qom-type\":\"memory-backend-file\",\"id\":\"m\",\"size\":4096"
#define NOT_EMPTY \
	"host-nodes must be empty for policy default, or you should explicitly specify a policy " \
	"other than default"
#define BAD_ID \
	"Parameter 'id' expects an identifier | Identifiers consist of letters, digits, '-', " \
	"'.', " \
	"'_', starting with a letter."
#define DUPLICATE "attempt to add duplicate property 'm' to object (type 'container')"

static void json_objects_are_typed_as_in_qemu(void **state)
{
	static const struct row rows[] = {
		{"'{\"qom-type\":1,\"id\":\"m\",\"size\":4096}'",
		 "Invalid parameter type for 'qom-type', expected: string"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":1,\"size\":4096}'",
		 "Invalid parameter type for 'id', expected: string"},
		{"'{}'", "Parameter 'qom-type' is missing"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"size\":4096}'",
		 "Parameter 'id' is missing"},
		{"'{\"qom-type\":\"memory-backend-rom\",\"id\":\"1\",\"size\":4096}'",
		 "Parameter 'qom-type' does not accept value 'memory-backend-rom'"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"1\",\"size\":4096}'", BAD_ID},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"\",\"size\":4096}'", BAD_ID},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\"}'",
		 "Parameter 'size' is missing"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":\"4096\"}'",
		 "Parameter 'size' expects uint64"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":4096.0}'",
		 "Parameter 'size' expects uint64"},
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":-4096}'",
		 "cannot set up guest memory 'm': Cannot allocate memory"},
		/* QEMU dies of it. */
		{"'{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":-1}'",
		 "cannot set up guest memory 'm': Cannot allocate memory"},
		{RAM ",\"share\":\"on\"}'",
		 "Invalid parameter type for 'share', expected: boolean"},
		{RAM ",\"host-nodes\":0}'",
		 "Invalid parameter type for 'host-nodes', expected: array"},
		{RAM ",\"host-nodes\":\"0\"}'",
		 "Invalid parameter type for 'host-nodes', expected: array"},
		{RAM ",\"host-nodes\":[]}'", ""},
		{RAM ",\"host-nodes\":[0]}'", NOT_EMPTY},
		{RAM ",\"host-nodes\":[0],\"policy\":\"bind\"}'", ""},
		{RAM ",\"host-nodes\":[0,200,130],\"policy\":\"bind\"}'",
		 "Invalid host-nodes value: 200"},
		{RAM ",\"host-nodes\":[\"0\"]}'", "Parameter 'host-nodes[0]' expects uint64"},
		{RAM ",\"host-nodes\":[0,1.5]}'", "Parameter 'host-nodes[1]' expects uint64"},
		{RAM ",\"host-nodes\":[0,[1]]}'", "Parameter 'host-nodes[1]' expects uint64"},
		{RAM ",\"host-nodes\":[0,65536]}'", "Parameter 'null' expects uint16_t"},
		{RAM ",\"host-nodes\":[0,-1]}'", "Parameter 'null' expects uint16_t"},
		{RAM ",\"policy\":\"zz\"}'", "Parameter 'policy' does not accept value 'zz'"},
		{RAM ",\"policy\":1}'", "Invalid parameter type for 'policy', expected: string"},
		{RAM ",\"prealloc-threads\":0}'",
		 "property 'prealloc-threads' of memory-backend-ram doesn't take value '0'"},
		{RAM ",\"prealloc-threads\":-1}'", "Parameter 'prealloc-threads' expects uint32_t"},
		{RAM ",\"prealloc-threads\":4294967296}'",
		 "Parameter 'prealloc-threads' expects uint32_t"},
		{RAM ",\"prealloc-threads\":\"1\"}'",
		 "Parameter 'prealloc-threads' expects uint64"},
		{RAM ",\"prealloc-threads\":4294967295}'", ""},
		{RAM ",\"foo\":1}'", "Parameter 'foo' is unexpected"},
		{RAM ",\"rom\":\"off\"}'", "Parameter 'rom' is unexpected"},
		{RAM ",\"prealloc-context\":1}'",
		 "Invalid parameter type for 'prealloc-context', expected: string"},
		{RAM ",\"prealloc-context\":\"\"}'", ""},
		{RAM ",\"prealloc-context\":\"x\"}'", "Device 'x' not found"},
		{RAM ",\"prealloc\":true,\"reserve\":false}'",
		 "'prealloc=on' and 'reserve=off' are incompatible"},
		{FILE_ "}'", "Parameter 'mem-path' is missing"},
		{FILE_ ",\"mem-path\":1}'",
		 "Invalid parameter type for 'mem-path', expected: string"},
		{FILE_ ",\"mem-path\":\"/d/f32\",\"align\":\"4k\"}'",
		 "Parameter 'align' expects uint64"},
		{FILE_ ",\"mem-path\":\"/d/f32\",\"readonly\":{}}'",
		 "Invalid parameter type for 'readonly', expected: boolean"},
		{FILE_ ",\"mem-path\":\"/d/f32\",\"rom\":true}'",
		 "Invalid parameter type for 'rom', expected: string"},
		{FILE_ ",\"mem-path\":\"/d/f32\",\"pmem\":true}'",
		 "Parameter 'pmem' is unexpected"},
		{FILE_ ",\"mem-path\":\"/d/f32\",\"rom\":\"on\"}'",
		 "property 'rom' = 'on' is not supported with 'readonly' = 'off'"},
		{RAM "} x'", "Expecting at most one JSON value"},
		{"'{\"qom-type\":\"rng-egd\",\"id\":\"m\"}'",
		 "object type 'rng-egd' is not supported yet"},
		{"'{\"qom-type\":\"rng-builtin\",\"id\":\"m\",\"filename\":\"/f\"}'",
		 "Parameter 'filename' is unexpected"},
		{"'{\"qom-type\":\"rng-random\"}'", "Parameter 'id' is missing"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* JSON does not escape commas and equals signs. */
static void json_and_options_mean_the_same(void **state)
{
	static const char *const texts[] = {
		"vm v -kernel k -object '{\"discard-data\":true,\"size\":8192,\"offset\":4096,"
		"\"readonly\":true,\"align\":4096,\"qom-type\":\"memory-backend-file\","
		"\"mem-path\":\"/d/a,b/f\",\"rom\":\"off\",\"share\":false,\"merge\":false,"
		"\"dump\":false,\"prealloc\":true,\"prealloc-threads\":3,\"reserve\":true,"
		"\"policy\":\"interleave\",\"host-nodes\":[0,127],\"id\":\"m\","
		"\"x-use-canonical-path-for-ramblock-id\":true}'",
		"vm v -kernel k -object "
		"memory-backend-file,id=m,mem-path=/d/a,,b/f,discard-data=on,"
		"size=8K,offset=4K,readonly=on,align=4K,rom=off,share=off,merge=off,dump=off,"
		"prealloc=on,prealloc-threads=3,reserve=on,policy=interleave,host-nodes=0,"
		"host-nodes=127,x-use-canonical-path-for-ramblock-id=on",
	};

	for (unsigned i = 0; i < 2; i++) {
		const struct backend *b;

		assert_true(run(texts[i]));
		b = config.vms->backends;
		assert_string_equal(b->id, "m");
		assert_string_equal(b->mem_path, "/d/a,b/f");
		assert_true(b->size == 8192 && b->offset == 4096 && b->align == 4096);
		assert_true(b->readonly && b->rom == ON_OFF_AUTO_OFF && b->kind == MEM_COW);
		assert_true(b->discard_data && b->prealloc && b->reserve && b->canonical_name);
		assert_false(b->merge || b->dump || b->share);
		assert_true(b->has_merge && b->has_dump && b->has_prealloc && b->has_host_nodes);
		assert_int_equal(b->prealloc_threads, 3);
		assert_int_equal(b->policy, POLICY_INTERLEAVE);
		assert_int_equal(b->host_nodes[0], 1);
		assert_int_equal(b->host_nodes[1], BIT(63));
	}
}

static void defaults_are_the_machines(void **state)
{
	const struct backend *b;

	assert_true(run("vm v -kernel k -object memory-backend-ram,id=m,size=1M"));
	b = config.vms->backends;
	assert_true(b->merge && b->dump && !b->prealloc && b->reserve);
	assert_true(
		run("vm v -kernel k -machine q35,mem-merge=off,dump-guest-core=off -mem-prealloc "
		    "-object memory-backend-ram,id=m,size=1M -object "
		    "memory-backend-ram,id=n,size=1M,merge=on,dump=on,prealloc=off"));
	b = config.vms->backends;
	assert_true(!b->merge && !b->dump && b->prealloc);
	assert_true(b->next->merge && b->next->dump && !b->next->prealloc);
	assert_false(run("vm v -kernel k -mem-prealloc -object "
			 "memory-backend-ram,id=m,size=1M,reserve=off,prealloc=off"));
	assert_non_null(strstr(logged, "'prealloc=on' and 'reserve=off' are incompatible\n"));
}

static void an_id_belongs_to_one_object(void **state)
{
	static const struct row rows[] = {
		{"memory-backend-ram,id=m,size=4K -object memory-backend-ram,id=m,size=4K",
		 "Duplicate ID 'm' for object"},
		{"memory-backend-ram,id=m,size=4K -object thread-context,id=m",
		 "Duplicate ID 'm' for object"},
		{"thread-context,id=m -object memory-backend-ram,id=m,size=4K",
		 "Duplicate ID 'm' for object"},
		{RAM "}' -object " RAM "}'", DUPLICATE},
		{RAM "}' -object memory-backend-ram,id=m,size=4K", DUPLICATE},
		{"memory-backend-ram,id=m,size=4K -object " RAM "}'", DUPLICATE},
		{"thread-context,id=m -object " RAM "}'", DUPLICATE},
		{RAM "}' -object '{\"qom-type\":\"thread-context\",\"id\":\"m\"}'", DUPLICATE},
		{"thread-context,id=m -object '{\"qom-type\":\"thread-context\",\"id\":\"m\"}'",
		 DUPLICATE},
		/* Properties are set earlier. */
		{RAM "}' -object '{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":0}'",
		 "property 'size' of memory-backend-ram doesn't take value '0'"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

#define TC "thread-context,id=t"

static void thread_contexts_are_checked_as_in_qemu(void **state)
{
	static const struct row rows[] = {
		{"thread-context", "Parameter 'id' is missing"},
		{TC, ""},
		{TC ",cpu-affinity=0", ""},
		{TC ",cpu-affinity=0-3,cpu-affinity=200", ""},
		{TC ",cpu-affinity=", "Parameter 'cpu-affinity' expects a uint64 value or range"},
		{TC ",cpu-affinity=x", "Parameter 'cpu-affinity' expects a uint64 value or range"},
		{TC ",cpu-affinity=1-0",
		 "Parameter 'cpu-affinity' expects a uint64 value or range"},
		{TC ",cpu-affinity=65536", "Parameter 'null' expects uint16_t"},
		{TC ",cpu-affinity=65535", "Setting CPU affinity failed: Invalid argument"},
		{TC ",cpu-affinity=4", "Setting CPU affinity failed: Invalid argument"},
		{TC ",node-affinity=0", ""},
		{TC ",node-affinity=0-70", ""},
		{TC ",node-affinity=70", "The nodes select no CPUs"},
		{TC ",node-affinity=65535", "The nodes select no CPUs"},
		{TC ",node-affinity=65536", "Parameter 'null' expects uint16_t"},
		{TC ",node-affinity=0,cpu-affinity=0",
		 "Mixing CPU and node affinity not supported"},
		{TC ",foo=1", "Invalid parameter 'foo'"},
		{TC ",size=1M", "Invalid parameter 'size'"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"cpu-affinity\":[0,3]}'", ""},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"cpu-affinity\":[]}'",
		 "CPU list is empty"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"node-affinity\":[]}'",
		 "Node list is empty"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"cpu-affinity\":[],"
		 "\"node-affinity\":[]}'",
		 "CPU list is empty"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"cpu-affinity\":\"0\"}'",
		 "Invalid parameter type for 'cpu-affinity', expected: array"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"node-affinity\":[\"a\"]}'",
		 "Parameter 'node-affinity[0]' expects uint64"},
		{"'{\"qom-type\":\"thread-context\",\"id\":\"t\",\"thread-id\":1}'",
		 "Parameter 'thread-id' is unexpected"},
	};

	object_machine_cpus = 4;
	check_rows(rows, ARRAY_SIZE(rows));
	object_machine_cpus = 0; /* unknown: any will do */
	assert_true(run("vm v -kernel k -object thread-context,id=t,cpu-affinity=200"));
}

static void node_affinity_needs_a_processor_there(void **state)
{
	static struct numa saved;

	saved = numa;
	numa.n_cpus = 2;
	numa.cpu[0].node = 3;
	numa.cpu[1].node = 100;
	for (unsigned node = 0; node < 128; node++) {
		char text[200];

		sprintf(text, "vm v -kernel k -object thread-context,id=t,node-affinity=%u", node);
		assert_int_equal(run(text), node == 3 || node == 100);
	}
	numa = saved;
}

static void a_backend_finds_its_context(void **state)
{
	static const char *const paths[] = {"t", "/objects/t", "objects/t"};
	static const struct row rows[] = {
		{"memory-backend-ram,id=a,size=4K -object "
		 "memory-backend-ram,id=b,size=4K,prealloc-context=a",
		 "Invalid parameter type for 'prealloc-context', expected: thread-context"},
		{"memory-backend-ram,id=a,size=4K,prealloc-context=b -object "
		 "memory-backend-ram,id=b,size=4K",
		 "Device 'b' not found"},
		{"memory-backend-ram,id=a,size=4K,prealloc-context=a", "Device 'a' not found"},
		{"memory-backend-ram,id=a,size=4K,prealloc-context=/t -object " TC,
		 "Device '/t' not found"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char text[200];

		sprintf(text,
			"vm v -kernel k -object "
			"memory-backend-ram,id=m,size=4K,prealloc-context=%s "
			"-object thread-context,id=s -object "
			"thread-context,id=t,cpu-affinity=65-66",
			paths[i]);
		assert_true(run(text));
		assert_ptr_equal(config.vms->backends->context, config.vms->thread_contexts->next);
		assert_int_equal(config.vms->backends->context->cpus[1], 6);
		assert_true(config.vms->backends->context->has_cpus);
	}
	check_rows(rows, ARRAY_SIZE(rows));
}

/* x-use-canonical-path-for-ramblock-id only changes the name in messages. */
static void a_canonical_name_is_a_path(void **state)
{
	static const struct row rows[] = {
		{"memory-backend-ram,id=m,size=1E,x-use-canonical-path-for-ramblock-id=on",
		 "cannot set up guest memory '/objects/m': Cannot allocate memory"},
		{"memory-backend-file,id=m,size=64M,mem-path=/d/f32,"
		 "x-use-canonical-path-for-ramblock-id=on",
		 "/objects/m backing store size 0x2000000 is too small for 'size' option 0x4000000 "
		 "plus 'offset' option 0x0"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_objects_are_typed_as_in_qemu),
		cmocka_unit_test(json_and_options_mean_the_same),
		cmocka_unit_test(defaults_are_the_machines),
		cmocka_unit_test(an_id_belongs_to_one_object),
		cmocka_unit_test(thread_contexts_are_checked_as_in_qemu),
		cmocka_unit_test(node_affinity_needs_a_processor_there),
		cmocka_unit_test(a_backend_finds_its_context),
		cmocka_unit_test(a_canonical_name_is_a_path),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
