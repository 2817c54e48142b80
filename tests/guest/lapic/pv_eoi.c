/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's EOI: an interrupt ends by a flag in memory. Linux, Documentation/virt/kvm/x86/msr.rst. */
#include "tests/guest/lapic/lapic.h"

#define MSR_PV_EOI_EN UINT32_C(0x4b564d04)
#define PV_EOI	      BIT(6) /* of the features */
#define VECTOR	      0x51
#define LOWER	      0x41
#define N	      10

static volatile uint32_t flag;
static volatile unsigned n_flagged, n_written, n_lower;

/* EAX of KVM's leaf of features; 0: there is no KVM. */
static uint32_t kvm_features(void)
{
	for (uint32_t leaf = 0x40000000; leaf < 0x40001000; leaf += 0x100)
		if (cpuid(leaf, 0).ebx == 0x4b4d564b) /* "KVMK" */
			return cpuid(leaf + 1, 0).eax;
	return 0;
}

/* As Linux does it. The lower vector waits until this one has ended. */
static bool end(struct trap_frame *f)
{
	bool was_set;

	(void)f;
	asm volatile("btrl $0, %0" : "+m"(flag), "=@ccc"(was_set));
	if (was_set)
		n_flagged++;
	else
		n_written++;
	if (!was_set)
		apic_write(APIC_EOI, 0);
	return true;
}

static bool count_lower(struct trap_frame *f)
{
	n_lower++;
	return end(f);
}

static void interrupt(uint8_t vector)
{
	apic_self_ipi(vector);
	sti();
	for (int i = 0; i < 100; i++)
		cpu_pause();
	cli();
}

void pv_eoi_check(void)
{
	if (!(kvm_features() & PV_EOI))
		return;
	trap_hook(VECTOR, end);
	trap_hook(LOWER, count_lower);
	wrmsr(MSR_PV_EOI_EN, (uint64_t)&flag | 1);
	for (int i = 0; i < N; i++)
		interrupt(VECTOR);
	report(n_flagged + n_written == N, "pv eoi: %u of %u by the flag", n_flagged, N);
	if (param_given("pv-eoi"))
		report(n_flagged == N, "pv eoi: each, because the processor cannot");
	interrupt(LOWER);
	report(n_lower == 1, "pv eoi: a lower vector is delivered behind");
	report(!apic_in_service(VECTOR) && !apic_in_service(LOWER), "pv eoi: all have ended");
	report(flag == 0, "pv eoi: the flag is not set without an interrupt");
	wrmsr(MSR_PV_EOI_EN, 0);
	interrupt(VECTOR);
	report(n_flagged + n_written == N + 2 && !apic_in_service(VECTOR),
	       "pv eoi: without a flag again");
}
