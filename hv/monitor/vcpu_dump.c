/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's registers for whoever shows or saves them. */
#include "hv/monitor/vcpu_dump.h"

#include "hv/host/msr.h"
#include "hv/lib/string.h"
#include "hv/vmx/vmcs.h"

static uint64_t field(const struct vcpu *vcpu, enum vmcs_field name)
{
	return vmcs_guest_field(&vcpu->saved_in->saved.guest, name);
}

#define UNUSABLE BIT(16) /* the other rights are undefined then */

static struct dump_segment dump_segment(const struct vcpu *vcpu, enum segment segment)
{
	uint64_t rights = field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_AR, segment));

	return (struct dump_segment){
		.selector = (uint32_t)field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_SEL, segment)),
		.limit = (uint32_t)field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_LIMIT, segment)),
		.rights = rights & UNUSABLE ? 0 : (uint32_t)rights,
		.base = field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_BASE, segment)),
	};
}

/* The processor's value where the guest owns the bits, else what it believes. */
static uint64_t as_seen(uint64_t value, uint64_t shadow, uint64_t mask)
{
	return (value & ~mask) | (shadow & mask);
}

void vcpu_dump(const struct vcpu *vcpu, struct dump_cpu *ret)
{
	_Static_assert((unsigned)DUMP_TR == (unsigned)SEG_TR, "the same order");

	memcpy(ret->gpr, vcpu->regs.gpr, sizeof(ret->gpr));
	ret->gpr[RSP] = field(vcpu, VMCS_GUEST_RSP);
	ret->rip = field(vcpu, VMCS_GUEST_RIP);
	ret->rflags = field(vcpu, VMCS_GUEST_RFLAGS);
	for (unsigned i = 0; i < N_DUMP_SEGMENTS; i++)
		ret->segment[i] = dump_segment(vcpu, (enum segment)i);
	ret->gdt = (struct dump_segment){.base = field(vcpu, VMCS_GUEST_GDTR_BASE),
					 .limit = (uint32_t)field(vcpu, VMCS_GUEST_GDTR_LIMIT)};
	ret->idt = (struct dump_segment){.base = field(vcpu, VMCS_GUEST_IDTR_BASE),
					 .limit = (uint32_t)field(vcpu, VMCS_GUEST_IDTR_LIMIT)};
	ret->cr[0] = as_seen(field(vcpu, VMCS_GUEST_CR0), field(vcpu, VMCS_CR0_SHADOW),
			     CR0_NE | CR0_CD | CR0_NW);
	ret->cr[1] = 0;
	ret->cr[2] = vcpu->saved_in->saved.cr2;
	ret->cr[3] = field(vcpu, VMCS_GUEST_CR3);
	ret->cr[4] = as_seen(field(vcpu, VMCS_GUEST_CR4), field(vcpu, VMCS_CR4_SHADOW),
			     ~vcpu->cpuid->cr4_allowed);
	ret->kernel_gs_base = vcpu->saved_in->saved.switched_msr[SWITCHED_KERNEL_GS_BASE];
}
