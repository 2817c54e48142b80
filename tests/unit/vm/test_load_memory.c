/* SPDX-License-Identifier: BSD-2-Clause */
/* Which template a layer belongs to, and the messages if it is missing or the files are wrong. */
#include "hv/vm/load_memory.h"

#include <string.h>

#include "hv/guest/memory_pack.h"
#include "hv/guest/region_map.h"
#include "hv/host/watchdog.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MEMORY MIB(2)
#define ID     UINT64_C(0xabc)

struct vm *vms;
struct lock vms_lock;

void vms_gather(void)
{
}

static unsigned n_fed;

void watchdog_feed(void)
{
	n_fed++;
}

static const struct backend ram = {.id = "ram", .size = MEMORY};
static struct ept_layer layer = {.saved_id = ID};
static struct mem_map map, template_map;
static struct vm_config config;
static struct vm vm, template, other;
static struct saved_part parts[2];
static struct image images[2];
static uint8_t bytes[2][PART_HEAD_SIZE + 2 * PART_PUT_SIZE_MAX];

static void add(struct mem_map *to, uint64_t gpa, enum mem_kind kind)
{
	const struct mem_region region = {
		.gpa = {gpa}, .len = MEMORY, .kind = kind, .backend = &ram};

	assert_int_equal(mem_map_add(to, &region), OK);
}

/* A VM that is to be loaded from "/x.state", and a template of the same shape beside another VM. */
static int setup(void **state)
{
	machine_frames_add(MIB(64));
	assert_int_equal(ept_setup(), OK);
	map = template_map = (struct mem_map){0};
	add(&map, 0, MEM_COW);
	add(&template_map, 0, MEM_COW);
	config = (struct vm_config){
		.incoming = "/x.state",
		.saved = {.id = 7, .below = ID, .template = "t", .has_parts = true, .size = MEMORY},
		.parts = &parts[0],
	};
	vm = (struct vm){.name = "v", .config = &config, .mem = &map};
	vm.memory = (struct guest_memory){.ept = &vm.ept, .map = &map};
	template = (struct vm){
		.name = "t", .outcome = VM_FROZEN, .layer = &layer, .mem = &template_map};
	other = (struct vm){.name = "o", .outcome = VM_RUNNING, .next = &template};
	vms = &other;
	log_reset();
	return 0;
}

static void the_template_is_found_by_its_id(void **state)
{
	struct ept_layer *found;

	template.name = "u"; /* whatever its name is */
	assert_int_equal(load_hold_below(&vm, &found), OK);
	assert_ptr_equal(found, &layer);
	assert_true(config.below == &template && template.n_holds == 1);
	config.saved.below = 0;
	assert_int_equal(load_hold_below(&vm, &found), OK);
	assert_null(found);
	assert_string_equal(logged, "");
}

static void a_missing_template_is_named(void **state)
{
	struct ept_layer *found;

	vms->next = NULL;
	assert_int_equal(load_hold_below(&vm, &found), ERR_NOTFOUND);
	assert_null(found);
	assert_string_equal(logged,
			    "error: VM v: '/x.state' holds only what has changed since template "
			    "'t' was saved (id 0000000000000abc): load that by a line before this "
			    "one\n");
}

static void another_template_of_the_name_is_told(void **state)
{
	static struct ept_layer another = {.saved_id = 9};
	struct ept_layer *found;

	template.layer = &another;
	assert_int_equal(load_hold_below(&vm, &found), ERR_NOTFOUND);
	assert_null(found);
	assert_string_equal(logged,
			    "error: VM v: '/x.state' needs another template 't': the one whose "
			    "save has the id 0000000000000abc, not 0000000000000009\n");
}

static void memory_must_be_like_the_templates(void **state)
{
	struct ept_layer *found;

	add(&map, GIB(1), MEM_COW);
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
	assert_string_equal(logged,
			    "error: VM v: its memory at 0x40000000 differs from that of template "
			    "'t', which it is a layer of: both need the same options\n");
	add(&template_map, GIB(1), MEM_ROM);
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
	template_map.region[1].kind = MEM_COW;
	assert_int_equal(load_hold_below(&vm, &found), OK);
	template_map.region[1].offset = PAGE_SIZE;
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
	template_map.region[1].offset = 0;
	template_map.region[1].image = &images[0];
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
	template_map.region[1].image = NULL;
	template_map.region[1].len -= PAGE_SIZE;
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
	template_map.region[1].len = MEMORY;
	add(&template_map, GIB(2), MEM_COW); /* more than the VM's */
	assert_int_equal(load_hold_below(&vm, &found), ERR_INVAL);
}

/* Two parts, with a page of 'a' and one of 'b'. */
static void make_parts(void)
{
	static const char *const paths[] = {"/x.mem.0", "/x.mem.1"};
	static struct lz4_table table;
	uint8_t page[PAGE_SIZE];

	for (unsigned i = 0; i < 2; i++) {
		size_t len = part_put_head(bytes[i], config.saved.id, i);

		memset(page, 'a' + (int)i, sizeof(page));
		len += part_put_block(bytes[i] + len, i * PAGE_SIZE, page, PAGE_SIZE, &table);
		len += part_put_end(bytes[i] + len, i == 1);
		images[i] = (struct image){.base = virt_to_phys(bytes[i]), .size = len};
		parts[i] = (struct saved_part){.path = paths[i], .image = &images[i]};
	}
	parts[0].next = &parts[1];
	assert_int_equal(ept_init(&vm.ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(region_map(&vm.ept, &map.region[0]), OK);
}

static void all_parts_are_read(void **state)
{
	uint8_t byte;

	make_parts();
	n_fed = 0;
	assert_int_equal(load_memory(&vm), OK);
	assert_int_equal(n_fed, 2);
	assert_int_equal(guest_read(&vm.memory, (gpa_t){PAGE_SIZE - 1}, &byte, 1), OK);
	assert_int_equal(byte, 'a');
	assert_int_equal(guest_read(&vm.memory, (gpa_t){PAGE_SIZE}, &byte, 1), OK);
	assert_int_equal(byte, 'b');
	config.saved.has_parts = false;
	config.parts = NULL;
	assert_int_equal(load_memory(&vm), OK);
	assert_string_equal(logged, "");
}

static void a_wrong_part_is_named(void **state)
{
	make_parts();
	bytes[1][PART_HEAD_SIZE + BLOCK_HEAD_SIZE] ^= 1;
	assert_int_equal(load_memory(&vm), ERR_CORRUPT);
	assert_string_equal(logged,
			    "error: VM v: '/x.mem.1' is damaged at byte 24: a checksum is wrong\n");
}

static void memory_of_another_size_is_refused(void **state)
{
	make_parts();
	config.saved.size += KIB(4);
	assert_int_equal(load_memory(&vm), ERR_INVAL);
	assert_string_equal(logged, "error: VM v: '/x.state' is of a VM with 2052 KiB of memory to "
				    "load, where this one has 2048 KiB\n");
}

static void a_vm_without_room_is_told(void **state)
{
	make_parts();
	vm.ept.max_owned = vm.ept.n_owned + 1;
	assert_int_equal(load_memory(&vm), ERR_NOMEM);
	assert_string_equal(logged, "error: VM v: not enough memory for what '/x.mem.0' holds\n");
	log_reset();
	while (frame_alloc() != 0)
		;
	assert_int_equal(load_memory(&vm), ERR_NOMEM);
	assert_string_equal(logged, "error: VM v: not enough memory for what '/x.mem.0' holds\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_template_is_found_by_its_id, setup),
		cmocka_unit_test_setup(a_missing_template_is_named, setup),
		cmocka_unit_test_setup(another_template_of_the_name_is_told, setup),
		cmocka_unit_test_setup(memory_must_be_like_the_templates, setup),
		cmocka_unit_test_setup(all_parts_are_read, setup),
		cmocka_unit_test_setup(a_wrong_part_is_named, setup),
		cmocka_unit_test_setup(memory_of_another_size_is_refused, setup),
		cmocka_unit_test_setup(a_vm_without_room_is_told, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
