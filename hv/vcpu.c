/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual processor: made, loaded, run until the scheduler has to decide, put away.
 * The loop is before-entry work if asked for, vmx_run(), which calls vmx_exited() for each
 * exit. RIP moves in one place, skip_instruction().
 */
#include "hv/vcpu.h"

#include "hv/assert.h"
#include "hv/cpu.h"
#include "hv/interrupt.h"
#include "hv/io.h"
#include "hv/msr.h"
#include "hv/paging.h"
#include "hv/panic.h"
#include "hv/phys.h"
#include "hv/print.h"
#include "hv/step.h"
#include "hv/string.h"
#include "hv/tsc.h"
#include "hv/vm.h"
#include "hv/vmx/vmcs.h"

struct vcpu_shared vcpu_shared;

/* Exits not listed are ones never asked for: they end the VM with a report. */
static exit_handler *const handlers[EXIT_REASON_COUNT] = {
	[EXIT_EXCEPTION_NMI] = exit_exception,
	[EXIT_EXTERNAL_INTERRUPT] = exit_external_interrupt,
	[EXIT_TRIPLE_FAULT] = exit_triple_fault,
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
};

static bool has_control2(uint32_t bit)
{
	return vcpu_shared.controls.word[CONTROLS_PROC2] & bit;
}

enum status vcpu_setup(const struct vmx_capability *capability)
{
	struct vcpu_shared *shared = &vcpu_shared;

	shared->capability = *capability;
	TRY(vmx_controls_choose(capability, &shared->controls));
	shared->preemption_shift = capability->misc & 0x1f;
	shared->io_bitmap = frame_alloc();
	shared->msr_bitmap = frame_alloc();
	if (shared->io_bitmap == 0 || shared->msr_bitmap == 0)
		return ERR_NOMEM;
	memset(phys_to_virt(shared->io_bitmap), 0xff, PAGE_SIZE);
	msr_bitmap_init(phys_to_virt(shared->msr_bitmap), has_control2(PROC2_RDTSCP));
	cpuid_model_init(&shared->cpuid, cpuid,
			 &(struct cpuid_options){
				 .tsc_hz = tsc_hz,
				 .has_rdtscp = has_control2(PROC2_RDTSCP),
				 .has_invpcid = has_control2(PROC2_INVPCID),
			 });
	(void)rdmsr_safe(IA32_BIOS_SIGN_ID, &shared->microcode);
	return OK;
}

unsigned vcpu_leaf_levels(void)
{
	uint64_t cap = vcpu_shared.capability.ept_vpid;

	if (!(cap & EPT_CAP_2M))
		return 1;
	return cap & EPT_CAP_1G ? 3 : 2;
}

enum status vcpu_create(struct vcpu *vcpu, struct vm *vm)
{
	/* x87, SSE, AVX and AVX-512 need 2688 bytes: one frame holds what a guest may switch on. */
	assert(vcpu_shared.cpuid.basic[0xd].ecx <= PAGE_SIZE);

	*vcpu = (struct vcpu){
		.vm = vm,
		.cpuid = &vcpu_shared.cpuid,
		.xcr0 = 1,
		.requests = VCPU_REQUEST_TIMER | VCPU_REQUEST_RESET,
		.vmcs = frame_alloc_zeroed(),
		.xsave_area = frame_alloc_zeroed(),
	};
	if (vcpu->vmcs == 0 || vcpu->xsave_area == 0) {
		vcpu_destroy(vcpu);
		return ERR_NOMEM;
	}
	return OK;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->vmcs)
		frame_free(vcpu->vmcs);
	if (vcpu->xsave_area)
		frame_free(vcpu->xsave_area);
	for (unsigned i = 0; i < STEP_PAGES_MAX; i++)
		if (vcpu->scratch[i])
			frame_free(vcpu->scratch[i]);
	*vcpu = (struct vcpu){0};
}

static const uint32_t switched[SWITCHED_MSRS] = {
	IA32_STAR, IA32_LSTAR, IA32_CSTAR, IA32_FMASK, IA32_KERNEL_GS_BASE, IA32_TSC_AUX,
};

static unsigned n_switched(void)
{
	/* IA32_TSC_AUX, the last, exists where RDTSCP does. */
	return has_control2(PROC2_RDTSCP) ? SWITCHED_MSRS : SWITCHED_MSRS - 1;
}

static void load_registers(struct vcpu *vcpu)
{
	write_cr2(vcpu->cr2);
	for (unsigned i = 0; i < n_switched(); i++)
		wrmsr(switched[i], vcpu->switched_msr[i]);
	asm volatile("mov %0, %%db0; mov %1, %%db1; mov %2, %%db2; mov %3, %%db3; mov %4, %%db6"
		     :
		     : "r"(vcpu->dr[0]), "r"(vcpu->dr[1]), "r"(vcpu->dr[2]), "r"(vcpu->dr[3]),
		       "r"(vcpu->dr6));
	xsetbv(0, vcpu->cpuid->xcr0_allowed);
	asm volatile("xrstor64 (%0)"
		     :
		     : "r"(phys_to_virt(vcpu->xsave_area)), "a"(UINT32_MAX), "d"(UINT32_MAX)
		     : "memory");
	xsetbv(0, vcpu->xcr0);
}

static void save_registers(struct vcpu *vcpu)
{
	vcpu->cr2 = read_cr2();
	for (unsigned i = 0; i < n_switched(); i++)
		vcpu->switched_msr[i] = rdmsr(switched[i]);
	asm volatile("mov %%db0, %0; mov %%db1, %1; mov %%db2, %2; mov %%db3, %3; mov %%db6, %4"
		     : "=r"(vcpu->dr[0]), "=r"(vcpu->dr[1]), "=r"(vcpu->dr[2]), "=r"(vcpu->dr[3]),
		       "=r"(vcpu->dr6));
	xsetbv(0, vcpu->cpuid->xcr0_allowed);
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(phys_to_virt(vcpu->xsave_area)), "a"(UINT32_MAX), "d"(UINT32_MAX)
		     : "memory");
}

static void write_host_state(struct cpu *cpu)
{
	vmcs_write_host(&(struct vmcs_host){
		.gs_base = (uint64_t)cpu,
		.tr_base = (uint64_t)&cpu->tss,
		.gdtr_base = (uint64_t)cpu->gdt,
		.idtr_base = interrupt_idt_base(),
		.code_selector = CPU_SELECTOR_CODE,
		.data_selector = CPU_SELECTOR_DATA,
		.tss_selector = CPU_SELECTOR_TSS,
	});
}

#define RFLAGS_TF BIT(8)

/* CR0 bits kept from the guest: NE has to be on, CD and NW would slow the host down with it. */
#define CR0_MASK (CR0_NE | CR0_CD | CR0_NW)

static void write_constant_state(struct vcpu *vcpu)
{
	vcpu->proc_controls = vcpu_shared.controls.word[CONTROLS_PROC];
	vmcs_write_constant(&(struct vmcs_constant){
		.controls = &vcpu_shared.controls,
		.io_bitmap_a = vcpu_shared.io_bitmap,
		.io_bitmap_b = vcpu_shared.io_bitmap,
		.msr_bitmap = vcpu_shared.msr_bitmap,
		.eptp = vmx_eptp(vcpu->vm->ept.root),
		.vpid = (uint16_t)(vcpu->vm->index + 1),
		.cr0_mask = CR0_MASK,
		.cr4_mask = ~vcpu->cpuid->cr4_allowed,
		.exception_bitmap = EXCEPTIONS_ALWAYS,
	});
	vmcs_write(VMCS_TSC_OFFSET, 0);
	vcpu->started = true;
}

static __attribute__((noinline)) void flush(struct vcpu *vcpu, uint64_t generation)
{
	uint64_t eptp = vmx_eptp(vcpu->vm->ept.root);

	vmcs_write(VMCS_EPTP, eptp);
	vmx_flush_ept(&vcpu_shared.capability, eptp);
	vcpu->ept_generation = generation;
}

/* A CPU, or a tree, that has not seen the latest translations must forget the old ones. */
static inline void flush_if_behind(struct vcpu *vcpu)
{
	uint64_t generation = __atomic_load_n(&vcpu->vm->ept.generation, __ATOMIC_ACQUIRE);

	if (vcpu->ept_generation != generation)
		flush(vcpu, generation);
}

void vcpu_load(struct vcpu *vcpu, struct cpu *cpu)
{
	assert(cpu->current == NULL);
	cpu->current = vcpu;
	if (!vcpu->started)
		vmcs_init(&vcpu_shared.capability, vcpu->vmcs);
	vmcs_load(vcpu->vmcs);
	if (!vcpu->started)
		write_constant_state(vcpu);
	if (vcpu->last_cpu != cpu) {
		write_host_state(cpu);
		vmx_flush_vpid(&vcpu_shared.capability, (uint16_t)(vcpu->vm->index + 1));
		vcpu->ept_generation = 0;
		vcpu->last_cpu = cpu;
	}
	load_registers(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
}

void vcpu_put(struct vcpu *vcpu)
{
	save_registers(vcpu);
	vmcs_clear(vcpu->vmcs);
	vcpu->regs.launched = false;
	this_cpu()->current = NULL;
}

uint64_t vcpu_now(const struct vcpu *vcpu)
{
	return rdtsc() + vcpu->tsc_offset;
}

uint64_t vcpu_next_deadline(const struct vcpu *vcpu)
{
	uint64_t deadline = lapic_next_deadline(&vcpu->vm->platform.irqchip.lapic[0]);

	return deadline == LAPIC_NO_DEADLINE ? UINT64_MAX : deadline - vcpu->tsc_offset;
}

bool vcpu_in_64bit_code(void)
{
	enum { AR_L = 1 << 13 };

	return (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) && (vmcs_read(VMCS_GUEST_CS_AR) & AR_L);
}

void vcpu_owe_single_step(void)
{
	enum { PENDING_BS = 1 << 14 };

	if (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}

/* In the rare case that the guest was in a shadow or single-steps. */
static __attribute__((noinline)) void end_shadow(uint64_t blocking)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	vcpu_owe_single_step();
}

/* Only 64-bit code goes on beyond 4 GiB. */
static __attribute__((noinline)) uint64_t wrap_rip(uint64_t rip)
{
	return vcpu_in_64bit_code() ? rip : rip & UINT32_MAX;
}

/*
 * Go on behind the instruction that exited, as if it had run: the shadows of STI
 * and MOV SS end, a single step is due. SDM vol. 3, "Guest Non-Register State".
 */
static inline void skip_instruction(struct vcpu *vcpu)
{
	uint64_t rip, blocking;

	if (vcpu->n_steps)
		step_end(vcpu); /* first: gives RFLAGS.TF back */
	rip = vmcs_read(VMCS_GUEST_RIP) + vmcs_read(VMCS_EXIT_INST_LEN);
	if (rip >> 32)
		rip = wrap_rip(rip);
	vmcs_write(VMCS_GUEST_RIP, rip);
	blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	if ((blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) ||
	    (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		end_shadow(blocking);
}

static void entry_refused(enum vmx_result result)
{
	if (result == VMX_FAIL_VALID)
		panic("VM entry refused: VM-instruction error %u",
		      (unsigned)vmcs_read(VMCS_INSTRUCTION_ERROR));
	panic("VM entry refused: no current VMCS");
}

static void entry_failed(struct vcpu *vcpu, uint32_t reason)
{
	if ((reason & 0xffff) == EXIT_ENTRY_GUEST_STATE)
		vm_crash(vcpu->vm, "VM entry failed: invalid guest state (qualification %llu)",
			 (unsigned long long)vmcs_read(VMCS_EXIT_QUAL));
	else
		vm_crash(vcpu->vm, "VM entry failed: reason %u", (unsigned)(reason & 0xffff));
}

/* Something is wrong with the exit itself. */
static __attribute__((noinline)) void bad_exit(struct vcpu *vcpu, uint32_t reason)
{
	if (!(reason & EXIT_ENTRY_FAILED)) {
		vm_crash(vcpu->vm, "unexpected VM exit %u", (unsigned)reason);
		return;
	}
	/* An entry that failed late exits too, but leaves the VMCS unlaunched. */
	vcpu->regs.launched = false;
	entry_failed(vcpu, reason);
}

/* The whole exit path: VM exits arrive here from entry.asm. No lock, no vector registers. */
bool vmx_exited(struct guest_regs *regs)
{
	struct vcpu *vcpu = (struct vcpu *)regs;
	uint32_t reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);

	vcpu->n_exits++;
	vcpu->last_exit = reason;
	if (reason >= EXIT_REASON_COUNT || handlers[reason] == NULL)
		bad_exit(vcpu, reason);
	else if (handlers[reason](vcpu) == EXIT_NEXT)
		skip_instruction(vcpu);
	if (__atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE))
		return false;
	flush_if_behind(vcpu);
	return true;
}
_Static_assert(offsetof(struct vcpu, regs) == 0, "vmx_exited() casts");

static void note_first_entry(void)
{
	uint64_t none = 0;

	if (vcpu_shared.first_entry_tsc == 0)
		__atomic_compare_exchange_n(&vcpu_shared.first_entry_tsc, &none, rdtsc(), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

enum vcpu_leave vcpu_run(struct vcpu *vcpu, uint64_t slice_end)
{
	enum vcpu_leave leave;

	vcpu->slice_end = slice_end;
	for (;;) {
		enum vmx_result result;

		if (__atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) &&
		    !vcpu_service(vcpu, &leave))
			return leave;
		flush_if_behind(vcpu);
		note_first_entry();
		result = vmx_run(&vcpu->regs);
		if (result != VMX_LEFT)
			entry_refused(result);
	}
}
