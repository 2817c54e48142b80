/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order a vCPU does what it may have to do before it enters its guest. This test plays
 * what it calls, and the array of tests/unit/run/vmcs/ is the VMCS.
 */
#include "hv/run/event.c"
#include "hv/vcpu/virtual_apic.c"

#include "hv/devices/irqchip.h"
#include "hv/run/kvm_para.h"
#include "tests/unit/all_vcpus.h"
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
static bool has_frame;
static unsigned n_told;
static unsigned n_identities; /* that the guest was told */
static unsigned n_stops;      /* because no frame is free */

bool kvm_para_catch_up(struct vcpu *of)
{
	assert_false(vm.actions);
	n_told++;
	return has_frame;
}

enum status vm_identity_tell(struct vm *of)
{
	assert_false(vm.actions);
	if (!has_frame)
		return ERR_NOMEM;
	n_identities++;
	return OK;
}

void stop_for_memory(struct vcpu *of, gpa_t gpa)
{
	assert_int_equal(gpa.raw, VMGENID_GPA);
	n_stops++;
}

static unsigned n_flags; /* that were set, and not taken back */

void pv_eoi_set(struct vcpu *of)
{
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO] & INTR_VALID, INTR_VALID);
	lapic.is_lent = true;
	n_flags++;
}

void pv_eoi_take_back(struct vcpu *of)
{
	assert_true(lapic.is_lent);
	lapic.is_lent = false;
	n_flags--;
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
	cpu.slice.end = cpu.slice.wakes_from = cpu.queue.next_deadline = UINT64_MAX;
	vcpu = (struct vcpu){.vm = &vm, .lapic = &lapic, .number = 1};
	vcpu.guest.kvm.steal_time = 0x1000 | KVM_MSR_ENABLED;
	vcpu.regs.requests = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER;
	vm.actions = 0;
	has_frame = true;
	n_told = n_identities = n_stops = 0;
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

static void a_guest_learns_who_it_is_before_it_is_entered(void **state)
{
	enum vcpu_leave leave;

	vcpu.regs.requests = VCPU_REQUEST_IDENTITY;
	assert_true(enters(&leave));
	assert_int_equal(n_identities, 1);
	assert_false(vcpu.regs.requests & VCPU_REQUEST_IDENTITY);
	assert_true(enters(&leave));
	assert_int_equal(n_identities, 1);
}

static void without_a_frame_for_its_identity_a_guest_is_not_entered(void **state)
{
	enum vcpu_leave leave;

	has_frame = false;
	vcpu.regs.requests = VCPU_REQUEST_IDENTITY | VCPU_REQUEST_TIMER;
	assert_false(enters(&leave));
	assert_int_equal(leave, VCPU_PREEMPTED);
	assert_int_equal(n_stops, 1);
	assert_int_equal(vcpu.regs.requests, VCPU_REQUEST_IDENTITY | VCPU_REQUEST_TIMER);
	has_frame = true;
	assert_true(enters(&leave));
	assert_int_equal(n_identities, 1);
}

/* Whether it was served with the lock of the devices, which a VM with several vCPUs takes. */
static bool is_looked_at(void)
{
	enum vcpu_leave leave;
	uint32_t before = vm.devices_lock.next;

	vm.n_vcpus = 2;
	test_vmcs[VMCS_PREEMPTION_TIMER] = 0;
	assert_true(enters(&leave));
	vm.n_vcpus = 1;
	assert_true(vcpu.until != 0 && test_vmcs[VMCS_PREEMPTION_TIMER] != 0);
	return vm.devices_lock.next != before;
}

static void a_vcpu_with_nothing_to_do_has_its_timer_set_only(void **state)
{
	vcpu.guest.kvm.steal_time = 0;
	assert_false(is_looked_at());
	assert_int_equal(vcpu.regs.requests, 0);
	vcpu.guest.kvm.eoi = KVM_MSR_ENABLED;
	vcpu_shared.msr_bitmap_eoi = 0x1000;
	assert_true(is_looked_at());
	vcpu.guest.kvm.eoi = 0;
	vcpu_shared.msr_bitmap_eoi = 0;
	vcpu.regs.requests = VCPU_REQUEST_RESUMED;
	assert_true(is_looked_at());
	lapic.deadline = UINT64_MAX - 1;
	assert_true(is_looked_at());
	lapic.deadline = LAPIC_NO_DEADLINE;
	lapic.sipi_pending = true;
	assert_true(is_looked_at());
	lapic.pending = 0x30;
	assert_true(is_looked_at());
	assert_int_equal(vcpu.guest.proc_controls, PROC_INTERRUPT_WINDOW);
	lapic.pending = -1;
	assert_true(is_looked_at());
	assert_int_equal(vcpu.guest.proc_controls, 0);
	vcpu.guest.event = INTR_VALID | 0x30;
	assert_true(is_looked_at());
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], INTR_VALID | 0x30);
	assert_false(is_looked_at());
}

/* Revert the vCPU, whose template's has 'copied' pending. Returns what is requested of it. */
static uint32_t begins_again(uint32_t copied)
{
	struct vcpu template = {.regs.requests = copied};

	vcpu.saved_in = &template;
	vcpu.regs.requests = 0;
	vcpu_begin_again(&vcpu);
	return vcpu.regs.requests;
}

static const uint32_t LEAST = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER;

static void a_reverted_vcpu_with_nothing_to_do_is_not_served(void **state)
{
	vcpu.guest.kvm.steal_time = 0;
	assert_int_equal(begins_again(VCPU_REQUEST_HALT), LEAST | VCPU_REQUEST_HALT);
	assert_int_equal(begins_again(VCPU_REQUEST_VIRTIO), LEAST | VCPU_REQUEST_VIRTIO);
	lapic.deadline = UINT64_MAX - 1;
	assert_int_equal(begins_again(0), LEAST);
	assert_false(vcpu.begins_calm);
	lapic.deadline = LAPIC_NO_DEADLINE;
	assert_int_equal(begins_again(0), 0);
	assert_true(vcpu.begins_calm);
	assert_int_equal(begins_again(0), 0);
}

/* Another guest was here whose EOI did not exit. */
static void a_reverted_vcpu_is_served_on_a_processor_that_is_not_ready_for_it(void **state)
{
	vcpu.guest.kvm.steal_time = 0;
	assert_int_equal(begins_again(0), 0);
	cpu.msr_bitmap = 0x2000;
	assert_int_equal(begins_again(0), LEAST);
	cpu.msr_bitmap = vcpu_shared.msr_bitmap;
	assert_int_equal(begins_again(0), 0);
}

/* vcpu_copy_loaded() notes it when the template is older than two seconds. */
static void a_clock_that_becomes_old_is_renewed_after_a_revert(void **state)
{
	vcpu.guest.kvm.steal_time = 0;
	vcpu.guest.kvm.system_time = 0x2000 | KVM_MSR_ENABLED;
	assert_int_equal(begins_again(0), 0);
	kvm_msrs_renew_clock(&vcpu.guest.kvm);
	assert_int_equal(begins_again(0), LEAST);
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

static uint8_t virtual_apic[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* A processor with virtual EOI, and an x2APIC at which 0x51 has arrived. */
static int set_up_virtual_eoi(void **state)
{
	set_up(state);
	memset(virtual_apic, 0, sizeof(virtual_apic));
	vcpu_shared.msr_bitmap = 0x1000;
	vcpu_shared.msr_bitmap_eoi = 0x2000;
	vcpu_shared.msr_bitmap_tpr = 0x3000;
	vcpu.guest.proc_controls = PROC_CR8_LOAD | PROC_CR8_STORE;
	test_vmcs[VMCS_PROC_CONTROLS] = vcpu.guest.proc_controls;
	cpu.virtual_apic = virt_to_phys(virtual_apic);
	test_vmcs[VMCS_MSR_BITMAP] = 0x1000;
	test_vmcs[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
	vcpu.guest.kvm.steal_time = 0;
	lapic.base = APIC_BASE_ADDR | APIC_BASE_EN | APIC_BASE_EXTD;
	lapic.svr = 0x1ff;
	assert_true(lapic_deliver(&lapic, DELIVER_FIXED, 0x51, false));
	lapic.kicked = false;
	return 0;
}

static int no_virtual_eoi(void **state)
{
	vcpu_shared.msr_bitmap_eoi = 0;
	cpu.has_in_service = false;
	cpu.msr_bitmap = vcpu_shared.msr_bitmap;
	return 0;
}

static bool enters_again(void)
{
	enum vcpu_leave leave;

	vcpu.regs.requests |= VCPU_REQUEST_EVENT;
	return enters(&leave);
}

static void in_service_is_lent_for_the_entry_only(void **state)
{
	enum vcpu_leave leave;

	assert_true(enters(&leave));
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], 0x51 | INTR_VALID);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0x5100);
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x2000);
	assert_true(lapic.is_lent);
	vcpu.regs.requests |= VCPU_REQUEST_LEAVE;
	assert_false(enters(&leave));
	assert_int_equal(leave, VCPU_PREEMPTED);
	assert_false(lapic.is_lent);
	assert_int_equal(lapic_ppr(&lapic), 0x50);
}

static void an_eoi_of_the_guest_lets_the_next_interrupt_in(void **state)
{
	assert_true(enters_again());
	virtual_apic[VIRTUAL_APIC_ISR + 0x20 + 2] = 0; /* vector 0x51 */
	assert_true(lapic_deliver(&lapic, DELIVER_FIXED, 0x41, false));
	lapic.kicked = false;
	assert_true(enters_again());
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], 0x41 | INTR_VALID);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0x4100);
}

static void what_waits_for_an_eoi_makes_it_exit(void **state)
{
	assert_true(enters_again());
	assert_true(lapic_deliver(&lapic, DELIVER_FIXED, 0x41, false));
	lapic.kicked = false;
	assert_true(enters_again());
	assert_false(lapic.is_lent);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0);
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x1000);
}

/* The delivery of an interrupt has been interrupted by an exception: it waits again. */
static void an_interrupt_that_is_lent_can_be_taken_back(void **state)
{
	assert_true(enters_again());
	test_vmcs[VMCS_IDT_VECTORING_INFO] = 0x51 | INTR_VALID;
	vm.platform.irqchip.has_legacy = false;
	vcpu_take_back_vectored(&vcpu);
	assert_false(lapic.is_lent);
	assert_int_equal(lapic_pending_vector(&lapic), 0x51);
	assert_int_equal(lapic_ppr(&lapic), 0);
}

static void an_action_on_the_vm_finds_nothing_lent(void **state)
{
	enum vcpu_leave leave;

	assert_true(enters_again());
	vm.actions = VM_FREEZE;
	vcpu.regs.requests |= VCPU_REQUEST_GATHER;
	assert_false(enters(&leave));
	assert_int_equal(leave, VCPU_GATHERED);
	assert_false(lapic.is_lent);
	vm.actions = 0;
}

/* The VMCS of the vCPU that left has an interrupt in service. */
static void another_vcpu_s_vmcs_has_nothing_in_service(void **state)
{
	enum vcpu_leave leave;

	assert_true(enters_again());
	vcpu.regs.requests |= VCPU_REQUEST_LEAVE;
	assert_false(enters(&leave));
	lapic_init(&lapic);
	assert_true(enters_again());
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0);
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x2000);
	lapic.base = APIC_BASE_ADDR | APIC_BASE_EN;
	assert_true(enters_again());
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x1000);
}

static bool cr8_exits(void)
{
	uint64_t both = PROC_CR8_LOAD | PROC_CR8_STORE, bits = test_vmcs[VMCS_PROC_CONTROLS] & both;

	assert_true(bits == 0 || bits == both);
	assert_int_equal(test_vmcs[VMCS_PROC_CONTROLS], vcpu.guest.proc_controls);
	return bits != 0;
}

static void tpr_and_cr8_exit_until_a_guest_uses_them(void **state)
{
	assert_true(enters_again());
	assert_true(cr8_exits());
	lapic_set_tpr(&lapic, 0);
	assert_true(enters_again());
	assert_true(cr8_exits());
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x2000);
	vcpu_take_back_in_service(&vcpu);
	lapic_set_tpr(&lapic, 0x20);
	assert_true(enters_again());
	assert_false(cr8_exits());
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x3000);
	assert_int_equal(virtual_apic[VIRTUAL_APIC_TPR], 0x20);
}

static void with_an_interrupt_behind_it_tpr_exits_again(void **state)
{
	lapic_set_tpr(&lapic, 0x20);
	assert_true(enters_again());
	virtual_apic[VIRTUAL_APIC_TPR] = 0x40;
	assert_true(lapic_deliver(&lapic, DELIVER_FIXED, 0x31, false));
	lapic.kicked = false;
	assert_true(enters_again());
	assert_int_equal(lapic.tpr, 0x40);
	assert_true(cr8_exits());
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x1000);
}

static void an_xapic_s_tpr_and_cr8_exit(void **state)
{
	lapic_set_tpr(&lapic, 0x20);
	assert_true(enters_again());
	assert_false(cr8_exits());
	lapic.base = APIC_BASE_ADDR | APIC_BASE_EN;
	cpu.msr_bitmap = 0x1000; /* another vCPU has been here */
	test_vmcs[VMCS_MSR_BITMAP] = 0x1000;
	assert_true(enters_again());
	assert_true(cr8_exits());
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x1000);
}

static void without_the_controls_every_eoi_exits(void **state)
{
	no_virtual_eoi(NULL);
	assert_true(enters_again());
	assert_int_equal(test_vmcs[VMCS_ENTRY_INTR_INFO], 0x51 | INTR_VALID);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0);
	assert_int_equal(test_vmcs[VMCS_MSR_BITMAP], 0x1000);
	assert_false(lapic.is_lent);
}

static void without_the_controls_a_guest_may_have_a_flag(void **state)
{
	enum vcpu_leave leave;

	no_virtual_eoi(NULL);
	vcpu.guest.kvm.eoi = 0x2000 | KVM_MSR_ENABLED;
	assert_true(enters_again());
	assert_int_equal(n_flags, 1);
	vcpu.regs.requests |= VCPU_REQUEST_LEAVE;
	assert_false(enters(&leave));
	assert_int_equal(n_flags, 0);
}

static void with_the_controls_no_flag_is_needed(void **state)
{
	vcpu.guest.kvm.eoi = 0x2000 | KVM_MSR_ENABLED;
	assert_true(enters_again());
	assert_int_equal(n_flags, 0);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPT_STATUS], 0x5100);
}

#define VIRTUAL_EOI(test) cmocka_unit_test_setup_teardown(test, set_up_virtual_eoi, no_virtual_eoi)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(time_is_told_before_the_guest_is_entered, set_up),
		cmocka_unit_test_setup(a_guest_that_goes_on_learns_that_it_had_stopped, set_up),
		cmocka_unit_test_setup(who_gathers_changes_no_memory, set_up),
		cmocka_unit_test_setup(without_a_frame_the_guest_is_not_entered, set_up),
		cmocka_unit_test_setup(a_guest_learns_who_it_is_before_it_is_entered, set_up),
		cmocka_unit_test_setup(without_a_frame_for_its_identity_a_guest_is_not_entered,
				       set_up),
		cmocka_unit_test_setup(a_vcpu_with_nothing_to_do_has_its_timer_set_only, set_up),
		cmocka_unit_test_setup(a_reverted_vcpu_with_nothing_to_do_is_not_served, set_up),
		cmocka_unit_test_setup(
			a_reverted_vcpu_is_served_on_a_processor_that_is_not_ready_for_it, set_up),
		cmocka_unit_test_setup(a_clock_that_becomes_old_is_renewed_after_a_revert, set_up),
		VIRTUAL_EOI(in_service_is_lent_for_the_entry_only),
		VIRTUAL_EOI(an_eoi_of_the_guest_lets_the_next_interrupt_in),
		VIRTUAL_EOI(what_waits_for_an_eoi_makes_it_exit),
		VIRTUAL_EOI(an_interrupt_that_is_lent_can_be_taken_back),
		VIRTUAL_EOI(an_action_on_the_vm_finds_nothing_lent),
		VIRTUAL_EOI(another_vcpu_s_vmcs_has_nothing_in_service),
		VIRTUAL_EOI(tpr_and_cr8_exit_until_a_guest_uses_them),
		VIRTUAL_EOI(with_an_interrupt_behind_it_tpr_exits_again),
		VIRTUAL_EOI(an_xapic_s_tpr_and_cr8_exit),
		VIRTUAL_EOI(without_the_controls_every_eoi_exits),
		VIRTUAL_EOI(without_the_controls_a_guest_may_have_a_flag),
		VIRTUAL_EOI(with_the_controls_no_flag_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
