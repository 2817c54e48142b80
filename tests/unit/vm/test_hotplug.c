/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that comes and goes, piece by piece: what the guest reaches, and where the frames are. */
#include "hv/vm/hotplug.h"

#include <stdlib.h>
#include <string.h>

#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

#include "tests/unit/platform_parts.h"

#include "tests/unit/hotplug_vms.h"

#define MEMORY	MIB(64)
#define AT	(GIB(4) + MIB(2))
#define SIZE	MIB(8)
#define N_PAGES (SIZE / PAGE_SIZE)

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}

static struct vm *vm;
static struct vm_config config;
static struct mem_map map;
static struct platform_wiring wiring;
static struct backend backend;
static struct dimm_config dimm;
static struct image image;
static uint64_t n_free; /* before the DIMM comes */

void vm_kick_receivers(struct vm *of)
{
	of->platform.irqchip.kicked = false;
}

static int setup(void **state)
{
	static char memory[MEMORY] __attribute__((aligned(MIB(2))));
	const struct cpu_topology topology = {1, {1, 1, 1, 1, 1}};
	const struct platform_extras extras = {.n_slots = 2};

	frame_reset();
	phys_offset = (uintptr_t)memory - GIB(1);
	frame_add_range(GIB(1), MEMORY);
	assert_int_equal(ept_setup(), OK);
	free(vm);
	vm = calloc(1, offsetof(struct vm, platform) + platform_whole_size(1, extras));
	platform_place_parts(&vm->platform, 1, extras);
	assert_int_equal(platform_init(&vm->platform, &wiring,
				       &(struct platform_config){.topology = &topology,
								 .phys_bits = 46,
								 .tsc_hz = 1000000,
								 .extras = extras}),
			 OK);
	assert_int_equal(ept_init(&vm->ept, 2, EPT_UNLIMITED), OK);
	map = (struct mem_map){0};
	config = (struct vm_config){.dimms = &dimm};
	vm->config = &config;
	vm->mem = &map;
	vm->n_vcpus = 1;
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &map};
	vms = vm;
	backend = (struct backend){
		.id = "m", .type = BACKEND_RAM, .size = SIZE, .kind = MEM_COW, .reserve = true};
	dimm = (struct dimm_config){
		.backend = &backend, .addr = AT, .size = SIZE, .slot = 1, .node = 3};
	n_free = frame_available();
	return 0;
}

static enum status come(struct hotplug *work)
{
	enum status status = OK, now;

	hotplug_begin_in(work, &dimm);
	while (work->stage != HOTPLUG_IS_IN && work->stage != HOTPLUG_IS_OUT) {
		now = hotplug_some(vm, work);
		status = now != OK ? now : status;
	}
	return status;
}

static void leave(void)
{
	struct hotplug work;

	hotplug_begin_out(vm, &work, &dimm);
	assert_null(mem_map_find(&map, (gpa_t){AT}));
	while (work.stage != HOTPLUG_IS_OUT)
		assert_int_equal(hotplug_some(vm, &work), OK);
}

/* Two tables stay for the next DIMM, and a frame of the log. */
static void is_gone(void)
{
	unsigned level;

	for (uint64_t at = 0; at < SIZE; at += PAGE_SIZE)
		assert_int_equal(ept_lookup(&vm->ept, (gpa_t){AT + at}, &level), 0);
	assert_in_range(frame_available(), n_free - 3, n_free);
	assert_int_equal(map.n, 0);
}

static uint8_t flags(void)
{
	return memory_slots_at(platform_slots(&vm->platform), 1)->flags;
}

static void private_memory_comes_and_all_its_frames_go(void **state)
{
	struct hotplug work;
	uint64_t generation;

	assert_int_equal(come(&work), OK);
	assert_int_equal(flags(), SLOT_ENABLED | SLOT_INSERTED);
	assert_int_equal(memory_slots_at(platform_slots(&vm->platform), 1)->base, AT);
	assert_int_equal(memory_slots_at(platform_slots(&vm->platform), 1)->node, 3);
	assert_in_range(frame_available(), n_free - 6, n_free); /* zeros take no frames */
	for (uint64_t i = 0; i < N_PAGES; i += 2)
		assert_int_equal(
			guest_write(&vm->memory, (gpa_t){AT + i * PAGE_SIZE}, &i, sizeof(i)), OK);
	assert_true(frame_available() < n_free - N_PAGES / 2);
	generation = vm->ept.generation;
	leave();
	assert_true(vm->ept.generation > generation); /* processors flush before they enter */
	assert_null(vm->memory.last);
	is_gone();
	assert_int_equal(come(&work), OK);
	for (uint64_t i = 0; i < N_PAGES; i++)
		assert_int_equal(
			*(const uint64_t *)guest_byte(&vm->memory, (gpa_t){AT + i * PAGE_SIZE}), 0);
}

static void shared_memory_is_the_images(void **state)
{
	const uint64_t value = 7;
	struct hotplug work;

	image.base = frame_alloc_run(N_PAGES, MIB(2));
	image.size = SIZE;
	backend.image = &image;
	backend.kind = MEM_SHARED;
	n_free = frame_available();
	/* With tables of 4 KiB, because of an odd address. */
	for (dimm.addr = AT; dimm.addr <= AT + PAGE_SIZE; dimm.addr += PAGE_SIZE) {
		gpa_t last = {dimm.addr + SIZE - 8};
		unsigned level;

		assert_int_equal(come(&work), OK);
		(void)ept_lookup(&vm->ept, last, &level);
		assert_int_equal(level, dimm.addr == AT);
		assert_int_equal(guest_write(&vm->memory, last, &value, 8), OK);
		assert_int_equal(*(uint64_t *)phys_to_virt(image.base + SIZE - 8), value);
		hotplug_begin_out(vm, &work, &dimm);
		while (work.stage != HOTPLUG_IS_OUT)
			assert_int_equal(hotplug_some(vm, &work), OK);
		assert_int_equal(ept_lookup(&vm->ept, last, &level), 0);
		assert_in_range(frame_available(), n_free - 4, n_free);
	}
	assert_int_equal(*(uint64_t *)phys_to_virt(image.base + SIZE - 8), value);
}

static void prealloc_and_reserve_take_the_frames_at_once(void **state)
{
	struct hotplug work;

	for (unsigned prealloc = 0; prealloc < 2; prealloc++) {
		backend.has_reserve = !prealloc;
		backend.prealloc = prealloc;
		assert_int_equal(come(&work), OK);
		assert_true(frame_available() <= n_free - N_PAGES);
		assert_int_equal(mem_map_find(&map, (gpa_t){AT})->reserve != NULL, !prealloc);
		leave();
		is_gone();
	}
}

static bool is_large(uint64_t gpa)
{
	unsigned level;

	(void)ept_lookup(&vm->ept, (gpa_t){gpa}, &level);
	return level == 1;
}

/* Neither its address nor its end is a multiple of 2 MiB. */
static void preallocated_memory_has_large_pages(void **state)
{
	struct hotplug work;

	backend.prealloc = true;
	dimm.addr = AT - PAGE_SIZE;
	assert_int_equal(come(&work), OK);
	for (uint64_t gpa = AT; gpa < AT + SIZE - MIB(2); gpa += MIB(2))
		assert_true(is_large(gpa));
	assert_false(is_large(AT - PAGE_SIZE));
	assert_false(is_large(AT + SIZE - MIB(2)));
	assert_true(frame_available() <= n_free - N_PAGES);
	hotplug_begin_out(vm, &work, &dimm);
	while (work.stage != HOTPLUG_IS_OUT)
		assert_int_equal(hotplug_some(vm, &work), OK);
	assert_in_range(frame_available(), n_free - 4, n_free);
	/* On a processor without them. */
	dimm.addr = AT;
	vm->ept.leaf_levels = 1;
	assert_int_equal(come(&work), OK);
	assert_false(is_large(AT));
	leave();
}

/* To split them would take memory, which there may be none of. */
static void large_pages_go_whole(void **state)
{
	phys_t taken = 0, frame;
	struct hotplug work;

	backend.prealloc = true;
	assert_int_equal(come(&work), OK);
	assert_true(is_large(AT));
	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = taken;
		taken = frame;
	}
	leave();
	assert_true(frame_available() >= N_PAGES);
	for (; taken != 0; taken = frame) {
		frame = *(phys_t *)phys_to_virt(taken);
		frame_free(taken);
	}
	is_gone();
}

/* Whichever frame is the last: what was done is undone, and the guest hears nothing. */
static void without_frames_nothing_comes(void **state)
{
	struct hotplug work;

	for (unsigned prealloc = 0; prealloc < 2; prealloc++) {
		for (uint64_t n = 0; n < N_PAGES; n = n * 3 + 1) {
			phys_t taken = 0;

			setup(NULL);
			backend.has_reserve = !prealloc;
			backend.prealloc = prealloc;
			while (frame_available() > n) {
				phys_t frame = frame_alloc();

				*(phys_t *)phys_to_virt(frame) = taken;
				taken = frame;
			}
			assert_int_equal(come(&work), ERR_NOMEM);
			assert_int_equal(work.stage, HOTPLUG_IS_OUT);
			assert_int_equal(flags(), 0);
			while (taken != 0) {
				phys_t frame = taken;

				taken = *(phys_t *)phys_to_virt(frame);
				frame_free(frame);
			}
			is_gone();
		}
	}
}

static void a_dimm_that_was_given_up_is_found_once(void **state)
{
	struct hotplug work;
	struct io_access eject = {.off = MEMORY_SLOTS_FLAGS, .size = 1, .value = SLOT_EJECT};

	assert_int_equal(come(&work), OK);
	assert_null(hotplug_next_eject());
	hotplug_ask(vm, &dimm);
	assert_int_equal(flags() & SLOT_REMOVES, SLOT_REMOVES);
	platform_slots(&vm->platform)->selected = 1;
	assert_int_equal(memory_slots_class.write(platform_slots(&vm->platform), &eject),
			 WISH_EJECT);
	assert_null(hotplug_next_eject()); /* it was not noted */
	hotplug_note_eject();
	vm->template = vm; /* a clone keeps it */
	assert_null(hotplug_next_eject());
	vm->template = NULL;
	hotplug_note_eject();
	assert_ptr_equal(hotplug_next_eject(), vm);
	assert_ptr_equal(hotplug_next_eject(), vm);
	assert_ptr_equal(hotplug_ejected(vm), &dimm);
	hotplug_clear_slot(vm, 1);
	assert_null(hotplug_next_eject());
	assert_null(hotplug_ejected(vm));
}

static void what_shares_its_memory_is_refused(void **state)
{
	struct ept_layer layer;

	assert_null(hotplug_refuses(vm));
	vm->is_debugged = true;
	assert_non_null(strstr(hotplug_refuses(vm), "gdb"));
	vm->is_debugged = false;
	vm->template = vm;
	assert_non_null(strstr(hotplug_refuses(vm), "clone"));
	vm->layer = &layer; /* it freezes */
	assert_non_null(strstr(hotplug_refuses(vm), "template"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(private_memory_comes_and_all_its_frames_go, setup),
		cmocka_unit_test_setup(shared_memory_is_the_images, setup),
		cmocka_unit_test_setup(prealloc_and_reserve_take_the_frames_at_once, setup),
		cmocka_unit_test_setup(preallocated_memory_has_large_pages, setup),
		cmocka_unit_test_setup(large_pages_go_whole, setup),
		cmocka_unit_test_setup(without_frames_nothing_comes, setup),
		cmocka_unit_test_setup(a_dimm_that_was_given_up_is_found_once, setup),
		cmocka_unit_test_setup(what_shares_its_memory_is_refused, setup),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	free(vm);
	return result;
}
