/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of each processor: the only file that knows vCPUs, console, merging and idling. The boot
 * processor also polls the console, often while output or a typed command waits.
 */
#include "hv/processor.h"

#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/machine_check.h"
#include "hv/host/nmi.h"
#include "hv/host/paging.h"
#include "hv/host/power_button.h"
#include "hv/host/rendezvous.h"
#include "hv/host/tsc.h"
#include "hv/host/watchdog.h"
#include "hv/lib/print.h"
#include "hv/monitor/keys.h"
#include "hv/monitor/monitor.h"
#include "hv/run/run.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/life.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/serial.h"
#include "hv/vm/vm.h"

#define SLICE_MS	5
#define PROMPT_SLICE_MS 1  /* of the boot processor while the monitor has the console */
#define WAKES_PER_MS	5  /* how often others' deadlines may end slices */
#define CONSOLE_POLL_MS 10 /* for typed input */
#define CONSOLE_SEND_MS 1  /* time to send a FIFO of output */
#define PROMPT_MS	20

static bool others_are_halted(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	for (unsigned i = 0; i < vm->n_vcpus; i++)
		if (i != vcpu->number && !__atomic_load_n(&vm->vcpu[i].is_halted, __ATOMIC_RELAXED))
			return false;
	return true;
}

/* A prompt is a line without an end: show it before the guest waits for an answer. */
static void show_prompt(struct vm *vm)
{
	vm_lock_devices(vm);
	vm_flush_output(vm);
	vm_unlock_devices(vm);
}

static void halt_vcpu(struct vcpu *vcpu)
{
	uint64_t until = vcpu_next_deadline(vcpu);

	if (until > rdtsc() + tsc_hz / 1000 * PROMPT_MS && others_are_halted(vcpu))
		show_prompt(vcpu->vm);
	vcpu_put(vcpu);
	sched_halt(vcpu, until);
}

static void gather_vcpu(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned n_gone;

	/* A revert discards the state of its vCPUs. */
	if (__atomic_load_n(&vm->actions, __ATOMIC_RELAXED) == VM_REVERT)
		vcpu_drop(vcpu);
	else
		vcpu_put(vcpu);
	n_gone = vm_gathered(vm);
	if (n_gone)
		sched_remove(n_gone);
}

/* What each processor does once in a second, also while it idles. */
static void do_chores(struct cpu *cpu)
{
	cpu->chores_due = rdtsc() + tsc_hz;
	machine_check_poll();
	watchdog_pass(cpu);
}

static void poll_button(void)
{
	static bool has_quit;

	if (has_quit || !power_button_is_pressed())
		return;
	has_quit = true;
	log_info("power button: all VMs end");
	monitor_quit();
}

/* Poll console and power button, and wake vCPUs whose deadline has come. */
static void look_around(struct cpu *cpu)
{
	rendezvous_pass();
	if (cpu->index == 0) {
		nmi_report();
		poll_button();
		keys_poll();
		(void)console_poll();
	}
	if (rdtsc() >= cpu->chores_due)
		do_chores(cpu);
	sched_wake_due(rdtsc());
}

static void leave_processor(struct vcpu *vcpu, enum vcpu_leave leave)
{
	switch (leave) {
	case VCPU_HALTED:
		halt_vcpu(vcpu);
		return;
	case VCPU_GATHERED:
		gather_vcpu(vcpu);
		return;
	case VCPU_PREEMPTED:
		vcpu_put(vcpu);
		sched_make_ready(vcpu, 1);
		return;
	}
}

static struct vcpu_slice next_slice(const struct cpu *cpu)
{
	uint64_t now = rdtsc(), ms = tsc_hz / 1000;

	return (struct vcpu_slice){
		.end = now + ms * (cpu->index == 0 && monitor_is_on() ? PROMPT_SLICE_MS : SLICE_MS),
		.wakes_from = now + ms / WAKES_PER_MS,
	};
}

/* Run a vCPU until it leaves, or another vCPU needs the processor. */
static void run_vcpu(struct cpu *cpu, struct vcpu *vcpu)
{
	enum vcpu_leave leave;

	vcpu_load(vcpu, cpu);
	do {
		leave = vcpu_run(vcpu, next_slice(cpu));
		look_around(cpu);
		paging_sync();
	} while (leave == VCPU_PREEMPTED && !sched_has_ready() && !sched_has_to_wait(vcpu));

	leave_processor(vcpu, leave);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Host TSC at which the boot processor must poll the console again, UINT64_MAX: never. */
static uint64_t next_console_look(const struct cpu *cpu)
{
	if (cpu->index != 0)
		return UINT64_MAX;
	return rdtsc() +
	       tsc_hz / 1000 *
		       (console_poll() || monitor_is_waiting() ? CONSOLE_SEND_MS : CONSOLE_POLL_MS);
}

/* Wait for a deadline, a wake-up, or the time to poll the console. */
static void wait_for_work(struct cpu *cpu)
{
	uint64_t until = earlier(next_console_look(cpu), vm_merge_deadline(cpu));

	if (!sched_begin_idle(cpu))
		return;
	until = earlier(earlier(until, cpu->chores_due), sched_next_deadline());
	host_apic_timer_set(until);
	cpu_wait();
	vm_merge_woke(cpu);
	sched_end_idle(cpu);
}

/* The monitor and templates still to be saved keep the machine running without vCPUs. */
static bool is_finished(void)
{
	return sched_is_empty() && !monitor_holds_machine();
}

void processor_run(struct cpu *cpu)
{
	for (;;) {
		struct vcpu *vcpu;

		look_around(cpu);
		vcpu = sched_pop();
		if (vcpu)
			run_vcpu(cpu, vcpu);
		else if (cpu->index == 0 && is_finished())
			return;
		else if (!vm_merge_work())
			wait_for_work(cpu);
	}
}
