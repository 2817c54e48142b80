/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit path, on the array of tests/unit/run/vmcs/ in place of a VMCS. */
#include "hv/run/exit.c"

#include "tests/unit/support.h"

#include <asm/prctl.h>
#include <string.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

uint64_t test_vmcs[TEST_VMCS_FIELDS];

static struct cpu cpu = {.self = &cpu};
static struct ept ept;
static struct vm vm;
static struct vcpu vcpu = {.vm = &vm, .ept = &ept};
static unsigned n_reinjected, n_handled, n_crashes, n_discarded, n_due;
struct vcpu_shared vcpu_shared = {.preemption_shift = 5, .clock_grain = UINT64_C(1) << 29};

/* The handlers of exits: each resumes. */
#define HANDLER(name) \
	enum exit_action name(struct vcpu *for_vcpu) \
	{ \
		n_handled++; \
		return EXIT_AGAIN; \
	}
HANDLER(exit_bus_lock)
HANDLER(exit_cr)
HANDLER(exit_dr)
HANDLER(exit_ept_misconfig)
HANDLER(exit_ept_violation)
HANDLER(exit_exception)
HANDLER(exit_external_interrupt)
HANDLER(exit_hlt)
HANDLER(exit_ignored)
HANDLER(exit_init)
HANDLER(exit_io)
HANDLER(exit_msr_read)
HANDLER(exit_msr_write)
HANDLER(exit_notify)
HANDLER(exit_pause)
HANDLER(exit_preemption_timer)
HANDLER(exit_rdpmc)
HANDLER(exit_task_switch)
HANDLER(exit_triple_fault)
HANDLER(exit_undefined)
HANDLER(exit_vmcall)
HANDLER(exit_window)
HANDLER(exit_xsetbv)

void vcpu_reinject_vectored(struct vcpu *for_vcpu)
{
	assert_int_equal(n_handled, 0); /* a handler may put its own event in its place */
	n_reinjected++;
}

void vcpu_time_is_up(struct vcpu *for_vcpu)
{
	n_due++;
}

void vcpu_flush(struct vcpu *for_vcpu, uint64_t generation)
{
}

bool vcpu_in_64bit_code(void)
{
	return true;
}

void vcpu_owe_single_step(void)
{
}

bool vm_crash(struct vm *crashed, const char *fmt, ...)
{
	n_crashes++;
	return true;
}

void vcpu_discard_vmcs(struct vcpu *failed)
{
	n_discarded++;
}

_Noreturn void panic_machine_check(void)
{
	__builtin_trap();
}

/* One exit, for 'reason', of an entry that injected an interrupt; 'interrupted' says the VMCS. */
static void leave_guest(uint32_t reason, bool interrupted)
{
	n_reinjected = n_handled = n_crashes = n_discarded = n_due = 0;
	test_vmcs[VMCS_IDT_VECTORING_INFO] =
		0x31 | INTR_TYPE_EXTERNAL | (interrupted ? INTR_VALID : 0);
	vmx_exited(&vcpu.regs, reason);
}

static void an_interrupted_event_is_delivered_again(void **state)
{
	static const enum exit_reason reasons[] = {
		EXIT_EXCEPTION_NMI,
		EXIT_EXTERNAL_INTERRUPT,
		EXIT_INIT,
		EXIT_INTERRUPT_WINDOW,
		EXIT_NMI_WINDOW,
		EXIT_TASK_SWITCH,
		EXIT_PREEMPTION_TIMER,
		EXIT_NOTIFY,
		EXIT_BUS_LOCK,
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		leave_guest(reasons[i], true);
		if (n_reinjected != 1 || n_handled != 1)
			fail_msg("exit %u: %u times", reasons[i], n_reinjected);
		leave_guest(reasons[i], false);
		if (n_reinjected != 0 || n_handled != 1)
			fail_msg("exit %u, at an instruction: %u times", reasons[i], n_reinjected);
	}
}

/* The field is that of an earlier exit. */
static void a_failed_entry_interrupts_nothing(void **state)
{
	leave_guest(EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED, true);
	assert_int_equal(n_reinjected, 0);
	assert_int_equal(n_handled, 0);
	assert_int_equal(n_crashes, 1);
	assert_int_equal(n_discarded, 1);
}

static void an_exit_without_handler_ends_the_vm(void **state)
{
	static const uint32_t reasons[] = {4, EXIT_REASON_COUNT, EXIT_BASIC_REASON};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		leave_guest(reasons[i], false);
		assert_int_equal(n_handled, 0);
		assert_int_equal(n_crashes, 1);
		assert_int_equal(n_discarded, 0);
	}
}

static void each_exit_looks_at_the_clock_in_time(void **state)
{
	static const enum exit_reason reasons[] = {EXIT_EXCEPTION_NMI, EXIT_IO, EXIT_HLT};
	const uint64_t far = UINT64_C(1) << 30;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		uint64_t now = rdtsc();

		test_vmcs[VMCS_PREEMPTION_TIMER] = 1;
		vcpu.until = now + far;
		vcpu.look_at = (uint32_t)(now + far);
		leave_guest(reasons[i], false);
		assert_int_equal(test_vmcs[VMCS_PREEMPTION_TIMER], 1);
		/* The timer gets what is left, and the next look comes a grain later. */
		vcpu.look_at = (uint32_t)(now - 1);
		leave_guest(reasons[i], false);
		assert_int_equal(n_due, 0);
		assert_in_range(test_vmcs[VMCS_PREEMPTION_TIMER], (far >> 5) / 2, (far >> 5) + 1);
		assert_true(vcpu.look_at - (uint32_t)now >= far / 2);
		vcpu.until = now;
		vcpu.look_at = (uint32_t)now;
		leave_guest(reasons[i], false);
		assert_int_equal(n_due, 1);
		assert_int_equal(n_handled, 1);
	}
}

/* The guest exits at once, and the clock is looked at again all the same. */
static void a_time_that_is_over_leaves_nothing(void **state)
{
	const uint64_t now = UINT64_C(0x700000000);

	for (uint64_t early = 0; early < 3; early++) {
		vcpu.until = now - early;
		vcpu_arm_timer(&vcpu, now);
		assert_int_equal(test_vmcs[VMCS_PREEMPTION_TIMER], 0);
		assert_int_equal(vcpu.look_at, (uint32_t)(now + vcpu_shared.clock_grain));
	}
	/* Less than a tick of the timer is left: it does not fire before the time. */
	vcpu.until = now + 1;
	vcpu_arm_timer(&vcpu, now);
	assert_int_equal(test_vmcs[VMCS_PREEMPTION_TIMER], 1);
}

/* The path that is short for CPUID counts, too. */
static void each_exit_is_counted_once(void **state)
{
	static const struct {
		uint32_t reason;
		enum exit_kind kind;
	} cases[] = {
		{EXIT_CPUID, EXITS_CPUID},
		{EXIT_CR_ACCESS, EXITS_CR},
		{EXIT_EPT_VIOLATION, EXITS_EPT_VIOLATION},
		{EXIT_HLT, EXITS_HLT},
		{EXIT_EXTERNAL_INTERRUPT, EXITS_INTERRUPT},
		{EXIT_IO, EXITS_IO},
		{EXIT_MSR_READ, EXITS_MSR_READ},
		{EXIT_MSR_WRITE, EXITS_MSR_WRITE},
		{EXIT_PREEMPTION_TIMER, EXITS_TIMER},
		{EXIT_EXCEPTION_NMI, EXITS_OTHER},
		{EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED, EXITS_OTHER},
		{EXIT_REASON_COUNT, EXITS_OTHER},
		{EXIT_HLT | EXIT_WITH_BUS_LOCK, EXITS_HLT},
	};
	static const struct cpuid_model model;
	static struct vm_config config;
	static struct lapic lapic;

	vm.config = &config;
	vcpu.lapic = &lapic;
	vcpu.cpuid = &model;
	for (unsigned late = 0; late < 3; late++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			uint64_t now = rdtsc();

			memset(vcpu.n_exits, 0, sizeof(vcpu.n_exits));
			vcpu.until = now + (late == 2 ? 0 : UINT64_C(1) << 30);
			vcpu.look_at = (uint32_t)(now + (late ? 0 : UINT64_C(1) << 30));
			leave_guest(cases[i].reason, false);
			assert_int_equal(vcpu.n_exits[cases[i].kind], 1);
			assert_int_equal(vcpu_n_exits(&vcpu), 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interrupted_event_is_delivered_again),
		cmocka_unit_test(a_failed_entry_interrupts_nothing),
		cmocka_unit_test(an_exit_without_handler_ends_the_vm),
		cmocka_unit_test(each_exit_looks_at_the_clock_in_time),
		cmocka_unit_test(a_time_that_is_over_leaves_nothing),
		cmocka_unit_test(each_exit_is_counted_once),
	};

	arch_prctl(ARCH_SET_GS, &cpu);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
