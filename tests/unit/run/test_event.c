/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order a vCPU does what it may have to do before it enters its guest. This test plays
 * what it calls, and the array of tests/unit/run/vmcs/ is the VMCS.
 */
#include "hv/run/event.c"

#include "hv/devices/irqchip.h"
#include "hv/run/kvm_para.h"
#include "tests/unit/support.h"

#include <asm/prctl.h>
#include <string.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

uint64_t test_vmcs[TEST_VMCS_FIELDS];
uint64_t tsc_hz = 1000000000;
struct vcpu_shared vcpu_shared = {
	.preemption_shift = 5,
	.clock_grain = 1000,
	.controls.word[CONTROLS_PIN] = PIN_PREEMPTION_TIMER,
};

static struct cpu cpu = {.self = &cpu};
static struct lapic lapic;
static struct vcpu vcpu;
static struct vm vm = {.vcpu = &vcpu, .n_vcpus = 1};
static bool acts_alone, has_frame;
static unsigned n_acted, n_told;

bool vm_act_alone(struct vcpu *of)
{
	if (!acts_alone)
		return false;
	vm.actions = 0;
	n_acted++;
	of->guest.kvm.system_time |= KVM_CLOCK_IS_BEHIND; /* the template was loaded so */
	return true;
}

bool kvm_para_catch_up(struct vcpu *of)
{
	assert_false(vm.actions);
	n_told++;
	return has_frame;
}

/* What these tests do not come to. */
#define NEVER(declaration) \
	declaration \
	{ \
		fail(); \
		__builtin_trap(); \
	}
NEVER(void guest_watchdog_look(struct vm *of))
NEVER(void debug_look(struct vcpu *of))
NEVER(void debug_start(struct vcpu *of))
NEVER(void host_apic_timer_set(uint64_t deadline))
NEVER(void step_end(struct vcpu *of))
NEVER(bool step_is_done(const struct vcpu *of))
NEVER(void vcpu_write_sipi_state(struct vcpu *of, uint8_t vector))
NEVER(void vcpu_write_start_state(struct vcpu *of, const struct loader_state *start))
NEVER(enum status virtio_work_some(struct vcpu *of))
NEVER(bool vm_end(struct vm *of, enum vm_outcome outcome, const char *fmt, ...))
NEVER(void vm_hold_uart(struct vm *of))
NEVER(void vm_kick_receivers(struct vm *of))
NEVER(void vm_reset(struct vm *of))
NEVER(enum status vm_restart(struct vm *of, bool *ret_done))
NEVER(bool vm_console_look(struct vm *of))
NEVER(void vm_take_input(struct vm *of))

uint64_t vcpu_now(const struct vcpu *of)
{
	return rdtsc();
}

uint64_t vcpu_next_deadline(const struct vcpu *of)
{
	return UINT64_MAX;
}

/* A vCPU that was loaded, and whose guest has stolen time. */
static int set_up(void **state)
{
	arch_prctl(ARCH_SET_GS, &cpu);
	memset(test_vmcs, 0, sizeof(test_vmcs));
	memset(&lapic, 0, sizeof(lapic));
	lapic_init(&lapic);
	cpu.slice.end = cpu.slice.wakes_from = cpu.next_deadline = UINT64_MAX;
	vcpu = (struct vcpu){.vm = &vm, .lapic = &lapic, .number = 1};
	vcpu.guest.kvm.steal_time = 0x1000 | KVM_MSR_ENABLED;
	vcpu.regs.requests = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER;
	vm.actions = 0;
	acts_alone = false;
	has_frame = true;
	n_acted = n_told = 0;
	return 0;
}

static bool enters(enum vcpu_leave *ret)
{
	*ret = VCPU_HALTED;
	return vcpu_service(&vcpu, ret);
}

static void time_is_told_before_the_guest_is_entered(void **state)
{
	enum vcpu_leave leave;

	assert_true(enters(&leave));
	assert_int_equal(n_told, 1);
	vcpu.guest.kvm.steal_time = 0;
	assert_true(enters(&leave));
	assert_int_equal(n_told, 1);
}

static void a_guest_that_goes_on_learns_that_it_had_stopped(void **state)
{
	enum vcpu_leave leave;

	vcpu.guest.kvm.steal_time = 0;
	vcpu.guest.kvm.system_time = 0x2000 | KVM_MSR_ENABLED;
	assert_true(enters(&leave));
	assert_int_equal(n_told, 0);
	vcpu.regs.requests = VCPU_REQUEST_RESUMED;
	assert_true(enters(&leave));
	assert_int_equal(n_told, 1);
	vcpu.guest.kvm.system_time = 0;
	vcpu.regs.requests = VCPU_REQUEST_RESUMED;
	assert_true(enters(&leave));
	assert_int_equal(n_told, 1);
}

/* The first vCPU of a VM that becomes a template runs for its pieces, between which it waits. */
static void who_gathers_changes_no_memory(void **state)
{
	enum vcpu_leave leave;

	vm.actions = VM_FREEZE;
	vcpu.regs.requests |= VCPU_REQUEST_GATHER;
	assert_false(enters(&leave));
	assert_int_equal(leave, VCPU_GATHERED);
	assert_int_equal(n_told, 0);
}

static void after_a_revert_the_template_s_clock_is_told(void **state)
{
	enum vcpu_leave leave;

	vm.actions = VM_REVERT;
	acts_alone = true;
	vcpu.guest.kvm.steal_time = 0;
	vcpu.regs.requests |= VCPU_REQUEST_GATHER;
	assert_true(enters(&leave));
	assert_int_equal(n_acted, 1);
	assert_int_equal(n_told, 1);
}

static void without_a_frame_the_guest_is_not_entered(void **state)
{
	enum vcpu_leave leave;

	has_frame = false;
	vcpu.guest.event = 13 | INTR_TYPE_HARDWARE | INTR_VALID;
	assert_false(enters(&leave));
	assert_int_equal(leave, VCPU_PREEMPTED);
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], 0); /* it would be lost */
	has_frame = true;
	vcpu.regs.requests |= VCPU_REQUEST_EVENT;
	assert_true(enters(&leave));
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], 13 | INTR_TYPE_HARDWARE | INTR_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(time_is_told_before_the_guest_is_entered, set_up),
		cmocka_unit_test_setup(a_guest_that_goes_on_learns_that_it_had_stopped, set_up),
		cmocka_unit_test_setup(who_gathers_changes_no_memory, set_up),
		cmocka_unit_test_setup(after_a_revert_the_template_s_clock_is_told, set_up),
		cmocka_unit_test_setup(without_a_frame_the_guest_is_not_entered, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
