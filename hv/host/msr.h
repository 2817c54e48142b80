/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* SDM vol. 4, "Architectural MSRs", except MSR_PLATFORM_INFO: those that Stencil reads, writes or
 * filters. */
enum {
	IA32_P5_MC_ADDR = 0x0,
	IA32_P5_MC_TYPE = 0x1,
	IA32_TIME_STAMP_COUNTER = 0x10,
	IA32_PLATFORM_ID = 0x17,
	IA32_APIC_BASE = 0x1b,
	IA32_TEST_CTRL = 0x33,
	IA32_FEATURE_CONTROL = 0x3a,
	IA32_TSC_ADJUST = 0x3b,
	IA32_SPEC_CTRL = 0x48,
	IA32_PRED_CMD = 0x49,
	IA32_BIOS_UPDT_TRIG = 0x79,
	IA32_BIOS_SIGN_ID = 0x8b,
	MSR_PLATFORM_INFO = 0xce,
	IA32_CORE_CAPABILITIES = 0xcf,
	IA32_MPERF = 0xe7,
	IA32_APERF = 0xe8,
	IA32_MTRRCAP = 0xfe,
	IA32_ARCH_CAPABILITIES = 0x10a,
	IA32_FLUSH_CMD = 0x10b,
	IA32_TSX_CTRL = 0x122,
	IA32_MCU_OPT_CTRL = 0x123,
	IA32_SYSENTER_CS = 0x174,
	IA32_SYSENTER_ESP = 0x175,
	IA32_SYSENTER_EIP = 0x176,
	IA32_MCG_CAP = 0x179,
	IA32_MCG_STATUS = 0x17a,
	IA32_MCG_CTL = 0x17b,
	IA32_PERF_STATUS = 0x198,
	IA32_PERF_CTL = 0x199,
	IA32_CLOCK_MODULATION = 0x19a,
	IA32_THERM_STATUS = 0x19c,
	IA32_MISC_ENABLE = 0x1a0,
	IA32_XFD = 0x1c4,
	IA32_DEBUGCTL = 0x1d9,
	IA32_MTRR_PHYSBASE0 = 0x200,
	IA32_MTRR_FIX64K_00000 = 0x250,
	IA32_MTRR_FIX16K_80000 = 0x258,
	IA32_MTRR_FIX16K_A0000 = 0x259,
	IA32_MTRR_FIX4K_C0000 = 0x268,
	IA32_MTRR_FIX4K_F8000 = 0x26f,
	IA32_PAT = 0x277,
	IA32_MTRR_DEF_TYPE = 0x2ff,
	IA32_PERF_GLOBAL_STATUS = 0x38e,
	IA32_PERF_GLOBAL_CTRL = 0x38f,
	IA32_PEBS_ENABLE = 0x3f1,
	IA32_MC0_CTL = 0x400,
	IA32_MC0_STATUS = 0x401,
	/* SDM vol. 3, appendix "VMX Capability Reporting Facility" */
	IA32_VMX_BASIC = 0x480,
	IA32_VMX_PINBASED_CTLS = 0x481,
	IA32_VMX_PROCBASED_CTLS = 0x482,
	IA32_VMX_EXIT_CTLS = 0x483,
	IA32_VMX_ENTRY_CTLS = 0x484,
	IA32_VMX_MISC = 0x485,
	IA32_VMX_CR0_FIXED0 = 0x486,
	IA32_VMX_CR0_FIXED1 = 0x487,
	IA32_VMX_CR4_FIXED0 = 0x488,
	IA32_VMX_CR4_FIXED1 = 0x489,
	IA32_VMX_VMCS_ENUM = 0x48a,
	IA32_VMX_PROCBASED_CTLS2 = 0x48b,
	IA32_VMX_EPT_VPID_CAP = 0x48c,
	IA32_VMX_TRUE_PINBASED_CTLS = 0x48d,
	IA32_VMX_TRUE_PROCBASED_CTLS = 0x48e,
	IA32_VMX_TRUE_EXIT_CTLS = 0x48f,
	IA32_VMX_TRUE_ENTRY_CTLS = 0x490,
	IA32_VMX_VMFUNC = 0x491,
	IA32_VMX_PROCBASED_CTLS3 = 0x492,
	IA32_VMX_EXIT_CTLS2 = 0x493,
	IA32_MCG_EXT_CTL = 0x4d0,
	IA32_RTIT_CTL = 0x570,
	IA32_S_CET = 0x6a2,
	IA32_TSC_DEADLINE = 0x6e0,
	IA32_PKRS = 0x6e1,
	IA32_X2APIC_FIRST = 0x800, /* the register at xAPIC offset o is at + o / 16 */
	IA32_X2APIC_LAST = 0x8ff,
	IA32_XSS = 0xda0,
	IA32_LBR_CTL = 0x14ce,
};

#define IA32_EFER	    UINT32_C(0xc0000080)
#define IA32_STAR	    UINT32_C(0xc0000081)
#define IA32_LSTAR	    UINT32_C(0xc0000082)
#define IA32_CSTAR	    UINT32_C(0xc0000083)
#define IA32_FMASK	    UINT32_C(0xc0000084)
#define IA32_FS_BASE	    UINT32_C(0xc0000100)
#define IA32_GS_BASE	    UINT32_C(0xc0000101)
#define IA32_KERNEL_GS_BASE UINT32_C(0xc0000102)
#define IA32_TSC_AUX	    UINT32_C(0xc0000103)

/* KVM's, for its guests. Linux, Documentation/virt/kvm/x86/msr.rst. */
#define MSR_KVM_WALL_CLOCK_NEW	UINT32_C(0x4b564d00)
#define MSR_KVM_SYSTEM_TIME_NEW UINT32_C(0x4b564d01)
#define MSR_KVM_STEAL_TIME	UINT32_C(0x4b564d03)
#define MSR_KVM_PV_EOI_EN	UINT32_C(0x4b564d04)

#define APIC_BASE_BSP	 BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

#define MISC_ENABLE_NX_OFF BIT(34) /* hides NX, also from CPUID */

#define FEATURE_CONTROL_LOCK	    BIT(0)
#define FEATURE_CONTROL_VMX_IN_SMX  BIT(1)
#define FEATURE_CONTROL_VMX_OUT_SMX BIT(2)
#define FEATURE_CONTROL_LMCE	    BIT(20)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME	       BIT(0)
#define CR4_PVI	       BIT(1)
#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_PCE	       BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE	       BIT(22)
#define CR4_CET	       BIT(23)

/* For MSRs known to exist: otherwise #GP, and so a panic. */
static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

/* The same with one instruction less, of a value in memory. */
static inline void wrmsr_from(uint32_t msr, const uint64_t *value)
{
	asm volatile("mov %[value], %%eax\n\t"
		     "mov 4+%[value], %%edx\n\t"
		     "wrmsr"
		     :
		     : "c"(msr), [value] "m"(*value)
		     : "eax", "edx", "memory");
}

/* msr.asm: false if the processor answers with #GP; *ret is then untouched. Needs idt_init(). */
bool rdmsr_safe(uint32_t msr, uint64_t *ret);

/* False if the processor answers with #GP. Needs idt_init(). */
bool wrmsr_safe(uint32_t msr, uint64_t value);

/* An instruction of msr.asm that may raise #GP, and where to resume: relative to each field. */
struct msr_fixup {
	int32_t fault, resume;
};
extern const struct msr_fixup msr_fixups[], msr_fixups_end[];
