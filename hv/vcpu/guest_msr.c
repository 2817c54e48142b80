/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that are only memory in a guest, and the bitmap that lets the harmless ones through. MSRs
 * with an effect (EFER, APIC, TSC) are in hv/run/exit_msr.c.
 */
#include "hv/vcpu/guest_msr.h"

#include "hv/devices/lapic_lend.h"
#include "hv/host/msr.h"
#include "hv/lib/string.h"

/* Eight variable ranges, fixed ranges, write-combining. SDM vol. 3, "IA32_MTRRCAP_MSR". */
#define MTRRCAP		   (8 | BIT(8) | BIT(10))
#define MTRR_DEF_TYPE_BITS (0xff | BIT(10) | BIT(11))
#define MTRR_TYPE_WB	   6
/* Fast strings on; BTS and PEBS unavailable. SDM vol. 4, "IA32_MISC_ENABLE". */
#define MISC_ENABLE_RESET (BIT(0) | BIT(11) | BIT(12))
/*
 * Fast strings, thermal monitor, SpeedStep, MONITOR, CPUID limit, xTPR, XD: memory without effect,
 * as under KVM. The bits of performance monitoring are read-only.
 */
#define MISC_ENABLE_WRITABLE (BIT(0) | BIT(3) | BIT(16) | BIT(18) | BIT(22) | BIT(23) | BIT(34))

void guest_msrs_reset(struct guest_msrs *msrs, uint64_t microcode)
{
	*msrs = (struct guest_msrs){
		.mtrr_def_type = MTRR_TYPE_WB | BIT(11),
		.misc_enable = MISC_ENABLE_RESET,
		.microcode = microcode,
	};
}

static bool mtrr_type_valid(uint64_t type)
{
	return type <= 1 || (type >= 4 && type <= 6);
}

/* The field that the MTRR's number stands for, or NULL. */
static uint64_t *mtrr_word(struct guest_msrs *msrs, uint32_t msr)
{
	if (msr >= IA32_MTRR_PHYSBASE0 && msr < IA32_MTRR_PHYSBASE0 + 16)
		return &msrs->mtrr_variable[msr - IA32_MTRR_PHYSBASE0];
	if (msr == IA32_MTRR_FIX64K_00000)
		return &msrs->mtrr_fixed[0];
	if (msr == IA32_MTRR_FIX16K_80000 || msr == IA32_MTRR_FIX16K_A0000)
		return &msrs->mtrr_fixed[1 + msr - IA32_MTRR_FIX16K_80000];
	if (msr >= IA32_MTRR_FIX4K_C0000 && msr <= IA32_MTRR_FIX4K_F8000)
		return &msrs->mtrr_fixed[3 + msr - IA32_MTRR_FIX4K_C0000];
	if (msr == IA32_MTRR_DEF_TYPE)
		return &msrs->mtrr_def_type;
	return NULL;
}

static bool mtrr_value_valid(uint32_t msr, uint64_t value)
{
	if (msr == IA32_MTRR_DEF_TYPE)
		return !(value & ~(uint64_t)MTRR_DEF_TYPE_BITS) && mtrr_type_valid(value & 0xff);
	if (msr < IA32_MTRR_FIX64K_00000)
		return !(value >> 52) && (msr & 1 ? true : mtrr_type_valid(value & 0xff));
	for (unsigned i = 0; i < 64; i += 8)
		if (!mtrr_type_valid(value >> i & 0xff))
			return false;
	return true;
}

bool guest_msr_read(const struct guest_msrs *msrs, uint32_t msr, uint64_t *ret)
{
	const uint64_t *word = mtrr_word((struct guest_msrs *)msrs, msr);

	if (word != NULL)
		*ret = *word;
	else if (msr == IA32_MTRRCAP)
		*ret = MTRRCAP;
	else if (msr == IA32_MISC_ENABLE)
		*ret = msrs->misc_enable;
	else if (msr == IA32_BIOS_SIGN_ID)
		*ret = msrs->microcode;
	else if (msr == IA32_P5_MC_ADDR || msr == IA32_P5_MC_TYPE || msr == IA32_PLATFORM_ID ||
		 msr == IA32_MCG_CAP || msr == IA32_MCG_STATUS || msr == IA32_DEBUGCTL ||
		 msr == MSR_PLATFORM_INFO)
		*ret = 0;
	else
		return false;
	return true;
}

bool guest_msr_write(struct guest_msrs *msrs, uint32_t msr, uint64_t value)
{
	uint64_t *word = mtrr_word(msrs, msr);

	if (word != NULL) {
		if (!mtrr_value_valid(msr, value))
			return false;
		*word = value;
		return true;
	}
	switch (msr) {
	case IA32_MISC_ENABLE:
		if ((value ^ msrs->misc_enable) & ~MISC_ENABLE_WRITABLE)
			return false;
		msrs->misc_enable = value;
		return true;
	/*
	 * Software writes the revision before it asks CPUID for it: the write has no effect. An
	 * update is accepted and ignored, as under KVM.
	 */
	case IA32_BIOS_SIGN_ID:
	case IA32_BIOS_UPDT_TRIG:
		return true;
	case IA32_MCG_STATUS:
	case IA32_DEBUGCTL:
		return value == 0;
	default:
		return false;
	}
}

bool guest_msrs_are_valid(const struct guest_msrs *msrs)
{
	bool valid = mtrr_value_valid(IA32_MTRR_DEF_TYPE, msrs->mtrr_def_type);

	for (uint32_t i = 0; i < ARRAY_SIZE(msrs->mtrr_variable); i++)
		valid &= mtrr_value_valid(IA32_MTRR_PHYSBASE0 + i, msrs->mtrr_variable[i]);
	for (uint32_t i = 0; i < ARRAY_SIZE(msrs->mtrr_fixed); i++)
		valid &= mtrr_value_valid(IA32_MTRR_FIX64K_00000, msrs->mtrr_fixed[i]);
	return valid && !((msrs->misc_enable ^ MISC_ENABLE_RESET) & ~MISC_ENABLE_WRITABLE);
}

/* The bitmap's quarters: reads of low and high MSRs, then writes. */
static uint8_t *bitmap_byte(uint8_t bitmap[4096], uint32_t msr, bool write)
{
	bool high = msr >= 0xc0000000;

	return &bitmap[(write ? 2048 : 0) + (high ? 1024 : 0) + (msr & 0x1fff) / 8];
}

static void let_through(uint8_t bitmap[4096], uint32_t msr, bool write)
{
	*bitmap_byte(bitmap, msr, write) &= (uint8_t) ~(1U << (msr % 8));
}

void msr_bitmap_init(uint8_t bitmap[4096], bool has_rdtscp)
{
	/*
	 * In the VMCS, or switched by vcpu_load(): the guest owns the register while the guest
	 * runs.
	 */
	static const uint32_t owned[] = {
		IA32_SYSENTER_CS, IA32_SYSENTER_ESP, IA32_SYSENTER_EIP,	  IA32_PAT,
		IA32_FS_BASE,	  IA32_GS_BASE,	     IA32_KERNEL_GS_BASE, IA32_STAR,
		IA32_LSTAR,	  IA32_CSTAR,	     IA32_FMASK,
	};

	memset(bitmap, 0xff, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		let_through(bitmap, owned[i], false);
		let_through(bitmap, owned[i], true);
	}
	let_through(bitmap, IA32_TIME_STAMP_COUNTER, false);
	if (has_rdtscp) {
		let_through(bitmap, IA32_TSC_AUX, false);
		let_through(bitmap, IA32_TSC_AUX, true);
	}
}

void msr_bitmap_free_eoi(uint8_t bitmap[4096])
{
	let_through(bitmap, IA32_X2APIC_FIRST + 0xb0 / 16, true);
}

void msr_bitmap_free_tpr(uint8_t bitmap[4096], bool reads)
{
	let_through(bitmap, IA32_X2APIC_FIRST + VIRTUAL_APIC_TPR / 16, false);
	let_through(bitmap, IA32_X2APIC_FIRST + VIRTUAL_APIC_TPR / 16, true);
	for (uint32_t msr = IA32_X2APIC_FIRST; reads && msr <= IA32_X2APIC_LAST; msr++)
		if (lapic_shows(msr - IA32_X2APIC_FIRST))
			let_through(bitmap, msr, false);
}

bool msr_bitmap_exits(const uint8_t bitmap[4096], uint32_t msr, bool write)
{
	return *bitmap_byte((uint8_t *)bitmap, msr, write) >> (msr % 8) & 1;
}
