/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the struct, the vCPUs and the XSAVE areas of VMs and clones lie, and memory in pieces. */
#include "hv/vm/vm.c"

#include <string.h>

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MEMORY	   MIB(8)
#define FRAMES_MAX (MEMORY / PAGE_SIZE)

enum { AVX = 832, AVX512 = 2696, LARGER_THAN_A_FRAME = 11008 }; /* sizes of an XSAVE area */

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

/* A VM of the configuration, which can be a template. */
static struct vm *make(unsigned n_vcpus, uint32_t xsave_size, unsigned n_virtio)
{
	struct vm_shared *shared;
	struct vm *vm;

	vcpu_shared.cpuid.basic[0xd].ecx = xsave_size;
	config.topology.n_cpus = n_vcpus;
	config.n_virtio = n_virtio;
	vm = vm_allocate(&config, &shared);
	if (vm != NULL) {
		vm->platform.extras = vm_extras(&config);
		vm->platform.irqchip.n = n_vcpus;
		memset(shared, 0x11, sizeof(*shared));
	}
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

static void fill(void *start, int byte, size_t size)
{
	assert_true(is_ours(start) && is_ours((char *)start + size - 1));
	memset(start, byte, size);
}

static void assert_filled(const void *start, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(((const uint8_t *)start)[i], byte);
}

/* No part lies in another one, and all are in the VM's frames. */
static void check_places(struct vm *vm, uint32_t xsave_size)
{
	size_t platform = platform_size(vm->n_vcpus, vm_extras(&config));

	n_taken = 0;
	vm_each_frame(vm, claim, NULL);
	fill(&vm->platform, 0x22, platform);
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		void *area = vm->vcpu[i].xsave_area;

		assert_true(is_aligned((uintptr_t)area, XSAVE_ALIGN));
		fill(&vm->vcpu[i], 0x33, sizeof(struct vcpu));
		fill(area, 0x44, xsave_size);
		vm->vcpu[i].xsave_area = area;
	}
	assert_filled(&vm->platform, 0x22, platform);
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		assert_filled(&vm->vcpu[i].guest, 0x33, sizeof(struct vcpu_guest));
		assert_filled(vm->vcpu[i].xsave_area, 0x44, xsave_size);
	}
}

static void all_parts_have_places_of_their_own(void **state)
{
	static const uint32_t sizes[] = {576, AVX, AVX512, LARGER_THAN_A_FRAME};

	for (unsigned n = 1; n <= 9; n++) {
		for (unsigned k = 0; k < 4 * ARRAY_SIZE(sizes); k++) {
			uint32_t size = sizes[k / 4];
			uint64_t before = frame_available();
			struct vm *vm = make(n, size, k % 4), *clone;

			assert_non_null(vm);
			clone = vm_allocate_clone(vm);
			assert_non_null(clone);
			assert_int_equal(clone->n_vcpus, n);
			check_places(clone, size);
			vm_free(clone);
			check_places(vm, size);
			vm_free(vm);
			assert_int_equal(frame_available(), before);
		}
	}
}

static unsigned frames_of_clone(unsigned n_vcpus, uint32_t xsave_size)
{
	struct vm *vm = make(n_vcpus, xsave_size, 0), *clone = vm_allocate_clone(vm);

	n_taken = 0;
	vm_each_frame(clone, claim, NULL);
	vm_free(clone);
	vm_free(vm);
	return n_taken;
}

static void a_clone_takes_few_frames(void **state)
{
	assert_int_equal(frames_of_clone(1, AVX), 1);
	assert_int_equal(frames_of_clone(1, AVX512), 2);
	assert_int_equal(frames_of_clone(3, AVX), 3);
	assert_int_equal(frames_of_clone(4, AVX), 3); /* adjacent ones */
}

/* All frames except a template's are taken; then every second one of so many is free. */
static void leave_pieces(unsigned n)
{
	phys_t frame;

	for (n_taken = 0; (frame = frame_alloc()) != 0; n_taken++)
		taken[n_taken] = frame;
	for (unsigned i = 0; i < n_taken; i++)
		for (unsigned k = i + 1; k < n_taken; k++)
			if (taken[k] < taken[i]) {
				frame = taken[i];
				taken[i] = taken[k];
				taken[k] = frame;
			}
	for (unsigned i = 0; i < n; i++)
		frame_free(taken[2 * i]);
}

static void memory_in_pieces_will_do(void **state)
{
	for (unsigned n = 1; n <= 3; n++) {
		struct vm *vm, *clone;

		set_up(state);
		vm = make(n, AVX512, 0);
		leave_pieces(5);
		clone = vm_allocate_clone(vm);
		assert_non_null(clone);
		check_places(clone, AVX512);
	}
}

/* With fewer frames than it needs, nothing is made, and nothing is lost. */
static void a_clone_that_finds_no_memory_takes_none(void **state)
{
	for (unsigned n = 1; n <= 3; n++) {
		struct vm *vm, *clone = NULL;
		unsigned n_free = 0;

		set_up(state);
		vm = make(n, AVX512, 0);
		leave_pieces(0);
		for (; clone == NULL; n_free++) {
			assert_int_equal(frame_available(), n_free);
			clone = vm_allocate_clone(vm);
			if (clone == NULL)
				frame_free(taken[2 * n_free]);
		}
		assert_int_equal(n_free - 1, n == 1 ? 2 : 2 + n);
		vm_free(clone);
		assert_int_equal(frame_available(), n_free - 1);
	}
}

static void a_vm_that_finds_no_memory_takes_none(void **state)
{
	for (unsigned n = 1; n <= 3; n += 2) {
		unsigned n_free = 0, k = 0;
		struct vm *vm = NULL;

		set_up(state);
		leave_pieces(0);
		/* Adjacent frames, because struct vm_shared is long. */
		for (; vm == NULL; k++) {
			assert_int_equal(frame_available(), n_free);
			vm = make(n, AVX512, 0);
			if (vm == NULL) {
				frame_free(taken[k]);
				n_free++;
			}
		}
		vm_free(vm);
		assert_int_equal(frame_available(), n_free);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_parts_have_places_of_their_own, set_up),
		cmocka_unit_test_setup(a_clone_takes_few_frames, set_up),
		cmocka_unit_test_setup(memory_in_pieces_will_do, set_up),
		cmocka_unit_test_setup(a_clone_that_finds_no_memory_takes_none, set_up),
		cmocka_unit_test_setup(a_vm_that_finds_no_memory_takes_none, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
