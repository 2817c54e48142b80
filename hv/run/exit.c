/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit path: from entry.asm to the handler of an exit, and to the next instruction. RIP moves
 * here, in advance_rip(), and for most CPUIDs in exit_cpuid.asm. Every exit pays for each
 * instruction here: this file is compiled without frame pointers. No lock is held.
 */
#include "hv/vmx/entry.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/run/event.h"
#include "hv/run/exit_handlers.h"
#include "hv/run/sync.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/exit_reason.h"
#include "hv/vmx/vmcs.h"

static exit_handler exit_cpuid;

/*
 * Exits that are not listed here are neither enabled nor possible without being enabled. A guest
 * has no SGX, XSAVES or TDX: their instructions are undefined.
 */
static exit_handler *const handlers[EXIT_REASON_COUNT] = {
	[EXIT_EXCEPTION_NMI] = exit_exception,
	[EXIT_EXTERNAL_INTERRUPT] = exit_external_interrupt,
	[EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[EXIT_INIT] = exit_init,
	[EXIT_INTERRUPT_WINDOW] = exit_window,
	[EXIT_NMI_WINDOW] = exit_window,
	[EXIT_TASK_SWITCH] = exit_task_switch,
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_GETSEC] = exit_undefined,
	[EXIT_HLT] = exit_hlt,
	[EXIT_INVD] = exit_ignored,
	[EXIT_RDPMC] = exit_rdpmc,
	[EXIT_VMCALL] = exit_vmcall,
	[EXIT_VMCLEAR] = exit_undefined,
	[EXIT_VMLAUNCH] = exit_undefined,
	[EXIT_VMPTRLD] = exit_undefined,
	[EXIT_VMPTRST] = exit_undefined,
	[EXIT_VMREAD] = exit_undefined,
	[EXIT_VMRESUME] = exit_undefined,
	[EXIT_VMWRITE] = exit_undefined,
	[EXIT_VMXOFF] = exit_undefined,
	[EXIT_VMXON] = exit_undefined,
	[EXIT_CR_ACCESS] = exit_cr,
	[EXIT_DR_ACCESS] = exit_dr,
	[EXIT_IO] = exit_io,
	[EXIT_MSR_READ] = exit_msr_read,
	[EXIT_MSR_WRITE] = exit_msr_write,
	[EXIT_MWAIT] = exit_undefined,
	[EXIT_MONITOR] = exit_undefined,
	[EXIT_PAUSE] = exit_pause,
	[EXIT_EPT_VIOLATION] = exit_ept_violation,
	[EXIT_EPT_MISCONFIG] = exit_ept_misconfig,
	[EXIT_INVEPT] = exit_undefined,
	[EXIT_PREEMPTION_TIMER] = exit_preemption_timer,
	[EXIT_INVVPID] = exit_undefined,
	[EXIT_WBINVD] = exit_ignored,
	[EXIT_XSETBV] = exit_xsetbv,
	[EXIT_VMFUNC] = exit_undefined,
	[EXIT_ENCLS] = exit_undefined,
	[EXIT_XSAVES] = exit_undefined,
	[EXIT_XRSTORS] = exit_undefined,
	[EXIT_ENCLV] = exit_undefined,
	[EXIT_BUS_LOCK] = exit_bus_lock,
	[EXIT_NOTIFY] = exit_notify,
	[EXIT_SEAMCALL] = exit_undefined,
	[EXIT_TDCALL] = exit_undefined,
};

/* All others are of the kind EXITS_OTHER. */
static const uint8_t kinds[EXIT_REASON_COUNT] = {
	[EXIT_CPUID] = EXITS_CPUID,
	[EXIT_CR_ACCESS] = EXITS_CR,
	[EXIT_HLT] = EXITS_HLT,
	[EXIT_EXTERNAL_INTERRUPT] = EXITS_INTERRUPT,
	[EXIT_PREEMPTION_TIMER] = EXITS_TIMER,
};

static void set_cpuid(uint64_t *gpr, const struct cpuid_regs *answer)
{
	gpr[RAX] = answer->eax;
	gpr[RBX] = answer->ebx;
	gpr[RCX] = answer->ecx;
	gpr[RDX] = answer->edx;
}

static void look_up_cpuid(const struct vcpu *vcpu, struct cpuid_regs *ret)
{
	const uint64_t *gpr = vcpu->regs.gpr;
	struct cpuid_state state = {
		.cr4 = vmcs_read(VMCS_GUEST_CR4),
		.xcr0 = vcpu->guest.xcr0,
		.topology = &vcpu->vm->config->topology,
		.apic_id = vcpu->lapic->id,
		.apic_enabled = lapic_is_enabled(vcpu->lapic),
	};

	cpuid_model_lookup(vcpu->cpuid, (uint32_t)gpr[RAX], (uint32_t)gpr[RCX], &state, ret);
}

/* exit_cpuid.asm answers most CPUIDs of the plain loop, and none of the guarded one. */
static enum exit_action exit_cpuid(struct vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->regs.gpr[RAX];
	struct cpuid_regs answer;

	if (cpuid_is_constant(leaf)) {
		set_cpuid(vcpu->regs.gpr, &vcpu->cpuid->basic[leaf]);
		return EXIT_NEXT;
	}
	look_up_cpuid(vcpu, &answer);
	set_cpuid(vcpu->regs.gpr, &answer);
	return EXIT_NEXT;
}

/* Rare: the guest was in an interrupt shadow, or single-steps. */
static __attribute__((noinline)) void end_shadow(uint64_t blocking)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	vcpu_owe_single_step();
}

/*
 * Resume at rip, as if the instruction that exited had run: the shadows of STI and MOV SS end, and
 * a single step is due. SDM vol. 3, "Guest Non-Register State".
 */
static inline void resume_at(uint64_t rip)
{
	uint64_t blocking;

	vmcs_write_next(VMCS_GUEST_RIP, rip);
	blocking = vmcs_read_next(VMCS_GUEST_INTERRUPTIBILITY);
	if ((blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) ||
	    (vmcs_read_next(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		end_shadow(blocking);
}

/* Only 64-bit code continues beyond 4 GiB. */
static __attribute__((noinline)) void resume_at_4g(uint64_t rip)
{
	resume_at(vcpu_in_64bit_code() ? rip : rip & UINT32_MAX);
}

/* Resume after the instruction that exited. */
static inline void advance_rip(void)
{
	uint64_t len = vmcs_read_next(VMCS_EXIT_INST_LEN);
	uint64_t rip = vmcs_read_next(VMCS_GUEST_RIP) + len;

	if ((uint32_t)rip < (uint32_t)len)
		resume_at_4g(rip);
	else
		resume_at(rip);
}

static void entry_failed(struct vcpu *vcpu, uint32_t reason)
{
	if ((reason & 0xffff) == EXIT_ENTRY_MACHINE_CHECK)
		panic_machine_check();
	else if ((reason & 0xffff) == EXIT_ENTRY_GUEST_STATE)
		vm_crash(vcpu->vm, "VM entry failed: invalid guest state (qualification %lu)",
			 vmcs_read(VMCS_EXIT_QUAL));
	else
		vm_crash(vcpu->vm, "VM entry failed: reason %u", (unsigned)(reason & 0xffff));
}

/* The exit itself is wrong. */
static __attribute__((noinline)) void bad_exit(struct vcpu *vcpu, uint32_t reason)
{
	if (!(reason & EXIT_ENTRY_FAILED)) {
		vm_crash(vcpu->vm, "unexpected VM exit %u", (unsigned)reason);
		return;
	}
	vcpu_discard_vmcs(vcpu);
	entry_failed(vcpu, reason);
}

/*
 * Here are all exits that can interrupt the delivery of an event, except EPT violations. A
 * processor says so of exceptions, task switches and a few more, but a hypervisor below us can say
 * so of any exit that no instruction causes: an external interrupt, the preemption timer, a window.
 * Failed entries leave the field as it was.
 */
static __attribute__((noinline)) enum exit_action exit_rare(struct vcpu *vcpu, uint32_t reason)
{
	uint32_t basic = reason & EXIT_BASIC_REASON;

	if (reason & EXIT_WITH_BUS_LOCK)
		(void)exit_bus_lock(vcpu);
	if ((reason & EXIT_ENTRY_FAILED) || basic >= EXIT_REASON_COUNT || handlers[basic] == NULL) {
		vcpu->n_exits[EXITS_OTHER]++;
		bad_exit(vcpu, reason);
		return EXIT_AGAIN;
	}
	vcpu->n_exits[kinds[basic]]++;
	if (vmcs_read_next(VMCS_IDT_VECTORING_INFO) & INTR_VALID)
		vcpu_reinject_vectored(vcpu);
	return handlers[basic](vcpu);
}

static inline enum exit_action count_and(enum exit_kind kind, exit_handler *handler,
					 struct vcpu *vcpu)
{
	vcpu->n_exits[kind]++;
	return handler(vcpu);
}

/* The frequent exits first, by direct calls, which are fast and which no guest can train. */
static __attribute__((noinline)) void exit_any(struct vcpu *vcpu, uint32_t reason)
{
	enum exit_action action;

	if (reason == EXIT_EPT_VIOLATION) {
		(void)count_and(EXITS_EPT_VIOLATION, exit_ept_violation, vcpu);
		vcpu_flush_if_behind(vcpu);
		return;
	}
	if (reason == EXIT_IO)
		action = count_and(EXITS_IO, exit_io, vcpu);
	else if (reason == EXIT_MSR_WRITE)
		action = count_and(EXITS_MSR_WRITE, exit_msr_write, vcpu);
	else if (reason == EXIT_MSR_READ)
		action = count_and(EXITS_MSR_READ, exit_msr_read, vcpu);
	else if (reason == EXIT_CPUID)
		action = count_and(EXITS_CPUID, exit_cpuid, vcpu);
	else
		action = exit_rare(vcpu, reason);
	if (action == EXIT_NEXT)
		advance_rip();
	vcpu_flush_if_behind(vcpu);
}

/* The slice is over, or a timer of the guest is due. */
static __attribute__((noinline)) void exit_due(struct vcpu *vcpu, uint32_t reason)
{
	vcpu_time_is_up(vcpu);
	exit_any(vcpu, reason);
}

/* The preemption timer has not counted the time outside the guest. */
static __attribute__((noinline)) void exit_late(struct vcpu *vcpu, uint32_t reason)
{
	uint64_t now = rdtsc();

	if (now >= vcpu->until) {
		exit_due(vcpu, reason);
		return;
	}
	vcpu_arm_timer(vcpu, now);
	exit_any(vcpu, reason);
}

/* The low halves suffice: after an exit that takes too long for them, the timer exits. */
static inline bool is_late(const struct vcpu *vcpu)
{
	return (int32_t)((uint32_t)rdtsc() - vcpu->look_at) >= 0;
}

/*
 * The exit path: entry.asm calls this after each VM exit, unless exit_cpuid.asm has answered it. No
 * lock is held, and vector registers are the guest's. All calls are tail calls, so that this
 * function needs no stack.
 */
void vmx_exited(struct guest_regs *regs, uint32_t reason)
{
	struct vcpu *vcpu = (struct vcpu *)regs;

	if (is_late(vcpu))
		exit_late(vcpu, reason);
	else
		exit_any(vcpu, reason);
}
_Static_assert(offsetof(struct vcpu, regs) == 0, "vmx_exited() casts");

/* What exit_cpuid.asm knows. */
_Static_assert(offsetof(struct vcpu, look_at) == 184);
_Static_assert(offsetof(struct vcpu, n_exits[EXITS_CPUID]) == 200);
_Static_assert(offsetof(struct vcpu, cpuid) == 136);
_Static_assert(offsetof(struct cpuid_model, basic) == 0 && sizeof(struct cpuid_regs) == 16);
_Static_assert(CPUID_BASIC_LAST == 0x1f && CPUID_VARIABLE_LEAVES == 0x80002892);
_Static_assert(BLOCKING_STI == 1 && BLOCKING_MOV_SS == 2 && RFLAGS_TF == 0x100);
