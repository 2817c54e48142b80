/* SPDX-License-Identifier: BSD-2-Clause */
/* What KVM's MSRs do to a guest's memory, and what they do not do to that of a clone. */
#include "hv/run/kvm_para.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/sync.h"
#include "hv/vcpu/pvclock.h"
#include "hv/vm/vm.h"
#include "tests/unit/guest_regions.h"

#define TSC_HZ	  UINT64_C(2000000000) /* two ticks are a nanosecond */
#define UNIX_NS	  UINT64_C(1700000000000000000)
#define CLOCK	  (RAM + 0x40)
#define STEAL	  (RAM + 0x1000)
#define ENABLED	  KVM_MSR_ENABLED
#define PREEMPTED 16 /* in the record of stolen time */

uint64_t tsc_hz = TSC_HZ;
struct vcpu_shared vcpu_shared = {.clock_grain = 1000};

static struct cpuid_model model, other_model;
static struct vcpu vcpus[2];
static struct vm vm = {.vcpu = vcpus};
static struct vcpu *const vcpu = &vcpus[0];
static uint64_t unix_ns;
static unsigned n_stops, n_flushes;

uint64_t tsc_unix_ns(uint64_t tsc)
{
	return unix_ns;
}

void stop_for_memory(struct vcpu *stopped, gpa_t gpa)
{
	n_stops++;
}

void vm_kick_receivers(struct vm *of)
{
	fail();
}

bool sync_enter(struct vcpu *entering)
{
	entering->runs = vm.only_vcpu == NULL;
	return entering->runs;
}

void sync_leave(struct vcpu *leaving)
{
	assert_int_equal(leaving->ept_generation, vm.ept.generation);
	leaving->runs = false;
}

void vcpu_flush(struct vcpu *flushed, uint64_t generation)
{
	assert_true(flushed->runs);
	flushed->ept_generation = generation;
	n_flushes++;
}

static int make(void **state)
{
	setup(state);
	memset(vcpus, 0, sizeof(vcpus));
	vm.memory = memory;
	vm.memory.ept = &vm.ept;
	vm.ept = ept;
	vm.mem = &map;
	vm.n_vcpus = 2;
	model.kvm[1].eax = (uint32_t)(KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_STEAL_TIME);
	for (unsigned i = 0; i < 2; i++) {
		vcpus[i].vm = &vm;
		vcpus[i].ept = &vm.ept;
		vcpus[i].cpuid = &model;
		vcpus[i].saved_in = &vcpus[i];
	}
	unix_ns = UNIX_NS;
	n_stops = n_flushes = 0;
	return 0;
}

static int unmake(void **state)
{
	ept = vm.ept;
	return teardown(state);
}

static uint64_t load(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(guest_read(&vm.memory, at(gpa), &value, size), OK);
	return value;
}

/* What a guest reads on its clock at its TSC 'tsc'. */
static uint64_t read_clock(uint64_t tsc)
{
	struct pvclock_scale scale = {(uint32_t)load(CLOCK + 24, 4), (int8_t)load(CLOCK + 28, 1)};

	assert_int_equal(load(CLOCK, 4) % 2, 0);
	return load(CLOCK + 16, 8) + pvclock_ns(scale, tsc - load(CLOCK + 8, 8));
}

static void the_clock_is_written_before_the_next_instruction(void **state)
{
	uint64_t value;

	vcpu->guest.tsc_offset = 77;
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, CLOCK | ENABLED), OK);
	assert_true(vcpu->regs.requests & VCPU_REQUEST_TIMER);
	assert_int_equal(load(CLOCK, 4), 0);
	kvm_para_enter(vcpu);
	assert_int_equal(load(CLOCK, 4), 2);
	assert_int_equal(read_clock(2 * UINT64_C(1000000000)), 1000000000);
	assert_true(kvm_para_read_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, &value));
	assert_int_equal(value, CLOCK | ENABLED);
	/* It stays right: there is nothing to write. */
	kvm_para_enter(vcpu);
	assert_int_equal(load(CLOCK, 4), 2);
}

/* An address outside memory, or in ROM, is refused. */
static void the_flag_of_an_eoi_lies_in_memory(void **state)
{
	static struct lapic lapic;
	uint64_t value;

	vcpu->lapic = &lapic;
	model.kvm[1].eax |= (uint32_t)KVM_FEATURE_PV_EOI;
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_PV_EOI_EN, GIB(1) | ENABLED), ERR_RANGE);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_PV_EOI_EN, ROM | ENABLED), ERR_RANGE);
	assert_int_equal(vcpu->guest.kvm.eoi, 0);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_PV_EOI_EN, STEAL | ENABLED), OK);
	assert_true(kvm_para_read_msr(vcpu, MSR_KVM_PV_EOI_EN, &value));
	assert_int_equal(value, STEAL | ENABLED);
	assert_int_equal(vcpu->stolen, 0);
}

static void the_clock_does_not_move_with_the_tsc(void **state)
{
	uint64_t before;

	kvm_para_tsc_moved(vcpu); /* nothing to do without a clock */
	assert_int_equal(vcpu->regs.requests, 0);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, CLOCK | ENABLED), OK);
	kvm_para_enter(vcpu);
	before = read_clock(1000000);
	vcpu->guest.tsc_offset += 5000000;
	vcpu->guest.tsc_adjust += 5000000;
	kvm_para_tsc_moved(vcpu);
	kvm_para_enter(vcpu);
	assert_int_equal(read_clock(6000000), before);
}

static void a_loaded_clock_continues_from_its_zero(void **state)
{
	other_model = model;
	other_model.clock_tsc = 1000;
	other_model.clock_ns = 12345;
	vcpu->cpuid = &other_model;
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, CLOCK | ENABLED), OK);
	kvm_para_enter(vcpu);
	assert_int_equal(read_clock(1000), 12345);
}

static void the_time_of_the_day_is_that_of_the_clock_s_zero(void **state)
{
	uint64_t before = rdtsc() / 2, sum;

	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, RAM + 4), OK);
	sum = load(RAM + 8, 4) * UINT64_C(1000000000) + load(RAM + 12, 4);
	assert_true(sum <= UNIX_NS - before && sum >= UNIX_NS - rdtsc() / 2 - 1);
	unix_ns = 0; /* unknown */
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, RAM + 4), OK);
	assert_int_equal(load(RAM + 8, 4), 0);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, 0), OK);
}

static void hostile_pointers_raise_gp(void **state)
{
	static const uint64_t bad[] = {ROM,	ROM + SMALL - 4,  SHM + SMALL - 4,
				       GIB(1),	BIT(52),	  UINT64_MAX & ~UINT64_C(63),
				       RAM + 2, RAM + RAM_LEN - 4};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			kvm_para_write_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, bad[i] | ENABLED),
			ERR_RANGE);
		assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, bad[i]),
				 ERR_RANGE);
		assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_STEAL_TIME, (bad[i] & ~63) | 3),
				 ERR_RANGE);
	}
	assert_int_equal(kvm_para_write_msr(vcpu, 0x4b564d04, RAM | ENABLED), ERR_RANGE);
	assert_int_equal(kvm_para_write_msr(vcpu, 0x12, RAM | ENABLED), ERR_RANGE);
	assert_int_equal(vcpu->guest.kvm.system_time | vcpu->guest.kvm.steal_time, 0);
	assert_int_equal(vm.memory.n_dropped, 0);
}

/* The VM stops or ends, and the guest tries again when it continues. */
static void without_a_frame_the_vm_stops(void **state)
{
	vm.ept.max_owned = vm.ept.n_owned;
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, RAM), ERR_NOMEM);
	assert_int_equal(n_stops, 1);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, CLOCK | ENABLED), OK);
	assert_false(kvm_para_enter(vcpu));
	assert_int_equal(n_stops, 2);
	vm.ept.max_owned = EPT_UNLIMITED;
	assert_true(kvm_para_enter(vcpu));
	assert_int_equal(load(CLOCK, 4), 2);
	assert_int_equal(n_stops, 2);
}

static void memory_that_has_gone_is_not_kept_up(void **state)
{
	vcpu->guest.kvm.system_time = GIB(1) | ENABLED | KVM_CLOCK_IS_BEHIND;
	vcpu->guest.kvm.steal_time = GIB(1) | ENABLED;
	vcpu->stolen = 5000;
	kvm_para_enter(vcpu);
	kvm_para_preempted(vcpu);
	assert_int_equal(n_stops, 0);
	assert_int_equal(vcpu->guest.kvm.system_time, GIB(1) | ENABLED);
	assert_int_equal(vcpu->stolen, 0);
	assert_int_equal(vcpu->guest.kvm.steal_time, GIB(1) | ENABLED);
}

static void waits_are_told_when_they_add_up(void **state)
{
	uint64_t owned;

	vcpu->stolen = 999999; /* before it was asked for */
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_STEAL_TIME, STEAL | ENABLED), OK);
	owned = vm.ept.n_owned;
	vcpu->stolen += 600;
	kvm_para_enter(vcpu);
	assert_int_equal(vm.ept.n_owned, owned); /* no page is copied for so little */
	vcpu->stolen += 600;
	kvm_para_enter(vcpu);
	assert_int_equal(load(STEAL, 8), 600); /* ns of 1200 ticks */
	assert_int_equal(vcpu->stolen, 0);
	vcpu->stolen += 2000;
	kvm_para_enter(vcpu);
	assert_int_equal(load(STEAL, 8), 1600);
	assert_int_equal(load(STEAL + 8, 4), 4);
	assert_int_equal(kvm_para_write_msr(vcpu, MSR_KVM_STEAL_TIME, 0), OK);
	vcpu->stolen += 2000;
	kvm_para_enter(vcpu);
	assert_int_equal(load(STEAL, 8), 1600);
}

static void a_clone_s_wait_to_begin_is_not_stolen(void **state)
{
	vcpu->guest.kvm.steal_time = STEAL | ENABLED;
	vcpu->saved_in = &vcpus[1];
	vcpu->stolen = 1000000;
	kvm_para_enter(vcpu);
	assert_int_equal(vcpu->stolen, 0);
	assert_int_equal(load(STEAL, 8), 0);
	assert_int_equal(load(STEAL + 8, 4), 0);
}

static void without_a_frame_stolen_time_is_told_later(void **state)
{
	vcpu->guest.kvm.steal_time = STEAL | ENABLED;
	vcpu->stolen = 2000;
	vm.ept.max_owned = vm.ept.n_owned;
	assert_true(kvm_para_enter(vcpu));
	assert_int_equal(n_stops, 0);
	vm.ept.max_owned = EPT_UNLIMITED;
	vcpu->stolen += 2000;
	kvm_para_enter(vcpu);
	assert_int_equal(load(STEAL, 8), 2000);
}

static void others_see_that_a_processor_was_preempted(void **state)
{
	vcpu->guest.kvm.steal_time = STEAL | ENABLED;
	kvm_para_preempted(vcpu);
	assert_int_equal(load(STEAL + PREEMPTED, 1), 1);
	assert_int_equal(n_flushes, 1); /* the page was copied */
	assert_false(vcpu->runs);
	/* Clones find it in their memory, and take it back. */
	vcpus[1].guest = vcpu->guest;
	assert_true(kvm_para_enter(&vcpus[1]));
	assert_int_equal(load(STEAL + PREEMPTED, 1), 0);
	kvm_para_preempted(vcpu);
	assert_true(kvm_para_enter(vcpu));
	assert_int_equal(load(STEAL + PREEMPTED, 1), 0);
	assert_int_equal(vcpu->guest.kvm.steal_time, STEAL | ENABLED);
	vm.n_vcpus = 1;
	kvm_para_preempted(vcpu);
	assert_int_equal(load(STEAL + PREEMPTED, 1), 0);
	vcpu->guest.kvm.steal_time = 0;
	vm.n_vcpus = 2;
	kvm_para_preempted(vcpu);
	assert_int_equal(load(STEAL + PREEMPTED, 1), 0);
}

/* It has pages of its own in the place of the VM's, and the guest must not see another change. */
static void beside_a_vcpu_that_must_be_alone_nothing_is_told(void **state)
{
	vcpu->guest.kvm.steal_time = STEAL | ENABLED;
	vm.only_vcpu = &vcpus[1];
	kvm_para_preempted(vcpu);
	vm.only_vcpu = NULL;
	assert_int_equal(load(STEAL + PREEMPTED, 1), 0);
	assert_int_equal(vcpu->guest.kvm.steal_time, STEAL | ENABLED);
	assert_false(vcpu->runs);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_clock_is_written_before_the_next_instruction),
		CASE(the_flag_of_an_eoi_lies_in_memory),
		CASE(the_clock_does_not_move_with_the_tsc),
		CASE(a_loaded_clock_continues_from_its_zero),
		CASE(the_time_of_the_day_is_that_of_the_clock_s_zero),
		CASE(hostile_pointers_raise_gp),
		CASE(without_a_frame_the_vm_stops),
		CASE(memory_that_has_gone_is_not_kept_up),
		CASE(waits_are_told_when_they_add_up),
		CASE(a_clone_s_wait_to_begin_is_not_stolen),
		CASE(without_a_frame_stolen_time_is_told_later),
		CASE(others_see_that_a_processor_was_preempted),
		CASE(beside_a_vcpu_that_must_be_alone_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
