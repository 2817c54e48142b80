/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual processor: made, loaded, run until the scheduler has to decide, put away.
 * The loop is before-entry work if asked for, then vmx_run(), which stays in the guest and
 * in vmx_exited() (hv/exit.c) until something is asked for.
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
		.regs.requests = VCPU_REQUEST_TIMER | VCPU_REQUEST_RESET,
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

void vcpu_flush(struct vcpu *vcpu, uint64_t generation)
{
	uint64_t eptp = vmx_eptp(vcpu->vm->ept.root);

	vmcs_write(VMCS_EPTP, eptp);
	vmx_flush_ept(&vcpu_shared.capability, eptp);
	vcpu->ept_generation = generation;
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

static void entry_refused(enum vmx_result result)
{
	if (result == VMX_FAIL_VALID)
		panic("VM entry refused: VM-instruction error %u",
		      (unsigned)vmcs_read(VMCS_INSTRUCTION_ERROR));
	panic("VM entry refused: no current VMCS");
}

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

		if (__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) &&
		    !vcpu_service(vcpu, &leave))
			return leave;
		vcpu_flush_if_behind(vcpu, &vcpu->vm->ept);
		note_first_entry();
		result = vmx_run(&vcpu->regs);
		if (result != VMX_LEFT)
			entry_refused(result);
	}
}
