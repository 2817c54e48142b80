/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: leaves that agree with each other and with the machine. */
#include "tests/guest/exits/exits.h"

#define HYPERVISOR     0x40000000u
#define EXTENDED       0x80000000u
#define ECX_VMX	       BIT(5)
#define ECX_X2APIC     BIT(21)
#define ECX_XSAVE      BIT(26)
#define ECX_OSXSAVE    BIT(27)
#define ECX_HYPERVISOR BIT(31)
#define EDX_NEEDED     (BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) | BIT(25) | BIT(26))
#define EDX_LONG_MODE  BIT(29)

static bool same(struct cpuid a, struct cpuid b)
{
	return a.eax == b.eax && a.ebx == b.ebx && a.ecx == b.ecx && a.edx == b.edx;
}

static void vendor_of(uint32_t leaf, bool hypervisor, char text[13])
{
	struct cpuid r = cpuid(leaf, 0);
	uint32_t words[3] = {r.ebx, hypervisor ? r.ecx : r.edx, hypervisor ? r.edx : r.ecx};

	memcpy(text, words, 12);
	text[12] = '\0';
}

static void check_vendors(void)
{
	char processor[13], hypervisor[13];

	vendor_of(0, false, processor);
	vendor_of(HYPERVISOR, true, hypervisor);
	report(strlen(processor) == 12, "cpuid: vendor \"%s\"", processor);
	report(cpuid(1, 0).ecx & ECX_HYPERVISOR, "cpuid: hypervisor bit");
	report(cpuid(HYPERVISOR, 0).eax >= HYPERVISOR && hypervisor[0] > ' ',
	       "cpuid: hypervisor \"%s\", last leaf %#x", hypervisor, cpuid(HYPERVISOR, 0).eax);
}

static void check_features(void)
{
	struct cpuid r = cpuid(1, 0);

	report(!(r.ecx & ECX_VMX), "cpuid: no VMX");
	report((r.edx & EDX_NEEDED) == EDX_NEEDED, "cpuid: 1.EDX %#x has the basics", r.edx);
	report(cpuid(EXTENDED + 1, 0).edx & EDX_LONG_MODE, "cpuid: long mode");
	r = cpuid(EXTENDED + 8, 0);
	report((r.eax & 0xff) >= 32 && (r.eax & 0xff) <= 52 && (r.eax >> 8 & 0xff) >= 48,
	       "cpuid: %u physical, %u virtual address bits", r.eax & 0xff, r.eax >> 8 & 0xff);
}

static void check_osxsave(void)
{
	uint64_t cr4 = read_cr4();
	struct cpuid d;

	if (!(cpuid(1, 0).ecx & ECX_XSAVE)) {
		report_missing("cpuid: no XSAVE");
		return;
	}
	write_cr4(cr4 & ~CR4_OSXSAVE);
	report(!(cpuid(1, 0).ecx & ECX_OSXSAVE), "cpuid: OSXSAVE follows CR4, off");
	write_cr4(cr4 | CR4_OSXSAVE);
	report(cpuid(1, 0).ecx & ECX_OSXSAVE, "cpuid: OSXSAVE follows CR4, on");
	xsetbv(0, 1);
	d = cpuid(0xd, 0);
	report(d.ebx == 576 && d.ecx >= d.ebx, "cpuid: XSAVE area for x87 %u of %u", d.ebx, d.ecx);
	if (d.eax & 4) {
		struct cpuid avx = cpuid(0xd, 2);

		xsetbv(0, 7);
		d = cpuid(0xd, 0);
		report(avx.eax == 256 && d.ebx == avx.ebx + avx.eax,
		       "cpuid: XSAVE area with AVX %u", d.ebx);
		xsetbv(0, 1);
	}
	write_cr4(cr4);
}

static void check_topology(void)
{
	uint32_t id = cpuid(1, 0).ebx >> 24;

	if (cpuid(0, 0).eax < 0xb || cpuid(0xb, 0).ebx == 0) {
		report_skip("cpuid: no leaf 0xb");
		return;
	}
	report((cpuid(0xb, 0).edx & 0xff) == id, "cpuid: APIC ID %#x in leaves 1 and 0xb", id);
	report((cpuid(0xb, 1).ecx & 0xff) == 1, "cpuid: leaf 0xb repeats the level");
}

/* The frequencies that a kernel without a PIT depends on. */
static void check_frequencies(void)
{
	struct cpuid crystal, base;
	uint64_t hz;

	if (cpuid(0, 0).eax < 0x16) {
		report_missing("cpuid: no leaves 0x15 and 0x16");
		return;
	}
	crystal = cpuid(0x15, 0);
	base = cpuid(0x16, 0);
	if (!report(crystal.eax != 0 && crystal.ebx != 0 && crystal.ecx != 0,
		    "cpuid: leaf 0x15: %u * %u / %u", crystal.ecx, crystal.ebx, crystal.eax))
		return;
	hz = (uint64_t)crystal.ecx * crystal.ebx / crystal.eax;
	report(hz / 1000000 + 1 >= base.eax && hz / 1000000 <= base.eax + 1u,
	       "cpuid: TSC %lu Hz, leaf 0x16 %u MHz", hz, base.eax);
}

static void check_range(void)
{
	uint32_t last = cpuid(0, 0).eax;
	bool stable = true;

	report(last >= 0xd, "cpuid: last basic leaf %#x", last);
	report(cpuid(EXTENDED, 0).eax >= EXTENDED + 8, "cpuid: last extended leaf %#x",
	       cpuid(EXTENDED, 0).eax);
	for (uint32_t leaf = 0; leaf <= 0x40; leaf++) {
		for (uint32_t subleaf = 0; subleaf < 4; subleaf++)
			stable &= leaf == 0xd || same(cpuid(leaf, subleaf), cpuid(leaf, subleaf));
	}
	report(stable, "cpuid: the same answer twice");
	report(same(cpuid(0x3fffffff, 0), cpuid(0x12345678, 0)),
	       "cpuid: leaves beyond the last agree");
}

/* Registers that hold no part of the answer keep their values, and the answer clears upper halves.
 */
static void check_registers(uint32_t leaf)
{
	uint64_t regs[16], kept = 0;
	struct cpuid r = cpuid(leaf, 0);

	for (unsigned i = 0; i < 16; i++)
		regs[i] = UINT64_C(0x0123456789abcde0) + i;
	regs[0] = leaf | UINT64_C(0xffffffff00000000);
	regs[1] = UINT64_C(0xffffffff00000000);
	cpuid_registers(regs);
	for (unsigned i = 5; i < 16; i++)
		kept += regs[i] == UINT64_C(0x0123456789abcde0) + i;
	report(kept == 11 && regs[0] == r.eax && regs[1] == r.ecx && regs[2] == r.edx &&
		       regs[3] == r.ebx,
	       "cpuid: leaf %#x changes four registers, %lu others are kept", leaf, kept);
}

void cpuid_check(void)
{
	check_range();
	check_registers(0);
	check_registers(1);
	check_registers(2);
	check_vendors();
	check_features();
	check_osxsave();
	check_topology();
	check_frequencies();
}
