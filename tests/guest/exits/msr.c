/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RDMSR and WRMSR of every index in the ranges in use give a value or #GP and have no other
 * effect. The test restores what it writes, so that the run can continue.
 */
#include "tests/guest/exits/exits.h"

struct access {
	uint32_t index;
	uint64_t value;
};

struct range {
	uint32_t first, last;
};

struct counts {
	uint32_t readable, writable, other_faults, not_restored;
};

static const struct range ranges[] = {
	{0x00000000, 0x00001fff},
	{0xc0000000, 0xc0001fff},
	{0x40000000, 0x400000ff},
};

static const uint64_t written[] = {
	0,
	UINT64_MAX,
	UINT64_C(0x8000000000000001),
	UINT64_C(0x0000123456789abc),
};

/* Registers that count, or that a write changes by design: SDM vol. 4. */
static const struct range volatile_msrs[] = {
	{0x10, 0x10},
	{0x3b, 0x3b},
	{0x49, 0x49},
	{0x79, 0x79},
	{0xc1, 0xc8},
	{0xe7, 0xe8},
	{0x198, 0x19c},
	{0x309, 0x30c},
	{0x38e, 0x38e},
	{0x6e0, 0x6e0},
	{0x40000000, 0x400000ff},
};

static void do_read(void *arg)
{
	struct access *a = arg;

	a->value = rdmsr(a->index);
}

static void do_write(void *arg)
{
	const struct access *a = arg;

	wrmsr(a->index, a->value);
}

static bool is_volatile(uint32_t index)
{
	for (size_t i = 0; i < sizeof(volatile_msrs) / sizeof(volatile_msrs[0]); i++) {
		if (index >= volatile_msrs[i].first && index <= volatile_msrs[i].last)
			return true;
	}
	return false;
}

static bool faulted(void (*fn)(void *), struct access *a, struct counts *counts)
{
	int vector = catch_fault(fn, a);

	if (vector != NO_FAULT && vector != VECTOR_GP) {
		counts->other_faults++;
		print("  MSR %#x: vector %d\n", a->index, vector);
	}
	return vector != NO_FAULT;
}

static void try_one(uint32_t index, struct counts *counts)
{
	struct access before = {.index = index}, a = {.index = index};
	bool readable;
	bool was_written = false;

	if (index == MSR_APIC_BASE && !param_given("strict"))
		return; /* TCG cannot enable the APIC again */
	readable = !faulted(do_read, &before, counts);
	counts->readable += readable;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		a.value = written[i];
		was_written |= !faulted(do_write, &a, counts);
		if (readable)
			faulted(do_write, &before, counts);
	}
	counts->writable += was_written;
	if (!readable || is_volatile(index))
		return;
	if (faulted(do_read, &a, counts) || a.value != before.value) {
		counts->not_restored++;
		print("  MSR %#x: %#lx, before %#lx\n", index, a.value, before.value);
	}
}

/* Whether the TSC is now 'by' ahead of where it would be, give or take a slice of another VM. */
static bool tsc_moved(uint64_t before, uint64_t by)
{
	return rdtsc() - before - by < UINT64_C(1) << 36;
}

/* SDM vol. 3, "IA32_TSC_ADJUST": a write to either MSR moves both. */
static void adjust_check(void)
{
	uint64_t far = UINT64_C(1) << 40, before;

	if (!(cpuid(7, 0).ebx >> 1 & 1)) {
		report(!param_given("strict"), "msr: no IA32_TSC_ADJUST");
		return;
	}
	report(rdmsr(MSR_TSC_ADJUST) == 0, "msr: IA32_TSC_ADJUST is 0 at first");
	before = rdtsc();
	wrmsr(MSR_TSC_ADJUST, far);
	report(rdmsr(MSR_TSC_ADJUST) == far && tsc_moved(before, far),
	       "msr: IA32_TSC_ADJUST moves the TSC");
	before = rdtsc();
	wrmsr(MSR_TSC, before + far);
	report(2 * far - rdmsr(MSR_TSC_ADJUST) < far && tsc_moved(before, far),
	       "msr: a write of the TSC moves IA32_TSC_ADJUST");
	before = rdtsc();
	wrmsr(MSR_TSC_ADJUST, 0);
	report(rdmsr(MSR_TSC_ADJUST) == 0 && tsc_moved(before, -2 * far),
	       "msr: IA32_TSC_ADJUST moves the TSC back");
}

void msr_check(void)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4(), efer = rdmsr(MSR_EFER);
	uint64_t tsc = rdtsc();

	adjust_check();
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];
		struct counts counts = {0};

		for (uint32_t index = r->first; index <= r->last; index++)
			try_one(index, &counts);
		report(counts.other_faults == 0 && counts.not_restored == 0,
		       "msr: %#x to %#x: %u readable, %u writable, the others #GP", r->first,
		       r->last, counts.readable, counts.writable);
	}
	wrmsr(MSR_TSC, tsc);
	report(cr0 == read_cr0() && cr4 == read_cr4() && efer == rdmsr(MSR_EFER),
	       "msr: CR0, CR4, EFER as before");
}
