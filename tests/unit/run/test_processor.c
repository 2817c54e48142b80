/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loop of a processor charges. Scheduler and TSC are real; all that the loop calls besides
 * is played by this test. A look around takes PASS ticks.
 */
#include <asm/prctl.h>

#include "hv/lib/string.h"
#include "hv/processor.c"
#include "hv/vcpu/share.h"
#include "tests/unit/support.h"

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

#define PASS 100000

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;
uint64_t tsc_hz = 1000000000;
struct vcpu_shared vcpu_shared;

static struct cpu cpu;
static struct vm vm;
static struct vcpu vcpu[2];
static unsigned n_loads, n_polls, n_qmp_polls, n_gdb_polls, n_preempted;

static unsigned n_stops, n_gathered, n_retries;
static bool is_scarce;
static bool has_frames;
static uint8_t area[PAGE_SIZE];

bool vm_take_area(struct vcpu *of)
{
	of->xsave_area = has_frames ? area : NULL;
	return has_frames;
}

void stop_for_registers(struct vcpu *of)
{
	n_stops++;
}

static void work(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < ticks)
		;
}

void rendezvous_pass(void)
{
	work(PASS);
}

enum vcpu_leave vcpu_run(struct vcpu *of)
{
	work(PASS);
	return VCPU_PREEMPTED;
}

void vcpu_load(struct vcpu *of, struct cpu *on)
{
	n_loads++;
}

void vcpu_put(struct vcpu *of)
{
}

void kvm_para_preempted(struct vcpu *of)
{
	n_preempted++;
}

void vcpu_drop(struct vcpu *of)
{
}

uint64_t vcpu_next_deadline(const struct vcpu *of)
{
	return UINT64_MAX;
}

void vm_gathered(struct vm *of)
{
	n_gathered++;
}

void vm_flush_output(struct vm *of)
{
}

void vm_kick_receivers(struct vm *of)
{
}

bool vm_output_work(void)
{
	return false;
}

bool vm_merge_work(void)
{
	return false;
}

void vm_merge_hurry(void)
{
}

uint64_t vm_merge_deadline(const struct cpu *of)
{
	return UINT64_MAX;
}

void vm_merge_woke(const struct cpu *of)
{
}

bool template_bury(unsigned n)
{
	return false;
}

bool checksum_work(void)
{
	return false;
}

bool checksum_has_work(void)
{
	return false;
}

bool template_has_graves(void)
{
	return false;
}

bool template_lines_wait;

void template_retry_waiting(void)
{
	n_retries++;
}

bool frame_is_scarce(void)
{
	return is_scarce;
}

bool monitor_is_on(void)
{
	return false;
}

bool status_is_waiting(void)
{
	return false;
}

bool monitor_is_waiting(void)
{
	return false;
}

bool monitor_holds_machine(void)
{
	return false;
}

void monitor_quit(void)
{
}

bool gdb_is_on(void)
{
	return false;
}

void gdb_poll(void)
{
	n_gdb_polls++;
}

bool qmp_is_on(void)
{
	return false;
}

bool qmp_holds_machine(void)
{
	return false;
}

void qmp_poll(void)
{
	n_qmp_polls++;
}

void keys_poll(void)
{
	n_polls++;
	work(PASS);
}

void nmi_report(void)
{
}

bool power_button_is_pressed(void)
{
	return false;
}

void machine_check_poll(void)
{
}

void watchdog_pass(struct cpu *on)
{
}

void paging_sync(void)
{
}

void host_apic_timer_set(uint64_t deadline)
{
}

void host_apic_send_wake(uint32_t apic_id)
{
}

void cpu_wait(void)
{
}

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	vm.vcpu = vcpu;
	vm.n_vcpus = ARRAY_SIZE(vcpu);
	vm.share.weight = 100;
	for (unsigned i = 0; i < ARRAY_SIZE(vcpu); i++) {
		vcpu[i].vm = &vm;
		vcpu[i].xsave_area = area;
	}
	n_loads = n_preempted = n_stops = n_gathered = 0;
	cpu.self = cpus[0] = &cpu;
	n_cpus = 1;
	assert_int_equal(arch_prctl(ARCH_SET_GS, &cpu), 0);
	sched_begin(&cpu);
	sched_make_ready(vcpu, 1);
	return 0;
}

/* Leave the scheduler empty. */
static int teardown(void **state)
{
	for (struct vcpu *next; (next = sched_pop()) != NULL;)
		sched_gather(next, 0);
	return vm.share.n_active != 0;
}

/* The turn ends because the other vCPU wants the processor. */
static void a_turn_is_charged(void **state)
{
	sched_make_ready(vcpu + 1, 1);
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_loads, 1);
	assert_int_equal(n_preempted, 1);
	assert_in_range(vm.share.used, PASS, UINT64_MAX);
	assert_true(sched_is_parked(&vcpu[0]));
}

static void a_pass_for_a_vcpu_that_must_wait_is_charged(void **state)
{
	vm.only_vcpu = &vcpu[1];
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_loads, 0);
	assert_in_range(vm.share.used, PASS, UINT64_MAX);
	assert_true(sched_is_parked(&vcpu[0]));
}

/* vcpu_put() cannot fail: what it needs is there before the vCPU is loaded. */
static void a_vcpu_without_memory_for_its_registers_is_not_loaded(void **state)
{
	vcpu[0].xsave_area = NULL;
	has_frames = false;
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_loads, 0);
	assert_int_equal(n_stops, 1);
	assert_true(sched_is_parked(&vcpu[0]));
	/* It is tried again. */
	has_frames = true;
	sched_make_ready(vcpu + 1, 1); /* which ends the turn */
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_loads, 1);
	assert_int_equal(n_stops, 1);
}

/* To end its VM takes no memory. A request that is left from before asks for nothing. */
static void a_vcpu_without_memory_for_its_registers_can_gather(void **state)
{
	vcpu[0].xsave_area = NULL;
	has_frames = false;
	vcpu_request(&vcpu[0], VCPU_REQUEST_GATHER);
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_stops, 1);
	assert_int_equal(n_gathered, 0);
	vm.actions = VM_END;
	run_vcpu(&cpu, sched_pop());
	assert_int_equal(n_stops, 1);
	assert_int_equal(n_gathered, 1);
	assert_int_equal(n_loads, 0);
	assert_false(vcpu[0].regs.requests & VCPU_REQUEST_GATHER);
	assert_false(sched_is_parked(&vcpu[0]));
}

/* A VM whose turns are short does not take time from others by reads of ports. */
static void the_console_is_polled_a_millisecond_apart(void **state)
{
	uint64_t start = rdtsc(), ms;

	n_polls = n_qmp_polls = n_gdb_polls = 0;
	while (n_polls < 5) /* however long another program has the processor */
		look_around(&cpu);
	ms = (rdtsc() - start) / (tsc_hz / 1000);
	assert_in_range(n_polls, 5, ms + 1);
	assert_int_equal(n_qmp_polls, n_polls);
	assert_int_equal(n_gdb_polls, n_polls);
}

/* Merging has freed memory, or a balloon has: no VM need end for the clones that wait. */
static void clones_that_wait_for_memory_are_tried_each_second(void **state)
{
	n_retries = 0;
	template_lines_wait = true;
	is_scarce = true;
	do_chores(&cpu);
	assert_int_equal(n_retries, 0);
	is_scarce = false;
	do_chores(&cpu);
	assert_int_equal(n_retries, 1);
	assert_in_range(cpu.chores_due, rdtsc() + tsc_hz / 2, rdtsc() + tsc_hz);
	cpu.index = 1; /* one processor is enough */
	do_chores(&cpu);
	cpu.index = 0;
	template_lines_wait = false;
	do_chores(&cpu);
	assert_int_equal(n_retries, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pass_for_a_vcpu_that_must_wait_is_charged),
		TEST(a_turn_is_charged),
		TEST(a_vcpu_without_memory_for_its_registers_can_gather),
		TEST(a_vcpu_without_memory_for_its_registers_is_not_loaded),
		TEST(the_console_is_polled_a_millisecond_apart),
		TEST(clones_that_wait_for_memory_are_tried_each_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
