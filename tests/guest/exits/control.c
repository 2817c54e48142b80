/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control registers: what the architecture forbids is #GP, never death; what it allows
 * reads back. Values are made from the present one: bits to clear, then bits to set.
 */
#include "tests/guest/exits/exits.h"

enum target { CR0, CR3, CR4, CR8, EFER, XCR0, XCR1, DR6, DR7 };

struct control_case {
	const char *what;
	enum target target;
	uint64_t clear, set;
};

/* #GP, by SDM vol. 3, "Control Registers" and vol. 1, "Enabling the XSAVE Feature Set". */
static const struct control_case illegal[] = {
	{"CR0: paging without protection", CR0, BIT(0), 0},
	{"CR0: no paging in 64-bit mode", CR0, BIT(31), 0},
	{"CR0: NW without CD", CR0, CR0_CD, CR0_NW},
	{"CR0: bit 32", CR0, 0, BIT(32)},
	{"CR0: bit 63", CR0, 0, BIT(63)},
	{"CR3: bit 63", CR3, 0, BIT(63)},
	{"CR3: bit 52", CR3, 0, BIT(52)},
	{"CR4: no PAE in long mode", CR4, CR4_PAE, 0},
	{"CR4: LA57 in long mode", CR4, 0, CR4_LA57},
	{"CR4: VMXE", CR4, 0, CR4_VMXE},
	{"CR4: MCE, and no PAE in long mode", CR4, CR4_PAE, BIT(6)},
	{"CR4: MCE and VMXE", CR4, 0, BIT(6) | CR4_VMXE},
	{"CR4: SMXE", CR4, 0, CR4_SMXE},
	{"CR4: bit 15", CR4, 0, BIT(15)},
	{"CR4: bit 26", CR4, 0, BIT(26)},
	{"CR4: bit 31", CR4, 0, BIT(31)},
	{"CR4: bit 32", CR4, 0, BIT(32)},
	{"CR4: bit 63", CR4, 0, BIT(63)},
	{"CR8: 16", CR8, 0xf, 0x10},
	{"CR8: bit 63", CR8, 0, BIT(63)},
	{"EFER: reserved bit 1", EFER, 0, BIT(1)},
	{"EFER: reserved bit 16", EFER, 0, BIT(16)},
	{"EFER: bit 63", EFER, 0, BIT(63)},
	{"EFER: no LME while paging", EFER, BIT(8), 0},
	{"XCR0: no x87", XCR0, BIT(0), 0},
	{"XCR0: AVX without SSE", XCR0, BIT(1), BIT(2)},
	{"XCR0: bit 8", XCR0, 0, BIT(8)},
	{"XCR0: bit 62", XCR0, 0, BIT(62)},
	{"XCR0: bit 63", XCR0, 0, BIT(63)},
	{"XCR1", XCR1, 0, 1},
	{"DR6: bit 32", DR6, 0, BIT(32)},
	{"DR7: bit 32", DR7, 0, BIT(32)},
};

/* Accepted and read back; restored afterwards. */
static const struct control_case legal[] = {
	{"CR0: TS", CR0, 0, CR0_TS},
	{"CR0: EM", CR0, 0, CR0_EM},
	{"CR0: no MP", CR0, CR0_MP, 0},
	{"CR0: no WP", CR0, CR0_WP, 0},
	{"CR0: AM", CR0, 0, BIT(18)},
	{"CR0: no NE", CR0, BIT(5), 0},
	{"CR0: CD", CR0, 0, CR0_CD},
	{"CR0: CD and NW", CR0, 0, CR0_CD | CR0_NW},
	{"CR4: TSD", CR4, 0, CR4_TSD},
	{"CR4: DE", CR4, 0, CR4_DE},
	{"CR4: PSE", CR4, 0, BIT(4)},
	{"CR4: PGE", CR4, 0, CR4_PGE},
	{"CR4: MCE", CR4, 0, BIT(6)},
	{"CR4: MCE and PGE", CR4, 0, BIT(6) | CR4_PGE},
	{"CR4: no OSFXSR", CR4, BIT(9), 0},
	{"CR8: 15", CR8, 0, 15},
	{"EFER: SCE", EFER, 0, EFER_SCE},
	{"EFER: no NXE", EFER, EFER_NXE, 0},
	{"XCR0: x87 and SSE", XCR0, BIT(2), BIT(1)},
	{"DR7: all bits that are not reserved", DR7, 0, 0xffff03ff},
	{"DR7: none", DR7, 0xffff03ff, 0},
};

static uint64_t read_target(enum target target)
{
	switch (target) {
	case CR0:
		return read_cr0();
	case CR3:
		return read_cr3();
	case CR4:
		return read_cr4();
	case CR8:
		return read_cr8();
	case EFER:
		return rdmsr(MSR_EFER);
	case XCR0:
		return xgetbv(0);
	case DR6:
		return read_dr6();
	case DR7:
		return read_dr7();
	default:
		return 0;
	}
}

struct write {
	enum target target;
	uint64_t value;
};

static void do_write(void *arg)
{
	const struct write *w = arg;

	switch (w->target) {
	case CR0:
		return write_cr0(w->value);
	case CR3:
		return write_cr3(w->value);
	case CR4:
		return write_cr4(w->value);
	case CR8:
		return write_cr8(w->value);
	case EFER:
		return wrmsr(MSR_EFER, w->value);
	case XCR0:
		return xsetbv(0, w->value);
	case XCR1:
		return xsetbv(1, w->value);
	case DR6:
		return write_dr6(w->value);
	case DR7:
		return write_dr7(w->value);
	}
}

static void try_illegal(const struct control_case *c)
{
	uint64_t before = read_target(c->target);
	struct write w = {c->target, (before & ~c->clear) | c->set};
	int vector = catch_fault(do_write, &w);
	uint64_t after = read_target(c->target);

	report(vector == VECTOR_GP && last_fault.error == 0 && after == before,
	       "control: %s: vector %d, stays %#lx", c->what, vector, after);
	if (vector != NO_FAULT)
		return;
	w.value = before;
	do_write(&w);
}

static void try_legal(const struct control_case *c)
{
	uint64_t before = read_target(c->target);
	struct write w = {c->target, (before & ~c->clear) | c->set};
	struct write back = {c->target, before};
	int vector = catch_fault(do_write, &w);
	uint64_t found = read_target(c->target);

	do_write(&back);
	report(vector == NO_FAULT && found == w.value, "control: %s: %#lx, vector %d", c->what,
	       found, vector);
}

/* Features of CR4 that a processor without them refuses. */
static void try_cr4_features(void)
{
	static const struct {
		const char *name;
		uint64_t bit;
		uint8_t ecx1, ebx7, ecx7; /* CPUID bit number in leaf 1 or 7, 0: none */
	} features[] = {
		{"PCIDE", BIT(17), 17, 0, 0}, {"FSGSBASE", BIT(16), 0, 0, 0},
		{"SMEP", BIT(20), 0, 7, 0},   {"SMAP", BIT(21), 0, 20, 0},
		{"UMIP", BIT(11), 0, 0, 2},   {"PKE", BIT(22), 0, 0, 3},
	};
	struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0);

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		uint32_t has = features[i].ecx1	  ? one.ecx >> features[i].ecx1
			       : features[i].ebx7 ? seven.ebx >> features[i].ebx7
			       : features[i].ecx7 ? seven.ecx >> features[i].ecx7
						  : seven.ebx; /* FSGSBASE: bit 0 */
		struct control_case c = {features[i].name, CR4, 0, features[i].bit};

		if (has & 1)
			try_legal(&c);
		else if (param_given("strict"))
			try_illegal(&c);
	}
}

static void store(void *arg)
{
	*(volatile uint64_t *)arg = 1;
}

static void use_x87(void *arg)
{
	(void)arg;
	asm volatile("fninit");
}

/* The bits have their effect. */
static void check_effects(void)
{
	static uint64_t page[512] __attribute__((aligned(4096)));
	uint64_t cr0 = read_cr0();

	window_set(0, (uint64_t)(uintptr_t)page | PTE_P);
	report(catch_fault(store, (void *)WINDOW) == VECTOR_PF, "control: WP protects");
	write_cr0(cr0 & ~CR0_WP);
	report(catch_fault(store, (void *)WINDOW) == NO_FAULT, "control: no WP does not");
	write_cr0(cr0 | CR0_TS);
	report(catch_fault(use_x87, NULL) == VECTOR_NM, "control: TS brings #NM");
	asm volatile("clts");
	report(catch_fault(use_x87, NULL) == NO_FAULT && !(read_cr0() & CR0_TS), "control: CLTS");
	asm volatile("lmsw %w0" : : "r"((uint16_t)(cr0 | CR0_TS)));
	report(read_cr0() == (cr0 | CR0_TS), "control: LMSW sets TS");
	write_cr0(cr0);
	asm volatile("lmsw %w0" : : "r"((uint16_t)(cr0 & ~BIT(0))));
	report(read_cr0() == cr0, "control: LMSW does not clear PE");
	window_set(0, 0);
}

/* TCG accepts the value, which kills the guest: only for strict runs. */
static void check_illegal(bool xsave)
{
	if (!param_given("strict")) {
		report_skip("control: forbidden values: not strict");
		return;
	}
	for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
		if (xsave || (illegal[i].target != XCR0 && illegal[i].target != XCR1))
			try_illegal(&illegal[i]);
	}
}

void control_check(void)
{
	bool xsave = xsave_enable() != 0;

	check_illegal(xsave);
	for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
		if (xsave || legal[i].target != XCR0)
			try_legal(&legal[i]);
	}
	try_cr4_features();
	check_effects();
}
