/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX on this processor: its capabilities, VMXON, and the flushes. */
#include "hv/vmx/vmx.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/vmx/invept.h"

#define CPUID_1_ECX_VMX	  BIT(5)
#define CPUID_1_ECX_XSAVE BIT(26)
/* IA32_VMX_BASIC: the TRUE capability MSRs exist. */
#define BASIC_TRUE_CONTROLS BIT(55)
#define BASIC_REVISION	    BITS(30, 0)

static void read_controls(struct vmx_capability *cap)
{
	static const uint32_t plain[] = {IA32_VMX_PINBASED_CTLS, IA32_VMX_PROCBASED_CTLS,
					 IA32_VMX_EXIT_CTLS, IA32_VMX_ENTRY_CTLS};
	static const enum control_word word[] = {CONTROLS_PIN, CONTROLS_PROC, CONTROLS_EXIT,
						 CONTROLS_ENTRY};
	uint32_t step = cap->basic & BASIC_TRUE_CONTROLS
				? IA32_VMX_TRUE_PINBASED_CTLS - IA32_VMX_PINBASED_CTLS
				: 0;

	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		cap->control[word[i]] = rdmsr(plain[i] + step);
	if (cap->control[CONTROLS_PROC] >> 32 & PROC_SECONDARY)
		cap->control[CONTROLS_PROC2] = rdmsr(IA32_VMX_PROCBASED_CTLS2);
	if (cap->control[CONTROLS_PROC2] >> 32 & (PROC2_EPT | PROC2_VPID))
		cap->ept_vpid = rdmsr(IA32_VMX_EPT_VPID_CAP);
}

void vmx_read_capability(struct vmx_capability *ret)
{
	struct cpuid_regs regs;

	cpuid(1, 0, &regs);
	*ret = (struct vmx_capability){
		.vmx = regs.ecx & CPUID_1_ECX_VMX,
		.xsave = regs.ecx & CPUID_1_ECX_XSAVE,
	};
	if (!ret->vmx)
		return;
	ret->feature_control = rdmsr(IA32_FEATURE_CONTROL);
	ret->basic = rdmsr(IA32_VMX_BASIC);
	ret->misc = rdmsr(IA32_VMX_MISC);
	ret->cr0_fixed0 = rdmsr(IA32_VMX_CR0_FIXED0);
	ret->cr0_fixed1 = rdmsr(IA32_VMX_CR0_FIXED1);
	ret->cr4_fixed0 = rdmsr(IA32_VMX_CR4_FIXED0);
	ret->cr4_fixed1 = rdmsr(IA32_VMX_CR4_FIXED1);
	read_controls(ret);
}

void vmx_write_revision(const struct vmx_capability *cap, phys_t region)
{
	*(uint32_t *)phys_to_virt(region) = (uint32_t)(cap->basic & BASIC_REVISION);
}

void vmx_on(const struct vmx_capability *cap, phys_t region)
{
	bool ok;

	if (!(cap->feature_control & FEATURE_CONTROL_LOCK))
		wrmsr(IA32_FEATURE_CONTROL, FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX);
	write_cr0((read_cr0() | cap->cr0_fixed0) & cap->cr0_fixed1);
	write_cr4((read_cr4() | cap->cr4_fixed0) & cap->cr4_fixed1);
	vmx_write_revision(cap, region);
	asm volatile("vmxon %[region]" : "=@cca"(ok) : [region] "m"(region) : "memory");
	assert(ok);
}

static void flush_vpid(uint64_t type, uint16_t vpid)
{
	uint64_t descriptor[2] = {vpid};
	bool ok;

	asm volatile("invvpid %[descriptor], %[type]"
		     : "=@cca"(ok)
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "memory");
	assert(ok);
}

void vmx_flush_vpid(const struct vmx_capability *cap, uint16_t vpid)
{
	flush_vpid(cap->ept_vpid & EPT_CAP_INVVPID_SINGLE ? FLUSH_SINGLE : FLUSH_ALL, vpid);
}

void vmx_flush_vpids(const struct vmx_capability *cap)
{
	if (cap->ept_vpid & EPT_CAP_INVVPID_ALL) {
		flush_vpid(FLUSH_ALL, 0);
		return;
	}
	for (uint16_t vpid = UINT16_MAX; vpid > 0; vpid--)
		flush_vpid(FLUSH_SINGLE, vpid);
}
