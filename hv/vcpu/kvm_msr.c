/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of KVM's MSRs: bit 0 enables, the bits from the area's alignment on are its address,
 * and those between are reserved. The clock of the day has no bit to enable it.
 */
#include "hv/vcpu/kvm_msr.h"

#include "hv/host/msr.h"
#include "hv/vcpu/pvclock.h"

struct row {
	uint32_t msr;
	uint32_t len; /* bytes of the area */
	uint64_t reserved;
	uint64_t feature;
};

static const struct row rows[] = {
	{MSR_KVM_WALL_CLOCK_NEW, PVCLOCK_WALL_SIZE, BITS(1, 0), KVM_FEATURE_CLOCKSOURCE2},
	{MSR_KVM_SYSTEM_TIME_NEW, PVCLOCK_SIZE, BIT(1), KVM_FEATURE_CLOCKSOURCE2},
	{MSR_KVM_STEAL_TIME, PVCLOCK_STEAL_SIZE, BITS(5, 1), KVM_FEATURE_STEAL_TIME},
	{MSR_KVM_PV_EOI_EN, sizeof(uint32_t), BIT(1), KVM_FEATURE_PV_EOI},
};

static const struct row *find(uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].msr == msr)
			return &rows[i];
	return NULL;
}

static struct kvm_area area_of(const struct row *row, uint64_t value)
{
	uint64_t gpa = value & ~(row->reserved | KVM_MSR_ENABLED);
	bool is_wanted = row->msr == MSR_KVM_WALL_CLOCK_NEW ? gpa != 0 : value & KVM_MSR_ENABLED;

	return (struct kvm_area){gpa, is_wanted ? row->len : 0};
}

struct kvm_area kvm_msr_area(uint32_t msr, uint64_t value)
{
	return area_of(find(msr), value);
}

bool kvm_msr_check(uint32_t features, uint32_t msr, uint64_t value, struct kvm_area *ret)
{
	const struct row *row = find(msr);

	if (row == NULL || !(features & row->feature) || value & row->reserved)
		return false;
	*ret = area_of(row, value);
	return true;
}

bool kvm_msr_read(const struct kvm_msrs *msrs, uint32_t features, uint32_t msr, uint64_t *ret)
{
	const struct row *row = find(msr);

	if (row == NULL || !(features & row->feature))
		return false;
	if (msr == MSR_KVM_WALL_CLOCK_NEW)
		*ret = 0;
	else if (msr == MSR_KVM_SYSTEM_TIME_NEW)
		*ret = msrs->system_time & ~KVM_CLOCK_IS_BEHIND;
	else if (msr == MSR_KVM_STEAL_TIME)
		*ret = msrs->steal_time & ~KVM_IS_PREEMPTED;
	else
		*ret = msrs->eoi;
	return true;
}

static bool is_valid(uint32_t features, uint32_t msr, uint64_t value)
{
	struct kvm_area area;

	return value == 0 || kvm_msr_check(features, msr, value, &area);
}

bool kvm_msrs_are_valid(const struct kvm_msrs *msrs, uint32_t features)
{
	return is_valid(features, MSR_KVM_SYSTEM_TIME_NEW,
			msrs->system_time & ~KVM_CLOCK_IS_BEHIND) &&
	       is_valid(features, MSR_KVM_STEAL_TIME, msrs->steal_time & ~KVM_IS_PREEMPTED) &&
	       is_valid(features, MSR_KVM_PV_EOI_EN, msrs->eoi);
}
