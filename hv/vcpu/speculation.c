/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speculation control of guests. With enhanced IBRS the host's bits stay set while guests run,
 * where they cost nothing, and the guest's bits stay set while the host runs, where they only
 * restrict more: IA32_SPEC_CTRL changes when another vCPU is loaded, and not at VM exits. Without,
 * hv/vmx/ entry.asm switches it at each of them.
 */
#include "hv/vcpu/speculation.h"

#include "hv/host/cpu.h"
#include "hv/host/msr.h"
#include "hv/host/policy.h"
#include "hv/host/speculation.h"
#include "hv/vcpu/vcpu.h"

bool speculation_read_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *ret)
{
	const struct cpuid_model *model = vcpu->cpuid;

	if (msr == IA32_SPEC_CTRL && model->spec_ctrl_allowed)
		*ret = vcpu->regs.spec_ctrl;
	else if (msr == IA32_ARCH_CAPABILITIES &&
		 cpuid_has_7_edx(model, CPUID_7_EDX_ARCH_CAPABILITIES))
		*ret = model->arch_capabilities;
	else
		return false;
	return true;
}

/* A command is a single bit, of an MSR that cannot be read. */
static bool give_command(const struct vcpu *vcpu, uint64_t feature, uint32_t msr, uint64_t value)
{
	if (!cpuid_has_7_edx(vcpu->cpuid, feature) || value > 1)
		return false;
	if (value)
		wrmsr(msr, value);
	return true;
}

/* Set what the processor holds while the vCPU is loaded; the guarded entries set it otherwise. */
static void set_spec_ctrl(const struct vcpu *vcpu, struct cpu *cpu)
{
	uint64_t value = host_policy.spec_ctrl | vcpu->regs.spec_ctrl;

	if (host_policy.measures & MEASURE_IBRS || value == cpu->spec_ctrl)
		return;
	wrmsr(IA32_SPEC_CTRL, value);
	cpu->spec_ctrl = value;
}

bool speculation_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (msr == IA32_PRED_CMD)
		return give_command(vcpu, CPUID_7_EDX_SPEC_CTRL, msr, value);
	if (msr == IA32_FLUSH_CMD)
		return give_command(vcpu, CPUID_7_EDX_L1D_FLUSH, msr, value);
	if (msr != IA32_SPEC_CTRL || vcpu->cpuid->spec_ctrl_allowed == 0 ||
	    (value & ~(uint64_t)vcpu->cpuid->spec_ctrl_allowed))
		return false;
	vcpu->regs.spec_ctrl = (uint16_t)value;
	set_spec_ctrl(vcpu, this_cpu());
	return true;
}

void speculation_load(const struct vcpu *vcpu, struct cpu *cpu, bool is_other)
{
	if (is_other)
		wrmsr(IA32_PRED_CMD, PRED_CMD_IBPB);
	set_spec_ctrl(vcpu, cpu);
}
