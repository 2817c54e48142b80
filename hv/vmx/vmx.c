/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMX instructions of this processor: on, load and clear a VMCS, flush. What
 * the fields should hold is decided elsewhere.
 */
#include "hv/vmx/vmx.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/vmx/entry.h"
#include "hv/vmx/exit_reason.h"
#include "hv/vmx/vmcs.h"

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

static void write_revision(const struct vmx_capability *cap, phys_t region)
{
	*(uint32_t *)phys_to_virt(region) = (uint32_t)(cap->basic & BASIC_REVISION);
}

void vmx_on(const struct vmx_capability *cap, phys_t region)
{
	bool ok;

	if (!(cap->feature_control & FEATURE_CONTROL_LOCK))
		wrmsr(IA32_FEATURE_CONTROL,
		      cap->feature_control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX);
	write_cr0((read_cr0() | cap->cr0_fixed0) & cap->cr0_fixed1);
	write_cr4((read_cr4() | cap->cr4_fixed0) & cap->cr4_fixed1);
	write_revision(cap, region);
	asm volatile("vmxon %[region]" : "=@cca"(ok) : [region] "m"(region) : "memory");
	assert(ok);
}

static void vmcs_clear(phys_t vmcs)
{
	bool ok;

	asm volatile("vmclear %[vmcs]" : "=@cca"(ok) : [vmcs] "m"(vmcs) : "memory");
	assert(ok);
}

static void vmcs_load(phys_t vmcs)
{
	bool ok;

	asm volatile("vmptrld %[vmcs]" : "=@cca"(ok) : [vmcs] "m"(vmcs) : "memory");
	assert(ok);
}

void vmcs_unlaunch(phys_t vmcs)
{
	vmcs_clear(vmcs);
	vmcs_load(vmcs);
}

void vmcs_init(const struct vmx_capability *cap, phys_t vmcs)
{
	write_revision(cap, vmcs);
	vmcs_unlaunch(vmcs);
}

void vmcs_write_host(const struct vmcs_host *host)
{
	vmcs_write(VMCS_HOST_CR0, read_cr0());
	vmcs_write(VMCS_HOST_CR3, read_cr3());
	vmcs_write(VMCS_HOST_CR4, read_cr4());
	vmcs_write(VMCS_HOST_CS_SEL, host->code_selector);
	vmcs_write(VMCS_HOST_SS_SEL, host->data_selector);
	vmcs_write(VMCS_HOST_DS_SEL, 0);
	vmcs_write(VMCS_HOST_ES_SEL, 0);
	vmcs_write(VMCS_HOST_FS_SEL, 0);
	vmcs_write(VMCS_HOST_GS_SEL, 0);
	vmcs_write(VMCS_HOST_TR_SEL, host->tss_selector);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmcs_write(VMCS_HOST_GS_BASE, host->gs_base);
	vmcs_write(VMCS_HOST_TR_BASE, host->tr_base);
	vmcs_write(VMCS_HOST_GDTR_BASE, host->gdtr_base);
	vmcs_write(VMCS_HOST_IDTR_BASE, host->idtr_base);
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_PAT, rdmsr(IA32_PAT));
	vmcs_write(VMCS_HOST_EFER, rdmsr(IA32_EFER));
	vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_exit);
}

/* Fields of features that are there but not used. */
static void write_unused(const struct vmx_controls *controls)
{
	vmcs_write(VMCS_PF_ERROR_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_LINK_POINTER, UINT64_MAX);
	vmcs_write(VMCS_GUEST_SMBASE, 0);
	if (controls->word[CONTROLS_PROC2] & PROC2_XSAVES)
		vmcs_write(VMCS_XSS_EXITING, UINT64_MAX);
}

void vmcs_write_constant(const struct vmcs_constant *constant)
{
	const uint32_t *word = constant->controls->word;

	vmcs_write(VMCS_PIN_CONTROLS, word[CONTROLS_PIN]);
	vmcs_write(VMCS_PROC_CONTROLS2, word[CONTROLS_PROC2]);
	vmcs_write(VMCS_EXIT_CONTROLS, word[CONTROLS_EXIT]);
	vmcs_write(VMCS_IO_BITMAP_A, constant->io_bitmap_a);
	vmcs_write(VMCS_IO_BITMAP_B, constant->io_bitmap_b);
	vmcs_write(VMCS_MSR_BITMAP, constant->msr_bitmap);
	vmcs_write(VMCS_CR0_MASK, constant->cr0_mask);
	vmcs_write(VMCS_CR4_MASK, constant->cr4_mask);
	if (word[CONTROLS_PROC2] & PROC2_PAUSE_LOOP) {
		/* A spin lock's loop is under 128 ticks a round; 4096 ticks are worth a switch. */
		vmcs_write(VMCS_PLE_GAP, 128);
		vmcs_write(VMCS_PLE_WINDOW, 4096);
	}
	write_unused(constant->controls);
}

void vmcs_read_guest(struct vmcs_guest *ret)
{
#pragma GCC unroll 64
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		ret->field[i] = vmcs_read((enum vmcs_field)vmcs_guest_fields[i]);
}

void vmcs_write_guest(const struct vmcs_guest *guest)
{
#pragma GCC unroll 64
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		vmcs_write((enum vmcs_field)vmcs_guest_fields[i], guest->field[i]);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
}

struct flush_descriptor {
	uint64_t what[2];
};

enum flush_type { FLUSH_SINGLE = 1, FLUSH_ALL = 2 };

void vmx_flush_ept(const struct vmx_capability *cap, uint64_t eptp)
{
	struct flush_descriptor descriptor = {{eptp, 0}};
	uint64_t type = cap->ept_vpid & EPT_CAP_INVEPT_SINGLE ? FLUSH_SINGLE : FLUSH_ALL;
	bool ok;

	asm volatile("invept %[descriptor], %[type]"
		     : "=@cca"(ok)
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "memory");
	assert(ok);
}

void vmx_flush_vpid(const struct vmx_capability *cap, uint16_t vpid)
{
	struct flush_descriptor descriptor = {{vpid, 0}};
	uint64_t type = cap->ept_vpid & EPT_CAP_INVVPID_SINGLE ? FLUSH_SINGLE : FLUSH_ALL;
	bool ok;

	asm volatile("invvpid %[descriptor], %[type]"
		     : "=@cca"(ok)
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "memory");
	assert(ok);
}
