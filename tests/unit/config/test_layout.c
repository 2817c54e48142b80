/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bytes of which backend are at which guest address. */
#include "hv/config/layout.h"

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#include "tests/unit/vm_run.h"

static struct mem_map map;

struct want {
	const char *id;
	uint64_t gpa, len, offset; /* into the backend */
	enum mem_kind kind;
};

static void laid_out(const char *options, const struct want *want, size_t n)
{
	map.n = 0;
	assert_int_equal(memory_layout(run_vm(options, ""), &map), OK);
	assert_int_equal(map.n, n);
	for (size_t i = 0; i < n; i++) {
		const struct mem_region *region = &map.region[i];

		assert_string_equal(region->backend->id, want[i].id);
		assert_int_equal(region->gpa.raw, want[i].gpa);
		assert_int_equal(region->len, want[i].len);
		assert_int_equal(region->kind, want[i].kind);
		assert_ptr_equal(region->image, region->backend->image);
		assert_int_equal(memory_backend_offset(region), want[i].offset);
		assert_int_equal(region->offset,
				 want[i].offset + (region->image ? region->backend->offset : 0));
	}
}

static void memory_continues_at_4_gib(void **state)
{
	static const struct want whole[] = {{"pc.ram", 0, MIB(64), 0, MEM_COW}};
	static const struct want all_low[] = {{"pc.ram", 0, GIB(3), 0, MEM_COW}};
	static const struct want parted[] = {{"pc.ram", 0, GIB(3), 0, MEM_COW},
					     {"pc.ram", GIB(4), 8192, GIB(3), MEM_COW}};

	laid_out("-m 64M", whole, 1);
	laid_out("-m 3G", all_low, 1);
	laid_out("-m 3145736K", parted, 2);
}

static void a_backend_may_begin_inside_its_file(void **state)
{
	static const struct want want[] = {{"m", 0, MIB(4), 0, MEM_COW},
					   {"d", GIB(4), MIB(2), 0, MEM_SHARED}};

	laid_out("-machine memory-backend=m -m slots=1,maxmem=1G -object "
		 "memory-backend-file,id=m,size=4M,offset=2M,mem-path=/d/f8,readonly=on,rom=off "
		 "-object memory-backend-file,id=d,size=2M,offset=1M,mem-path=/d/f32,share=on "
		 "-device pc-dimm,memdev=d",
		 want, 2);
}

static void the_last_page_of_odd_memory_is_whole(void **state)
{
	static const struct want want[] = {{"m", 0, 8192, 0, MEM_COW}};

	laid_out("-machine memory-backend=m -object memory-backend-ram,id=m,size=4097", want, 1);
	assert_int_equal(config.vms->ram_size, 4097);
}

static void nodes_lie_one_after_the_other(void **state)
{
	static const struct want want[] = {
		{"b", 0, MIB(2), 0, MEM_COW},
		{"a", MIB(2), GIB(3) - MIB(2), 0, MEM_COW},
		{"a", GIB(4), MIB(2) + GIB(1), GIB(3) - MIB(2), MEM_COW},
		{"c", GIB(5) + MIB(2), MIB(32), 0, MEM_COW},
		{"n", GIB(6), MIB(8) - KIB(128), 0, MEM_ROM},
	};

	laid_out("-m 4130M,slots=2,maxmem=8G -machine nvdimm=on "
		 "-object memory-backend-ram,id=a,size=4G -object memory-backend-ram,id=b,size=2M "
		 "-object "
		 "memory-backend-file,id=c,size=32M,mem-path=/d/f32,readonly=on,rom=off "
		 "-object memory-backend-file,id=n,size=8M,mem-path=/d/f8,readonly=on "
		 "-numa node,nodeid=2,memdev=a -numa node,nodeid=0,memdev=b -numa node,nodeid=1 "
		 "-numa node,nodeid=3,memdev=c "
		 "-device nvdimm,memdev=n,label-size=128K,unarmed=on",
		 want, 5);
}

static void nodes_may_meet_at_3_gib(void **state)
{
	static const struct want want[] = {{"a", 0, GIB(3), 0, MEM_COW},
					   {"b", GIB(4), MIB(2), 0, MEM_COW}};

	laid_out("-m 3074M -object memory-backend-ram,id=a,size=3G "
		 "-object memory-backend-ram,id=b,size=2M -numa node,memdev=a -numa node,memdev=b",
		 want, 2);
}

static void what_is_too_much_is_an_error(void **state)
{
	static struct backend huge = {.id = "h", .size = UINT64_MAX};
	struct vm_config vm = {.memory_backend = &huge};

	map.n = 0;
	assert_int_equal(memory_layout(&vm, &map), ERR_RANGE);
	huge.size = UINT64_MAX - GIB(1);
	map.n = 0;
	assert_int_equal(memory_layout(&vm, &map), ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_continues_at_4_gib),
		cmocka_unit_test(a_backend_may_begin_inside_its_file),
		cmocka_unit_test(the_last_page_of_odd_memory_is_whole),
		cmocka_unit_test(nodes_lie_one_after_the_other),
		cmocka_unit_test(nodes_may_meet_at_3_gib),
		cmocka_unit_test(what_is_too_much_is_an_error),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
