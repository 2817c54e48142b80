/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of each processor: the only file that knows vCPUs, console, merging and idling. Each
 * processor sends output when it passes; the boot processor also reads the console, once in a
 * millisecond while VMs run.
 */
#include "hv/processor.h"

#include "hv/frame/frame.h"
#include "hv/gdb/gdb.h"
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
#include "hv/monitor/status.h"
#include "hv/qmp/qmp.h"
#include "hv/run/kvm_para.h"
#include "hv/run/run.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/sync.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/bury.h"
#include "hv/vm/checksum.h"
#include "hv/vm/hold.h"
#include "hv/vm/life.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/output.h"
#include "hv/vm/serial.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"

/* In grains of the clock, 50 us. */
enum {
	SLICE = 100,
	PROMPT_SLICE =
		20,	/* of the boot processor while the monitor has the console, or with QMP */
	WAKES_FROM = 4, /* then others' deadlines may end the slice */
};

#define CONSOLE_POLL_MS 10 /* for typed input */
#define CONSOLE_SEND_MS 1  /* time to send a FIFO of output, and less than to receive one */
#define PROMPT_MS	20

/* Frames of templates that are freed at a time: some tens of microseconds. */
#define BURY_BETWEEN 1000

static bool others_are_halted(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		if (i != vcpu->number &&
		    !__atomic_load_n(&vm_vcpu(vm, i)->is_halted, __ATOMIC_RELAXED))
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

static void halt_vcpu(struct vcpu *vcpu, uint64_t since)
{
	uint64_t until = vcpu_next_deadline(vcpu);

	if (until > rdtsc() + tsc_hz / 1000 * PROMPT_MS && others_are_halted(vcpu))
		show_prompt(vcpu->vm);
	vcpu_put(vcpu);
	sched_halt(vcpu, until, rdtsc() - since);
}

static void gather_vcpu(struct vcpu *vcpu, uint64_t since)
{
	struct vm *vm = vcpu->vm;

	/* A revert discards the state of its vCPUs. */
	if (__atomic_load_n(&vm->actions, __ATOMIC_RELAXED) == VM_REVERT)
		vcpu_drop(vcpu);
	else
		vcpu_put(vcpu);
	sched_gather(vcpu, rdtsc() - since);
	vm_gathered(vm);
}

/*
 * What each processor does once in a second, also while it idles. Besides the ends of VMs, the
 * search for equal pages and balloons free memory, which clones may wait for.
 */
static void do_chores(struct cpu *cpu)
{
	cpu->chores_due = rdtsc() + tsc_hz;
	machine_check_poll();
	watchdog_pass(cpu);
	if (cpu->index == 0 && !frame_is_scarce())
		template_retry_lines();
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

/* Slices are short: the monitor has the console, or programs wait. The boot processor's. */
static bool is_operated;

/*
 * Poll console and power button, a millisecond apart. Ports are slow, below a hypervisor as slow as
 * a slice, and no VM is charged: one whose turns are short must not take time from others by them.
 */
static void poll_operator(void)
{
	static uint64_t due; /* host TSC */

	if (rdtsc() < due)
		return;
	nmi_report();
	poll_button();
	qmp_poll();
	gdb_poll();
	keys_poll();
	is_operated = monitor_is_on() || qmp_is_on() || gdb_is_on();
	due = rdtsc() + tsc_hz / 1000 * CONSOLE_SEND_MS;
}

/*
 * Wait for others, follow changes of the page tables, free templates and take their checksums, look
 * for the operator, and wake vCPUs whose deadline has come.
 */
static void look_around(struct cpu *cpu)
{
	rendezvous_pass();
	paging_sync();
	(void)template_bury(BURY_BETWEEN);
	(void)checksum_work();
	vm_merge_hurry();
	if (cpu->index == 0)
		poll_operator();
	(void)vm_output_work();
	if (rdtsc() >= cpu->chores_due)
		do_chores(cpu);
	sched_wake_due(cpu, rdtsc());
}

/* The VM was charged up to 'since'. */
static void leave_processor(struct vcpu *vcpu, enum vcpu_leave leave, uint64_t since)
{
	switch (leave) {
	case VCPU_HALTED:
		halt_vcpu(vcpu, since);
		return;
	case VCPU_GATHERED:
		gather_vcpu(vcpu, since);
		return;
	case VCPU_PREEMPTED:
		kvm_para_preempted(vcpu);
		vcpu_put(vcpu);
		sched_preempt(vcpu, rdtsc() - since);
		return;
	}
}

static void begin_slice(struct cpu *cpu, uint64_t now)
{
	uint64_t grain = vcpu_shared.clock_grain, slice = grain * SLICE;

	if (is_operated && cpu->index == 0)
		slice = grain * PROMPT_SLICE;
	cpu->slice.end = now + slice;
	cpu->slice.wakes_from = now + grain * WAKES_FROM;
}

/*
 * A clone's vCPU is loaded for the first time, and needs an XSAVE area before. False: it stops for
 * lack of a frame, or without having been loaded at all for an action on its VM.
 */
static __attribute__((noinline)) bool take_area(struct vcpu *vcpu, uint64_t since)
{
	struct vm *vm = vcpu->vm;
	bool gathers =
		__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & VCPU_REQUEST_GATHER;

	if (vm_take_area(vcpu))
		return true;
	if (gathers && __atomic_load_n(&vm->actions, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_and(&vcpu->regs.requests, ~(uint32_t)VCPU_REQUEST_GATHER,
				   __ATOMIC_RELAXED);
		sched_gather(vcpu, rdtsc() - since);
		vm_gathered(vm);
		return false;
	}
	stop_for_registers(vcpu);
	sched_preempt(vcpu, rdtsc() - since);
	return false;
}

/* Run a vCPU until it leaves, or another vCPU should have the processor. Looks around. */
static void run_vcpu(struct cpu *cpu, struct vcpu *vcpu)
{
	uint64_t since = rdtsc(), used;
	enum vcpu_leave leave;
	bool yields;

	/*
	 * Do not load a vCPU for nothing, while another one of its VM must be alone. The VM pays
	 * for the whole pass: one with many vCPUs causes many of them, and nothing else ran.
	 */
	if (!sync_may_enter(vcpu)) {
		look_around(cpu);
		sched_preempt(vcpu, rdtsc() - since);
		return;
	}
	if (vcpu->xsave_area == NULL && !take_area(vcpu, since))
		return;
	vcpu_load(vcpu, cpu);
	do {
		begin_slice(cpu, since);
		leave = vcpu_run(vcpu);
		used = rdtsc() - since;
		look_around(cpu); /* for all: what a VM has caused is charged there */
		since = rdtsc();
		yields = sched_charge(vcpu, used);
	} while (leave == VCPU_PREEMPTED && !yields && !sched_has_to_wait(vcpu));

	leave_processor(vcpu, leave, since);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Host TSC at which the boot processor must poll the console again, UINT64_MAX: never. */
static uint64_t next_console_look(const struct cpu *cpu)
{
	bool waits;

	if (cpu->index != 0)
		return UINT64_MAX;
	waits = vm_output_work() || monitor_is_waiting() || qmp_is_on() || gdb_is_on() ||
		status_is_waiting();
	return rdtsc() + tsc_hz / 1000 * (waits ? CONSOLE_SEND_MS : CONSOLE_POLL_MS);
}

/* Wait for a deadline, a wake-up, or the time to poll the console. */
static void wait_for_work(struct cpu *cpu)
{
	uint64_t until = earlier(next_console_look(cpu), vm_merge_deadline(cpu));

	if (!sched_begin_idle(cpu))
		return;
	until = earlier(earlier(until, cpu->chores_due), sched_next_deadline(cpu));
	host_apic_timer_set(until);
	cpu_wait();
	vm_merge_woke(cpu);
	(void)sched_end_idle(cpu);
}

/* Operators and templates still to be saved keep the machine running without vCPUs. */
static bool is_finished(void)
{
	return sched_is_empty() && !monitor_holds_machine() && !qmp_holds_machine() &&
	       !template_has_graves() && !checksum_has_work();
}

/* No vCPU is ready. False: the machine ends. */
static bool be_idle(struct cpu *cpu)
{
	if (cpu->index == 0 && is_finished())
		return false;
	if (!template_bury(BURY_BETWEEN) && !checksum_work() && !vm_merge_work())
		wait_for_work(cpu);
	look_around(cpu);
	return true;
}

void processor_run(struct cpu *cpu)
{
	struct vcpu *vcpu;

	sched_begin(cpu);
	do {
		while ((vcpu = sched_pop()) != NULL)
			run_vcpu(cpu, vcpu);
	} while (be_idle(cpu));
}
