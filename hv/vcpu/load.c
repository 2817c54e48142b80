/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load a vCPU into a processor and save it again. Each processor has one VMCS; the state of a vCPU
 * that is not loaded is in memory, where a clone can copy it. The VMCS keeps the state of the vCPU
 * that left last, so that a vCPU which returns to the same processor is loaded without a VMWRITE.
 */
#include "hv/vcpu/load.h"

#include "hv/ept/ept.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/host/idt.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/vcpu/forget.h"
#include "hv/vcpu/speculation.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

static const uint32_t switched[N_SWITCHED] = {
	[SWITCHED_STAR] = IA32_STAR,
	[SWITCHED_LSTAR] = IA32_LSTAR,
	[SWITCHED_CSTAR] = IA32_CSTAR,
	[SWITCHED_FMASK] = IA32_FMASK,
	[SWITCHED_KERNEL_GS_BASE] = IA32_KERNEL_GS_BASE,
	[SWITCHED_TSC_AUX] = IA32_TSC_AUX,
};

void vcpu_clear_switched_msrs(void)
{
	for (unsigned i = 0; i < vcpu_shared.n_switched; i++)
		wrmsr(switched[i], 0);
}

/* In a row, because each clone and each revert comes here. */
static void load_switched_msrs(const uint64_t value[N_SWITCHED])
{
#pragma GCC unroll 8
	for (unsigned i = 0; i < SWITCHED_TSC_AUX; i++)
		wrmsr_from(switched[i], &value[i]);
	if (vcpu_shared.n_switched > SWITCHED_TSC_AUX)
		wrmsr_from(IA32_TSC_AUX, &value[SWITCHED_TSC_AUX]);
}

static void load_registers(struct vcpu *vcpu)
{
	const struct vcpu_saved *saved = &vcpu->saved_in->saved;

	write_cr2(saved->cr2);
	load_switched_msrs(saved->switched_msr);
	write_debug_addresses(saved->dr);
	write_dr6(saved->dr6);
	xsetbv_from(0, &vcpu->cpuid->xcr0_allowed);
	xrstor(vcpu->saved_in->xsave_area);
	xsetbv_from(0, &vcpu->guest.xcr0);
}

static void save_registers(struct vcpu *vcpu)
{
	struct vcpu_saved *saved = &vcpu->saved;

	saved->cr2 = read_cr2();
	for (unsigned i = 0; i < vcpu_shared.n_switched; i++)
		saved->switched_msr[i] = rdmsr(switched[i]);
	read_debug_addresses(saved->dr);
	saved->dr6 = read_dr6();
	xsetbv(0, vcpu->cpuid->xcr0_allowed);
	if (vcpu->saved_in != vcpu)
		vcpu_clear_xsave_header(vcpu);
	xsave(vcpu->xsave_area);
}

static void write_host_state(struct cpu *cpu)
{
	vmcs_write_host(&(struct vmcs_host){
		.gs_base = (uint64_t)cpu,
		.tr_base = (uint64_t)&cpu->tss,
		.gdtr_base = (uint64_t)cpu->gdt,
		.idtr_base = idt_base(),
		.code_selector = CPU_SELECTOR_CODE,
		.data_selector = CPU_SELECTOR_DATA,
		.tss_selector = CPU_SELECTOR_TSS,
	});
}

/* Once per processor: initialise its VMCS, and write all fields that do not depend on the guest. */
static void make_vmcs(struct cpu *cpu)
{
	struct vmcs_guest unused;

	cpu->vmcs_made = true;
	cpu->eptp[0] = 0;
	cpu->has_in_service = false;
	cpu->msr_bitmap = vcpu_shared.msr_bitmap;
	vmcs_unlaunch(cpu->vmcs);
	write_host_state(cpu);
	vmcs_write_constant(&(struct vmcs_constant){
		.controls = &vcpu_shared.controls,
		.io_bitmap_a = vcpu_shared.io_bitmap,
		.io_bitmap_b = vcpu_shared.io_bitmap,
		.msr_bitmap = vcpu_shared.msr_bitmap,
		.virtual_apic = cpu->virtual_apic,
		.cr0_mask = CR0_HOST_OWNED,
		.cr4_mask = ~vcpu_shared.cpuid.cr4_allowed | CR4_HOST_OWNED,
	});
	vmcs_read_guest(&unused); /* the processor has all fields that are written later */
}

/* Forget the translations of the vCPU's addresses. */
static void renew_vpid(struct vcpu *vcpu, struct cpu *cpu)
{
	if (vpid_give(&cpu->vpids, &vcpu->vpid))
		vmx_flush_vpids(&vcpu_shared.capability);
}

/*
 * Write the vCPU's state to the VMCS, unless the VMCS holds it already. Returns whether another one
 * was here last.
 */
static bool take_vmcs(struct vcpu *vcpu, struct cpu *cpu)
{
	if (cpu->vmcs_of == vcpu && vcpu->last_cpu == cpu)
		return false;
	vmcs_write_guest(&vcpu->saved_in->saved.vmcs);
	if (vcpu->last_cpu != cpu || !vcpu_remember(vcpu))
		vcpu->ept_generation = 0; /* vcpu_forget() comes before the entry */
	if (vcpu->last_cpu != cpu || !vpid_is_valid(&cpu->vpids, vcpu->vpid))
		renew_vpid(vcpu, cpu);
	vmcs_write(VMCS_VPID, vcpu->vpid.number);
	cpu->vmcs_of = vcpu;
	cpu->n_loads++;
	__atomic_store_n(&vcpu->last_cpu, cpu, __ATOMIC_RELAXED);
	return true;
}

/* Atomic, because sched_request() reads it on another processor. */
static void set_current(struct cpu *cpu, struct vcpu *vcpu)
{
	__atomic_store_n(&cpu->current, vcpu, __ATOMIC_RELAXED);
}

void vcpu_load(struct vcpu *vcpu, struct cpu *cpu)
{
	bool is_other;

	assert(cpu->current == NULL);
	set_current(cpu, vcpu);
	if (!cpu->vmcs_made)
		make_vmcs(cpu);
	is_other = take_vmcs(vcpu, cpu);
	if (vcpu_shared.switches_speculation)
		speculation_load(vcpu, cpu, is_other);
	vcpu->regs.launched = cpu->vmcs_launched;
	load_registers(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
}

void vcpu_reload(struct vcpu *vcpu)
{
	vmcs_write_guest(&vcpu->saved_in->saved.vmcs);
	vcpu_distrust(vcpu); /* INVEPT forgets the translations by the old CR3, too */
	if (vcpu_shared.switches_speculation)
		speculation_load(vcpu, this_cpu(), false);
	load_registers(vcpu);
}

static void leave_processor(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	cpu->vmcs_launched = vcpu->regs.launched;
	set_current(cpu, NULL);
}

void vcpu_discard_vmcs(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	cpu->vmcs_made = false;
	cpu->vmcs_of = NULL;
	/* Also because a VMLAUNCH that failed has left the VMCS unlaunched. */
	vcpu->regs.launched = false;
}

void vcpu_forget_vmcs(struct vcpu *vcpu)
{
	/* Atomic: sched_request() may read it. */
	__atomic_store_n(&vcpu->last_cpu, NULL, __ATOMIC_RELAXED);
}

void vcpu_drop(struct vcpu *vcpu)
{
	leave_processor(vcpu);
	vcpu_forget_vmcs(vcpu);
}

void vcpu_put(struct vcpu *vcpu)
{
	save_registers(vcpu);
	vmcs_read_guest(&vcpu->saved.vmcs);
	vcpu->saved_in = vcpu;
	leave_processor(vcpu);
}
