/* SPDX-License-Identifier: BSD-2-Clause */
/* Distinct values in the debug registers, CR2, CR8 and the MSRs that only a kernel uses. */
#include "tests/guest/fpu/fpu.h"

#define PAT_INDEX    0x277u
#define TSC_AUX	     0xc0000103u
#define CPUID_RDTSCP BIT(27)
#define LOW_HALF     UINT64_C(0x00007fffffffffff) /* canonical for any seed */

struct msr {
	uint32_t index;
	uint64_t mask; /* bits that may have any value */
	uint64_t wanted, before;
};

static struct msr msrs[] = {
	{0x174, 0xffff, 0, 0},		/* SYSENTER_CS */
	{0x175, LOW_HALF, 0, 0},	/* SYSENTER_ESP */
	{0x176, LOW_HALF, 0, 0},	/* SYSENTER_EIP */
	{0xc0000081, UINT64_MAX, 0, 0}, /* STAR */
	{0xc0000082, LOW_HALF, 0, 0},	/* LSTAR */
	{0xc0000083, LOW_HALF, 0, 0},	/* CSTAR */
	{0xc0000084, UINT32_MAX, 0, 0}, /* FMASK */
	{0xc0000100, LOW_HALF, 0, 0},	/* FS_BASE */
	{0xc0000101, LOW_HALF, 0, 0},	/* GS_BASE */
	{0xc0000102, LOW_HALF, 0, 0},	/* KERNEL_GS_BASE */
	{TSC_AUX, UINT32_MAX, 0, 0},	{PAT_INDEX, 0, 0, 0},
};
#define N_MSRS (sizeof(msrs) / sizeof(msrs[0]))

/* Write-back first, then one of several legal orders of the other types. */
static const uint64_t pats[] = {
	UINT64_C(0x0007040600070406),
	UINT64_C(0x0007010500070406),
	UINT64_C(0x0607000106070006),
	UINT64_C(0x0506040700010406),
};

static uint64_t dr[4], cr2, cr8;
static uint64_t saved_cr8;

static bool has_tsc_aux(void)
{
	return cpuid(0x80000001, 0).edx & CPUID_RDTSCP;
}

void registers_set(uint64_t seed)
{
	for (size_t i = 0; i < N_MSRS; i++) {
		if (msrs[i].index == TSC_AUX && !has_tsc_aux())
			continue;
		msrs[i].before = rdmsr(msrs[i].index);
		msrs[i].wanted = mix(seed, 300 + i) & msrs[i].mask;
		if (msrs[i].index == PAT_INDEX)
			msrs[i].wanted = pats[seed % 4];
		wrmsr(msrs[i].index, msrs[i].wanted);
	}
	for (unsigned i = 0; i < 4; i++)
		dr[i] = mix(seed, 400 + i) & LOW_HALF;
	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
	cr2 = mix(seed, 500);
	write_cr2(cr2);
	saved_cr8 = read_cr8();
	cr8 = seed % 16;
	write_cr8(cr8);
}

bool registers_kept(void)
{
	bool kept = read_dr0() == dr[0] && read_dr1() == dr[1] && read_dr2() == dr[2] &&
		    read_dr3() == dr[3] && read_cr2() == cr2 && read_cr8() == cr8;

	for (size_t i = 0; i < N_MSRS; i++) {
		if (msrs[i].index == TSC_AUX && !has_tsc_aux())
			continue;
		if (rdmsr(msrs[i].index) == msrs[i].wanted)
			continue;
		print("  MSR %#x: %#lx, not %#lx\n", msrs[i].index, rdmsr(msrs[i].index),
		      msrs[i].wanted);
		kept = false;
	}
	return kept;
}

void registers_restore(void)
{
	for (size_t i = 0; i < N_MSRS; i++) {
		if (msrs[i].index != TSC_AUX || has_tsc_aux())
			wrmsr(msrs[i].index, msrs[i].before);
	}
	write_cr8(saved_cr8);
}
