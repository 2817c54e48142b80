/* SPDX-License-Identifier: BSD-2-Clause */
/* What a debugger does to a VM, over real trees. The vCPUs are never loaded. */
#include "hv/vm/debug.h"

#include "hv/vcpu/load.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/guest_regions.h"

#include "tests/unit/ept_freeze.h"

#define N_VCPUS	   2
#define INT3	   0xcc
#define LINEAR	   UINT64_C(0xffffffff81000000)
#define OWN_DR7	   UINT64_C(0x401) /* the guest's: register 0, for itself */
#define OWN_BITMAP EXCEPTIONS_ALWAYS

static struct vcpu vcpus[N_VCPUS];
static struct vcpu template_vcpu;
static struct vm vm;
static struct vm_debug *debug;
static unsigned n_forgotten[N_VCPUS]; /* VMCSs of the vCPU */

struct vcpu_shared vcpu_shared;

static bool has_areas = true;

bool vm_take_areas(struct vm *of)
{
	return has_areas;
}

void vcpu_keep(struct vcpu *vcpu)
{
	if (vcpu->saved_in != vcpu)
		vcpu->saved = vcpu->saved_in->saved;
	vcpu->saved_in = vcpu;
}

void vcpu_forget_vmcs(struct vcpu *vcpu)
{
	n_forgotten[vcpu->number]++;
}

static unsigned n_merge_pauses;

/* Before it may be in a page: see hv/vm/merge_scan.h. */
void vm_merge_pause(struct vm *of)
{
	assert_true(vm_is_debugged(of));
	assert_int_equal(debug_of(of)->n_software, 0);
	n_merge_pauses++;
}

static uint64_t field(const struct vcpu *vcpu, enum vmcs_field name)
{
	return vmcs_guest_field(&vcpu->saved.vmcs, name);
}

static void set_field(struct vcpu *vcpu, enum vmcs_field name, uint64_t value)
{
	vmcs_set_guest_field(&vcpu->saved.vmcs, name, value);
}

static uint64_t own_dr(unsigned cpu, unsigned i)
{
	return 0x1000 * (cpu + 1) + i;
}

/* A vCPU that uses debug registers itself. */
static void make_vcpu(struct vcpu *vcpu, unsigned number)
{
	*vcpu = (struct vcpu){.vm = &vm, .number = (uint16_t)number, .saved_in = vcpu};
	vcpu->guest.proc_controls = PROC_HLT;
	for (unsigned i = 0; i < DEBUG_HARDWARE_MAX; i++)
		vcpu->saved.dr[i] = own_dr(number, i);
	set_field(vcpu, VMCS_GUEST_DR7, OWN_DR7);
	set_field(vcpu, VMCS_PROC_CONTROLS, PROC_HLT);
	set_field(vcpu, VMCS_EXCEPTION_BITMAP, OWN_BITMAP);
	set_field(vcpu, VMCS_GUEST_RIP, 0x100);
}

static int attach(void **state)
{
	setup(state);
	vm = (struct vm){.mem = &map, .memory = memory, .vcpu = vcpus, .n_vcpus = N_VCPUS};
	vcpu_shared.capability.control[CONTROLS_PROC] = (uint64_t)PROC_MOV_DR << 32;
	for (unsigned i = 0; i < N_VCPUS; i++) {
		make_vcpu(&vcpus[i], i);
		n_forgotten[i] = 0;
	}
	debug = debug_attach(&vm);
	assert_non_null(debug);
	assert_true(vm_is_debugged(&vm));
	return 0;
}

static void registers_are_the_guests(void)
{
	for (unsigned i = 0; i < N_VCPUS; i++) {
		assert_int_equal(vcpus[i].guest.proc_controls, PROC_HLT);
		assert_int_equal(field(&vcpus[i], VMCS_PROC_CONTROLS), PROC_HLT);
		assert_int_equal(field(&vcpus[i], VMCS_GUEST_DR7), OWN_DR7);
		for (unsigned k = 0; k < DEBUG_HARDWARE_MAX; k++)
			assert_int_equal(vcpus[i].saved.dr[k], own_dr(i, k));
	}
}

/* Detach, after which nothing that the debugger has set is there. */
static int detach(void **state)
{
	if (vm_is_debugged(&vm))
		debug_leave(&vm, VM_RUNNING);
	assert_false(vm_is_debugged(&vm));
	assert_int_equal(debug->n_software, 0);
	registers_are_the_guests();
	for (unsigned i = 0; i < N_VCPUS; i++) {
		assert_int_equal(field(&vcpus[i], VMCS_EXCEPTION_BITMAP), OWN_BITMAP);
		assert_int_equal(vcpus[i].debug_step, 0);
	}
	debug_free(debug);
	return teardown(state);
}

#define DEBUG_TEST(f) cmocka_unit_test_setup_teardown(f, attach, detach)

/* A byte as the guest's processor fetches it. */
static uint8_t fetch(uint64_t gpa)
{
	uint8_t byte;

	assert_int_equal(guest_read(&vm.memory, at(gpa), &byte, 1), OK);
	return byte;
}

/* The same byte as the debugger sees it. */
static uint8_t seen(uint64_t gpa)
{
	uint8_t byte;

	assert_int_equal(debug_read(&vm, at(gpa), &byte, 1), OK);
	return byte;
}

static void store(uint64_t gpa, uint8_t byte)
{
	assert_int_equal(guest_write(&vm.memory, at(gpa), &byte, 1), OK);
}

/* --- Breakpoints in memory --- */

static void test_a_breakpoint_is_in_memory_and_hidden_from_the_debugger(void **state)
{
	uint8_t bytes[4];

	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW + 2)), OK);
	assert_int_equal(fetch(COW + 2), INT3);
	assert_int_equal(debug_read(&vm, at(COW), bytes, sizeof(bytes)), OK);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], pattern(SMALL + i));
	/* Reads that end before it, and that begin after it. */
	assert_int_equal(seen(COW + 1), pattern(SMALL + 1));
	assert_int_equal(seen(COW + 3), pattern(SMALL + 3));
	assert_true(debug_has_software(&vm, at(COW + 2)));
	assert_false(debug_has_software(&vm, at(COW + 3)));
	debug_clear_software(&vm, LINEAR);
	assert_int_equal(fetch(COW + 2), pattern(SMALL + 2));
	assert_false(debug_has_software(&vm, at(COW + 2)));
}

static void test_a_sibling_does_not_meet_the_breakpoint(void **state)
{
	struct ept_layer *layer;
	struct ept sibling_ept;
	struct guest_memory sibling = {.ept = &sibling_ept, .map = &map};
	uint8_t byte = 0x90;

	store(RAM, byte);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&sibling_ept, layer, EPT_UNLIMITED);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	assert_int_equal(fetch(RAM), INT3);
	assert_int_equal(guest_read(&sibling, at(RAM), &byte, 1), OK);
	assert_int_equal(byte, 0x90);
	ept_destroy(&sibling_ept);
	ept_layer_put(layer);
}

static void test_a_breakpoint_is_set_once(void **state)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW)), OK);
	assert_int_equal(debug->n_software, 1);
	assert_int_equal(seen(COW), pattern(SMALL));
	debug_clear_software(&vm, LINEAR + 1); /* there is none */
	assert_int_equal(fetch(COW), INT3);
}

static void test_the_last_breakpoint_takes_the_place_of_a_cleared_one(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(debug_set_software(&vm, LINEAR + i, at(COW + i)), OK);
	debug_clear_software(&vm, LINEAR);
	assert_int_equal(fetch(COW), pattern(SMALL));
	assert_int_equal(fetch(COW + 1), INT3);
	assert_int_equal(fetch(COW + 2), INT3);
	debug_clear_software(&vm, LINEAR + 2);
	assert_int_equal(fetch(COW + 2), pattern(SMALL + 2));
	assert_int_equal(debug->n_software, 1);
}

static void test_two_addresses_of_a_byte_are_two_breakpoints(void **state)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW)), OK);
	assert_int_equal(debug_set_software(&vm, 0x1000, at(COW)), OK);
	debug_clear_software(&vm, LINEAR);
	assert_int_equal(fetch(COW), INT3);
	assert_int_equal(seen(COW), pattern(SMALL));
	debug_clear_software(&vm, 0x1000);
	assert_int_equal(fetch(COW), pattern(SMALL));
}

/* New memory is under both, whichever of them remains. */
static void test_two_breakpoints_of_a_byte_are_set_again(void **state)
{
	for (unsigned last = 0; last < 2; last++) {
		assert_int_equal(debug_set_software(&vm, 0, at(RAM)), OK);
		assert_int_equal(debug_set_software(&vm, 1, at(RAM)), OK);
		store(RAM, (uint8_t)(0x40 + last));
		debug_renew_memory(&vm);
		assert_int_equal(fetch(RAM), INT3);
		debug_clear_software(&vm, 1 - last);
		assert_int_equal(seen(RAM), 0x40 + last);
		debug_clear_software(&vm, last);
		assert_int_equal(fetch(RAM), 0x40 + last);
	}
}

/* A page that is equal to another one's would need a frame at the end. */
static void test_pages_are_not_merged_under_breakpoints(void **state)
{
	n_merge_pauses = 0;
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 1, at(RAM + 1)), OK);
	assert_int_equal(n_merge_pauses, 1);
}

/* The guest's tables have changed between two times that it was set. */
static void test_a_breakpoint_is_cleared_wherever_it_was_set(void **state)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 1, at(COW + 1)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	debug_clear_software(&vm, LINEAR);
	assert_int_equal(fetch(COW), pattern(SMALL));
	assert_int_equal(fetch(COW + 1), INT3);
	assert_int_equal(fetch(RAM), 0);
}

static void test_breakpoints_are_refused_where_others_would_meet_them(void **state)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(ROM)), ERR_UNSUPPORTED);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(SHM)), ERR_UNSUPPORTED);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(GIB(3))), ERR_RANGE);
	assert_int_equal(debug->n_software, 0);
	assert_int_equal(fetch(ROM), pattern(0));
	assert_int_equal(fetch(SHM), seen(SHM));
	assert_int_equal(dropped(), 0);
}

static void test_too_many_breakpoints_are_refused(void **state)
{
	for (unsigned i = 0; i < DEBUG_SOFTWARE_MAX; i++)
		assert_int_equal(debug_set_software(&vm, LINEAR + i, at(RAM + i)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 64, at(RAM + 64)), ERR_OVERLAP);
	assert_int_equal(fetch(RAM + 64), 0);
	/* Those that are there may be set again. */
	assert_int_equal(debug_set_software(&vm, LINEAR + 63, at(RAM + 63)), OK);
	debug_leave(&vm, VM_RUNNING);
	for (unsigned i = 0; i < DEBUG_SOFTWARE_MAX; i++)
		assert_int_equal(fetch(RAM + i), 0);
}

static void test_a_breakpoint_needs_a_frame(void **state)
{
	ept.max_owned = ept.n_owned;
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), ERR_NOMEM);
	assert_int_equal(debug->n_software, 0);
	assert_int_equal(fetch(RAM), 0);
}

/* --- The debugger's own writes --- */

static void test_a_write_goes_under_the_breakpoint(void **state)
{
	const uint8_t bytes[] = {1, 2, 3};

	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW + 1)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 8, at(COW + 8)), OK);
	assert_int_equal(debug_write(&vm, at(COW), bytes, sizeof(bytes)), OK);
	assert_int_equal(fetch(COW), 1);
	assert_int_equal(fetch(COW + 1), INT3);
	assert_int_equal(fetch(COW + 2), 3);
	assert_int_equal(seen(COW + 1), 2);
	assert_int_equal(seen(COW + 8), pattern(SMALL + 8));
	debug_leave(&vm, VM_RUNNING);
	assert_int_equal(fetch(COW + 1), 2);
}

static void test_writes_reach_shared_memory_but_not_rom(void **state)
{
	uint8_t byte = 0x5a;

	assert_int_equal(debug_write(&vm, at(SHM), &byte, 1), OK);
	assert_int_equal(fetch(SHM), 0x5a);
	assert_int_equal(debug_write(&vm, at(ROM), &byte, 1), ERR_UNSUPPORTED);
	assert_int_equal(dropped(), 0);
	assert_int_equal(debug_write(&vm, at(GIB(3)), &byte, 1), ERR_RANGE);
	assert_int_equal(debug_read(&vm, at(GIB(3)), &byte, 1), ERR_RANGE);
	ept.max_owned = ept.n_owned;
	assert_int_equal(debug_write(&vm, at(RAM), &byte, 1), ERR_NOMEM);
	assert_int_equal(fetch(RAM), 0);
}

/* --- Memory that comes new --- */

static void test_breakpoints_are_set_again_in_new_memory(void **state)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 1, at(RAM + 1)), OK);
	store(RAM, 0x42); /* as a kernel that is loaded again */
	debug_renew_memory(&vm);
	assert_int_equal(fetch(RAM), INT3);
	assert_int_equal(seen(RAM), 0x42);
	assert_int_equal(fetch(RAM + 1), INT3);
	assert_int_equal(seen(RAM + 1), 0);
	debug_leave(&vm, VM_RUNNING);
	assert_int_equal(fetch(RAM), 0x42);
	assert_int_equal(fetch(RAM + 1), 0);
}

/* gdb then sets it once more, and is told that it cannot be had. */
static void test_a_breakpoint_without_a_frame_is_forgotten(void **state)
{
	struct ept_layer *layer;

	store(RAM, 0x42);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	make_vcpu(&template_vcpu, 0);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 1, at(RAM)), OK);
	assert_int_equal(debug_set_software(&vm, LINEAR + 2, at(RAM + PAGE_SIZE)), OK);
	ept_reset(&ept);
	ept.max_owned = ept.n_owned;
	debug_renew(&vm);
	assert_int_equal(debug->n_software, 0);
	assert_int_equal(fetch(RAM), 0x42);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), ERR_NOMEM);
	ept_layer_put(layer);
}

/* --- Breakpoints in registers --- */

static const struct debug_hardware watch = {.address = 0x7000, .rw = DEBUG_RW_WRITE, .len = 3};

static void test_a_watchpoint_is_in_all_vcpus(void **state)
{
	assert_int_equal(debug_set_hardware(&vm, &watch), OK);
	for (unsigned i = 0; i < N_VCPUS; i++) {
		assert_int_equal(vcpus[i].saved.dr[0], 0x7000);
		assert_int_equal(vcpus[i].saved.dr[1], 0);
		/* G0, RW0 and LEN0 of DR7. */
		assert_int_equal(field(&vcpus[i], VMCS_GUEST_DR7), 0xd0402);
		assert_int_equal(field(&vcpus[i], VMCS_PROC_CONTROLS), PROC_HLT | PROC_MOV_DR);
		assert_int_equal(vcpus[i].guest.proc_controls, PROC_HLT | PROC_MOV_DR);
		assert_int_equal(debug->cpu[i].dr7, OWN_DR7);
		for (unsigned k = 0; k < DEBUG_HARDWARE_MAX; k++)
			assert_int_equal(debug->cpu[i].dr[k], own_dr(i, k));
		assert_true(n_forgotten[i] > 0);
	}
	debug_clear_hardware(&vm, &watch);
	registers_are_the_guests();
}

static void test_four_registers_and_no_more(void **state)
{
	struct debug_hardware breakpoint[DEBUG_HARDWARE_MAX + 1];

	for (unsigned i = 0; i <= DEBUG_HARDWARE_MAX; i++)
		breakpoint[i] = (struct debug_hardware){.address = 0x100 + i};
	for (unsigned i = 0; i < DEBUG_HARDWARE_MAX; i++)
		assert_int_equal(debug_set_hardware(&vm, &breakpoint[i]), OK);
	assert_int_equal(debug_set_hardware(&vm, &breakpoint[4]), ERR_OVERLAP);
	/* One that is there needs no place. */
	assert_int_equal(debug_set_hardware(&vm, &breakpoint[3]), OK);
	assert_int_equal(field(&vcpus[1], VMCS_GUEST_DR7), 0x4aa);
	debug_clear_hardware(&vm, &breakpoint[4]); /* there is none */
	debug_clear_hardware(&vm, &breakpoint[1]);
	assert_int_equal(field(&vcpus[1], VMCS_GUEST_DR7), 0x4a2);
	assert_int_equal(vcpus[1].saved.dr[1], 0);
	assert_int_equal(debug_set_hardware(&vm, &breakpoint[4]), OK);
	assert_int_equal(vcpus[1].saved.dr[1], 0x104);
	assert_int_equal(vcpus[1].saved.dr[3], 0x103);
	/* The guest's own are still those from before the first. */
	assert_int_equal(debug->cpu[1].dr7, OWN_DR7);
}

static void test_one_address_is_watched_in_two_ways(void **state)
{
	struct debug_hardware reads = watch;

	reads.rw = DEBUG_RW_ACCESS;
	assert_int_equal(debug_set_hardware(&vm, &watch), OK);
	assert_int_equal(debug_set_hardware(&vm, &reads), OK);
	assert_int_equal(DEBUG_DR7_RW(debug->dr7, 0), DEBUG_RW_WRITE);
	assert_int_equal(DEBUG_DR7_RW(debug->dr7, 1), DEBUG_RW_ACCESS);
	debug_clear_hardware(&vm, &watch);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_DR7), 0xf00408);
}

/* The same address, for gdb's two kinds of breakpoint. */
static void test_a_stand_in_has_a_register_of_its_own(void **state)
{
	struct debug_hardware execute = {.address = 0x100}, stand_in = execute;

	stand_in.stands_in = true;
	assert_int_equal(debug_set_hardware(&vm, &execute), OK);
	assert_int_equal(debug_set_hardware(&vm, &stand_in), OK);
	assert_int_equal(debug_set_hardware(&vm, &stand_in), OK);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_DR7), 0x40a);
	debug_clear_hardware(&vm, &execute);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_DR7), 0x408);
	debug_clear_hardware(&vm, &execute); /* there is none */
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_DR7), 0x408);
	/* The place may be another kind's then. */
	debug_clear_hardware(&vm, &stand_in);
	assert_int_equal(debug_set_hardware(&vm, &execute), OK);
	assert_int_equal(debug_set_hardware(&vm, &execute), OK);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_DR7), 0x402);
}

static void test_registers_that_cannot_be_hidden_are_refused(void **state)
{
	vcpu_shared.capability.control[CONTROLS_PROC] = PROC_MOV_DR; /* must not be 1 */
	assert_int_equal(debug_set_hardware(&vm, &watch), ERR_UNSUPPORTED);
	registers_are_the_guests();
}

/* What the guest has written meanwhile is kept for it: see hv/run/exit_dr.c. */
static void test_the_guest_gets_what_it_has_written(void **state)
{
	assert_int_equal(debug_set_hardware(&vm, &watch), OK);
	debug->cpu[1].dr[2] = 0x1234;
	debug->cpu[1].dr7 = 0x500;
	debug_clear_hardware(&vm, &watch);
	assert_int_equal(vcpus[1].saved.dr[2], 0x1234);
	assert_int_equal(field(&vcpus[1], VMCS_GUEST_DR7), 0x500);
	make_vcpu(&vcpus[1], 1);
}

/* --- Stops and steps --- */

static void test_a_stop_is_settled_once(void **state)
{
	debug_settle(&vm);
	for (unsigned i = 0; i < N_VCPUS; i++) {
		assert_int_equal(field(&vcpus[i], VMCS_EXCEPTION_BITMAP),
				 OWN_BITMAP | BIT(VECTOR_BP));
		assert_int_equal(n_forgotten[i], 1);
		debug->cpu[i].why = DEBUG_STEPPED;
	}
	debug_settle(&vm);
	assert_int_equal(n_forgotten[0], 1);
	debug_forget_stops(&vm);
	for (unsigned i = 0; i < N_VCPUS; i++)
		assert_int_equal(debug->cpu[i].why, DEBUG_NOTHING);
	debug_settle(&vm);
	assert_int_equal(n_forgotten[0], 2);
}

static uint64_t blocking(void)
{
	return field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY);
}

static void test_a_step_that_has_not_run_gives_the_shadow_back(void **state)
{
	set_field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI | BLOCKING_NMI);
	debug_begin_step(&vcpus[0]);
	assert_int_equal(vcpus[0].debug_step, DEBUG_INSTRUCTION);
	assert_int_equal(blocking(), BLOCKING_MOV_SS | BLOCKING_NMI);
	debug_settle(&vm);
	assert_int_equal(vcpus[0].debug_step, 0);
	assert_int_equal(blocking(), BLOCKING_STI | BLOCKING_NMI);
}

/* VM entry demands a pending single step in a shadow while RFLAGS.TF is set. */
static void test_a_step_of_a_guest_that_steps_itself(void **state)
{
	set_field(&vcpus[0], VMCS_GUEST_RFLAGS, RFLAGS_TF | 2);
	debug_begin_step(&vcpus[0]);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_PENDING_DEBUG), PENDING_BS);
	debug_settle(&vm);
	assert_int_equal(field(&vcpus[0], VMCS_GUEST_PENDING_DEBUG), 0);
	assert_int_equal(blocking(), 0);
}

static void test_a_step_that_has_run_leaves_the_shadow(void **state)
{
	/* The instruction was the guest's own MOV to SS. */
	debug_begin_step(&vcpus[0]);
	set_field(&vcpus[0], VMCS_GUEST_RIP, 0x102);
	debug_settle(&vm);
	assert_int_equal(blocking(), BLOCKING_MOV_SS);
	/* It was a branch to itself. */
	set_field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI);
	debug_forget_stops(&vm);
	debug_begin_step(&vcpus[0]);
	set_field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY, 0);
	debug_settle(&vm);
	assert_int_equal(blocking(), 0);
	assert_int_equal(vcpus[0].debug_step, 0);
}

static void test_a_step_into_an_event_needs_no_shadow(void **state)
{
	vcpus[0].guest.event = INTR_VALID | 0x20;
	debug_begin_step(&vcpus[0]);
	assert_int_equal(vcpus[0].debug_step, DEBUG_DELIVERY);
	assert_int_equal(blocking(), 0);
	/* The handler is at the same address, and the guest's shadow is its own. */
	set_field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_MOV_SS);
	debug_settle(&vm);
	assert_int_equal(vcpus[0].debug_step, 0);
	assert_int_equal(blocking(), BLOCKING_MOV_SS);
}

/* A clone that has not run has its state in its template. */
static void test_a_step_does_not_change_the_template(void **state)
{
	make_vcpu(&template_vcpu, 0);
	set_field(&template_vcpu, VMCS_GUEST_RIP, 0x300);
	vcpus[0].saved_in = &template_vcpu;
	debug_begin_step(&vcpus[0]);
	assert_ptr_equal(vcpus[0].saved_in, &vcpus[0]);
	assert_int_equal(debug->cpu[0].rip, 0x300);
	assert_int_equal(field(&template_vcpu, VMCS_GUEST_INTERRUPTIBILITY), 0);
}

/* --- Revert, freeze, kill, end --- */

static void test_a_revert_keeps_what_the_debugger_has_set(void **state)
{
	struct ept_layer *layer;

	store(RAM, 0x90);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	make_vcpu(&template_vcpu, 0);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	assert_int_equal(debug_set_hardware(&vm, &watch), OK);
	debug_begin_step(&vcpus[0]);
	ept_reset(&ept);
	vcpus[0].guest.proc_controls = template_vcpu.guest.proc_controls;
	vcpus[0].saved_in = &template_vcpu;
	assert_int_equal(fetch(RAM), 0x90);
	debug_renew(&vm);
	assert_int_equal(fetch(RAM), INT3);
	assert_int_equal(seen(RAM), 0x90);
	assert_int_equal(vcpus[0].saved.dr[0], 0x7000);
	assert_int_equal(vcpus[0].debug_step, 0);
	assert_int_equal(blocking(), 0);
	assert_int_equal(field(&vcpus[0], VMCS_EXCEPTION_BITMAP), OWN_BITMAP | BIT(VECTOR_BP));
	assert_int_equal(field(&template_vcpu, VMCS_GUEST_DR7), OWN_DR7);
	ept_layer_put(layer);
}

/* The template has an INT3 of the guest's where the clone has had another byte. */
static void test_a_revert_brings_an_int3_of_the_guest(void **state)
{
	struct ept_layer *layer;

	store(RAM, INT3);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	store(RAM, 0x90);
	assert_int_equal(debug_set_software(&vm, LINEAR, at(RAM)), OK);
	ept_reset(&ept);
	debug_renew(&vm);
	assert_int_equal(seen(RAM), INT3);
	debug_leave(&vm, VM_RUNNING);
	assert_int_equal(fetch(RAM), INT3);
	ept_layer_put(layer);
}

/* hv/vm/life.c leaves before a freeze and at the end. */
static void leave_takes_all_back(enum vm_outcome outcome)
{
	assert_int_equal(debug_set_software(&vm, LINEAR, at(COW)), OK);
	assert_int_equal(debug_set_hardware(&vm, &watch), OK);
	debug_settle(&vm);
	set_field(&vcpus[0], VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI);
	debug_begin_step(&vcpus[0]);
	debug_leave(&vm, outcome);
	assert_int_equal(debug->outcome, outcome);
	assert_int_equal(fetch(COW), pattern(SMALL));
	assert_int_equal(blocking(), BLOCKING_STI);
	registers_are_the_guests();
}

static void test_a_template_has_no_breakpoints(void **state)
{
	struct ept_layer *layer;
	uint8_t byte;

	leave_takes_all_back(VM_FROZEN);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	assert_int_equal(guest_read(&vm.memory, at(COW), &byte, 1), OK);
	assert_int_equal(byte, pattern(SMALL));
	ept_layer_put(layer);
}

static void test_a_vm_ends_while_it_is_debugged(void **state)
{
	leave_takes_all_back(VM_ENDED_WELL);
}

static void test_a_vm_that_is_killed_fails(void **state)
{
	leave_takes_all_back(VM_FAILED);
}

/* --- Several VMs --- */

static void test_so_many_vms_are_debugged_at_once(void **state)
{
	static struct vm others[DEBUG_VMS_MAX];
	struct vm_debug *of[DEBUG_VMS_MAX];

	for (unsigned i = 1; i < DEBUG_VMS_MAX; i++) {
		others[i] = (struct vm){.mem = &map, .memory = memory};
		of[i] = debug_attach(&others[i]);
		assert_non_null(of[i]);
		assert_ptr_equal(debug_of(&others[i]), of[i]);
	}
	assert_null(debug_attach(&others[0]));
	assert_false(vm_is_debugged(&others[0]));
	assert_ptr_equal(debug_of(&vm), debug);
	/* A place that becomes free is used again. */
	debug_leave(&others[3], VM_RUNNING);
	debug_free(of[3]);
	of[3] = debug_attach(&others[0]);
	assert_ptr_equal(debug_of(&others[0]), of[3]);
	debug_leave(&others[0], VM_RUNNING);
	for (unsigned i = 1; i < DEBUG_VMS_MAX; i++) {
		if (i != 3)
			debug_leave(&others[i], VM_ENDED_WELL);
		debug_free(of[i]);
	}
}

static void test_a_debugger_needs_frames(void **state)
{
	static struct vm other;
	phys_t frame, taken = 0;

	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = taken;
		taken = frame;
	}
	assert_null(debug_attach(&other));
	assert_false(vm_is_debugged(&other));
	while ((frame = taken) != 0) {
		taken = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
	has_areas = false; /* for the registers of a clone that has not run */
	assert_null(debug_attach(&other));
	assert_false(vm_is_debugged(&other));
	has_areas = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEBUG_TEST(test_a_breakpoint_is_in_memory_and_hidden_from_the_debugger),
		DEBUG_TEST(test_a_sibling_does_not_meet_the_breakpoint),
		DEBUG_TEST(test_a_breakpoint_is_set_once),
		DEBUG_TEST(test_the_last_breakpoint_takes_the_place_of_a_cleared_one),
		DEBUG_TEST(test_two_addresses_of_a_byte_are_two_breakpoints),
		DEBUG_TEST(test_two_breakpoints_of_a_byte_are_set_again),
		DEBUG_TEST(test_pages_are_not_merged_under_breakpoints),
		DEBUG_TEST(test_a_breakpoint_is_cleared_wherever_it_was_set),
		DEBUG_TEST(test_breakpoints_are_refused_where_others_would_meet_them),
		DEBUG_TEST(test_too_many_breakpoints_are_refused),
		DEBUG_TEST(test_a_breakpoint_needs_a_frame),
		DEBUG_TEST(test_a_write_goes_under_the_breakpoint),
		DEBUG_TEST(test_writes_reach_shared_memory_but_not_rom),
		DEBUG_TEST(test_breakpoints_are_set_again_in_new_memory),
		DEBUG_TEST(test_a_breakpoint_without_a_frame_is_forgotten),
		DEBUG_TEST(test_a_watchpoint_is_in_all_vcpus),
		DEBUG_TEST(test_four_registers_and_no_more),
		DEBUG_TEST(test_one_address_is_watched_in_two_ways),
		DEBUG_TEST(test_a_stand_in_has_a_register_of_its_own),
		DEBUG_TEST(test_registers_that_cannot_be_hidden_are_refused),
		DEBUG_TEST(test_the_guest_gets_what_it_has_written),
		DEBUG_TEST(test_a_stop_is_settled_once),
		DEBUG_TEST(test_a_step_that_has_not_run_gives_the_shadow_back),
		DEBUG_TEST(test_a_step_of_a_guest_that_steps_itself),
		DEBUG_TEST(test_a_step_that_has_run_leaves_the_shadow),
		DEBUG_TEST(test_a_step_into_an_event_needs_no_shadow),
		DEBUG_TEST(test_a_step_does_not_change_the_template),
		DEBUG_TEST(test_a_revert_keeps_what_the_debugger_has_set),
		DEBUG_TEST(test_a_revert_brings_an_int3_of_the_guest),
		DEBUG_TEST(test_a_template_has_no_breakpoints),
		DEBUG_TEST(test_a_vm_ends_while_it_is_debugged),
		DEBUG_TEST(test_a_vm_that_is_killed_fails),
		DEBUG_TEST(test_so_many_vms_are_debugged_at_once),
		DEBUG_TEST(test_a_debugger_needs_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
