/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the struct and the parts of VMs and clones lie, and memory in pieces. */
#include "hv/vm/vm.c"

#include <string.h>

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MEMORY	   MIB(8)
#define FRAMES_MAX (MEMORY / PAGE_SIZE)

enum { AVX = 832, AVX512 = 2696 }; /* sizes of an XSAVE area */

unsigned n_cpus;
struct cpu *cpus[CPU_MAX];
struct vcpu_shared vcpu_shared;

static struct vm_config config;
static phys_t taken[FRAMES_MAX];
static unsigned n_taken;

void sched_add(struct vcpu *vcpus, unsigned n)
{
}

void sched_pause(struct vcpu *vcpus, unsigned n, bool on)
{
}

void sched_request(struct vcpu *of, uint32_t requests)
{
}

static int set_up(void **state)
{
	machine_frames_add(MEMORY);
	config = (struct vm_config){0};
	n_taken = 0;
	return 0;
}

static struct backend nvdimm = {.id = "n", .size = MIB(2), .kind = MEM_ROM};
static struct dimm_config module = {.is_nvdimm = true, .backend = &nvdimm};

static void configure(unsigned n_vcpus, uint32_t xsave_size)
{
	vcpu_shared.cpuid.basic[0xd].ecx = xsave_size;
	config = (struct vm_config){.topology.n_cpus = (uint16_t)n_vcpus};
}

static void configure_all_devices(void)
{
	config.has_pic = config.has_hpet = true;
	config.n_virtio = VIRTIO_DEVICES_MAX;
	config.dimm_slots = 256;
	config.dimms = &module;
}

/* A VM of the configuration, which can be a template. */
static struct vm *make(void)
{
	struct vm_shared *shared;
	struct vm *vm = vm_allocate(&config, &shared);

	if (vm != NULL)
		memset((char *)shared + sizeof(shared->mem), 0x11,
		       sizeof(*shared) - sizeof(shared->mem));
	return vm;
}

static void claim(void *context, phys_t frame)
{
	for (unsigned i = 0; i < n_taken; i++)
		assert_int_not_equal(taken[i], frame);
	assert_true(n_taken < FRAMES_MAX);
	taken[n_taken++] = frame;
}

static bool is_ours(const void *byte)
{
	phys_t frame = align_down(virt_to_phys(byte), PAGE_SIZE);

	for (unsigned i = 0; i < n_taken; i++)
		if (taken[i] == frame)
			return true;
	return false;
}

enum { N_PARTS = 1024 };

/* Fill a part with its number, to see later that no other one lies in it. */
struct places {
	uint8_t *start[N_PARTS];
	size_t size[N_PARTS];
	unsigned n;
};

static void note(struct places *places, void *start, size_t size)
{
	assert_true(size <= PAGE_SIZE && is_ours(start) && is_ours((char *)start + size - 1));
	assert_true(places->n < N_PARTS);
	places->start[places->n] = start;
	places->size[places->n++] = size;
}

static void note_parts(struct places *places, struct vm *vm, uint32_t xsave_size)
{
	struct platform *platform = &vm->platform;
	void **part;
	size_t size;

	note(places, vm,
	     offsetof(struct vm, platform) + platform_size(vm->n_vcpus, platform->extras));
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		struct vcpu *vcpu = vm_vcpu(vm, i);

		assert_true(is_aligned((uintptr_t)vcpu->xsave_area, XSAVE_ALIGN));
		note(places, vcpu->xsave_area, xsave_size);
		note(places, vcpu, sizeof(*vcpu));
		if (i >= IRQCHIP_NEAR)
			note(places, irqchip_lapic(&platform->irqchip, i), sizeof(struct lapic));
	}
	for (unsigned i = irqchip_n_far(vm->n_vcpus);
	     (part = platform_part(platform, i, &size)) != NULL; i++)
		note(places, *part, size);
}

/* No part lies in another one, and all are in the VM's frames. Destroys the VM's contents. */
static void check_places(struct vm *vm, uint32_t xsave_size)
{
	static uint8_t kept[MEMORY];
	void *memory = phys_to_virt(MACHINE_FRAMES_START);
	struct places places = {0};

	n_taken = 0;
	vm_each_frame(vm, claim, NULL);
	note_parts(&places, vm, xsave_size);
	memcpy(kept, memory, MEMORY);
	for (unsigned i = 0; i < places.n; i++)
		memset(places.start[i], (int)i, places.size[i]);
	for (unsigned i = 0; i < places.n; i++)
		for (size_t k = 0; k < places.size[i]; k++)
			assert_int_equal(places.start[i][k], (uint8_t)i);
	memcpy(memory, kept, MEMORY);
}

static const unsigned counts[] = {1, 2, 3, 4, 5, 6, 7, 16, 64, 255, TOPOLOGY_MAX_CPUS};

static void all_parts_have_places_of_their_own(void **state)
{
	static const uint32_t sizes[] = {576, AVX, AVX512};

	for (unsigned k = 0; k < ARRAY_SIZE(counts) * ARRAY_SIZE(sizes) * 2; k++) {
		uint32_t size = sizes[k / 2 % ARRAY_SIZE(sizes)];
		uint64_t before = frame_available();
		struct vm *vm, *clone;

		configure(counts[k / 2 / ARRAY_SIZE(sizes)], size);
		if (k % 2)
			configure_all_devices();
		vm = make();
		assert_non_null(vm);
		clone = vm_allocate_clone(vm);
		assert_non_null(clone);
		assert_true(vm_take_areas(clone));
		assert_int_equal(clone->n_vcpus, config.topology.n_cpus);
		check_places(clone, size);
		check_places(vm, size);
		vm_free(clone);
		vm_free(vm);
		assert_int_equal(frame_available(), before);
	}
}

/* A vCPU that never runs needs no area. Those that share a frame get theirs with the first one. */
static void areas_come_when_they_are_needed(void **state)
{
	struct vm *vm, *clone;

	configure(6, AVX);
	vm = make();
	clone = vm_allocate_clone(vm);
	for (unsigned i = 0; i < 6; i++) {
		vm_vcpu(clone, i)->vm = clone;
		vm_vcpu(clone, i)->number = (uint16_t)i;
		assert_null(vm_vcpu(clone, i)->xsave_area);
	}
	assert_true(vm_take_area(vm_vcpu(clone, 1)));
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(vm_vcpu(clone, i)->xsave_area != NULL, i >= 1 && i <= 4);
	assert_true(vm_take_area(vm_vcpu(clone, 4)));
	assert_null(vm_vcpu(clone, 5)->xsave_area);
	assert_true(vm_take_areas(clone));
	check_places(clone, AVX);
	vm_free(clone);
	vm_free(vm);
}

static unsigned frames_of_clone(void)
{
	struct vm *vm = make(), *clone = vm_allocate_clone(vm);

	n_taken = 0;
	vm_each_frame(clone, claim, NULL);
	vm_free(clone);
	vm_free(vm);
	return n_taken;
}

static void a_clone_takes_few_frames(void **state)
{
	static const struct {
		unsigned n_vcpus;
		uint32_t xsave_size;
		bool has_all_devices;
		unsigned n_frames;
	} cases[] = {{1, AVX, false, 1},
		     {1, AVX512, false, 1},
		     {3, AVX, false, 2},
		     {4, AVX, false, 2},
		     {1, AVX, true, 5}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		configure(cases[i].n_vcpus, cases[i].xsave_size);
		if (cases[i].has_all_devices)
			configure_all_devices();
		assert_int_equal(frames_of_clone(), cases[i].n_frames);
	}
}

/* Take all free frames, which then have any contents, and sort them. */
static void take_all(void)
{
	phys_t frame;

	for (n_taken = 0; (frame = frame_alloc()) != 0; n_taken++)
		taken[n_taken] = frame;
	for (unsigned i = 0; i < n_taken; i++)
		memset(phys_to_virt(taken[i]), 0xa5, PAGE_SIZE);
	for (unsigned i = 0; i < n_taken; i++)
		for (unsigned k = i + 1; k < n_taken; k++)
			if (taken[k] < taken[i]) {
				frame = taken[i];
				taken[i] = taken[k];
				taken[k] = frame;
			}
}

/*
 * No two neighbours are free, and one frame more each time: nothing is made, and nothing is lost,
 * until the frames will do.
 */
static void memory_in_pieces_will_do(void **state)
{
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
		struct vm *vm, *clone = NULL;
		unsigned n_needed, n_free = 0;

		set_up(state);
		configure(counts[i / 2], AVX512);
		if (i % 2)
			configure_all_devices();
		n_needed = frames_of_clone();
		vm = make();
		take_all();
		while ((clone = vm_allocate_clone(vm)) == NULL) {
			assert_int_equal(frame_available(), n_free);
			assert_true(2 * n_free < n_taken);
			frame_free(taken[2 * n_free++]);
		}
		assert_int_equal(n_free, n_needed);
		while (!vm_take_areas(clone)) {
			assert_int_equal(frame_available(), 0);
			frame_free(taken[2 * n_free++]);
		}
		check_places(clone, AVX512);
		vm_free(clone);
		assert_int_equal(frame_available(), n_free);
	}
}

/* Only what its clones share needs adjacent frames. */
static void a_vm_that_finds_no_memory_takes_none(void **state)
{
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
		struct vm *vm;
		unsigned n_free = 0;

		set_up(state);
		configure(counts[i / 2], AVX512);
		if (i % 2)
			configure_all_devices();
		take_all();
		while ((vm = make()) == NULL) {
			assert_int_equal(frame_available(), n_free);
			assert_true(n_free < n_taken);
			frame_free(taken[n_free++]);
		}
		assert_true(n_free > SHARED_FRAMES);
		vm_free(vm);
		assert_int_equal(frame_available(), n_free);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_parts_have_places_of_their_own, set_up),
		cmocka_unit_test_setup(areas_come_when_they_are_needed, set_up),
		cmocka_unit_test_setup(a_clone_takes_few_frames, set_up),
		cmocka_unit_test_setup(memory_in_pieces_will_do, set_up),
		cmocka_unit_test_setup(a_vm_that_finds_no_memory_takes_none, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
