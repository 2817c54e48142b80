/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INS and OUTS on the UART's scratch register: across pages, backwards, into pages that are missing
 * or read-only, where the iterations before the fault keep their effect, and with the memory of a
 * device. MOVS from a device to memory that faults.
 */
#include "tests/guest/exits/exits.h"

#define SCRATCH	      0x3ff
#define NON_CANON     UINT64_C(0x8000000000000000)
#define EDGE	      (WINDOW + PAGE_SIZE) /* page 0 is present, page 1 is not */
#define ERROR_WRITE   2u
#define ERROR_PRESENT 1u
#define APIC_VERSION  UINT64_C(0xfee00030)
#define APIC_EOI      UINT64_C(0xfee000b0) /* reads as 0 */
#define FW_CFG_SELECT 0x510
#define FW_CFG_DATA   0x511

static uint8_t page[4096] __attribute__((aligned(4096)));

struct string_io {
	uint64_t rdi, rsi, rcx;
};

static struct string_io io; /* progress of the instruction, kept across a fault */

#define STRING_IO(name, text) \
	static void name(void *arg) \
	{ \
		uint64_t d = io.rdi, s = io.rsi, c = io.rcx; \
		(void)arg; \
		asm volatile(text "; cld" \
			     : "+D"(d), "+S"(s), "+c"(c) \
			     : "d"(SCRATCH) \
			     : "memory", "cc"); \
		io = (struct string_io){d, s, c}; \
	}
STRING_IO(rep_insb, "rep insb")
STRING_IO(rep_outsb, "rep outsb")
STRING_IO(rep_insb_down, "std; rep insb")
STRING_IO(insb_once, "insb")
STRING_IO(outsb_once, "outsb")
STRING_IO(insw_once, "mov $0x511, %%edx; insw")
STRING_IO(movsl_once, "movsl")
#undef STRING_IO

/* The registers at the fault show how far a REP got. */
static bool note_fault(struct trap_frame *f)
{
	io = (struct string_io){f->rdi, f->rsi, f->rcx};
	return false;
}

static int run(void (*fn)(void *), uint64_t rdi, uint64_t rsi, uint64_t rcx)
{
	int vector;

	io = (struct string_io){rdi, rsi, rcx};
	trap_hook(VECTOR_PF, note_fault);
	trap_hook(VECTOR_GP, note_fault);
	vector = catch_fault(fn, NULL);
	trap_hook(VECTOR_PF, NULL);
	trap_hook(VECTOR_GP, NULL);
	return vector;
}

static bool all_bytes(uint64_t from, uint64_t to, uint8_t value)
{
	for (; from < to; from++) {
		if (*(volatile uint8_t *)from != value)
			return false;
	}
	return true;
}

static void check_good(void)
{
	static uint8_t other[4096] __attribute__((aligned(4096)));

	window_set(1, (uint64_t)(uintptr_t)other | PTE_P | PTE_W);
	outb(0x6b, SCRATCH);
	run(rep_insb, EDGE - 100, 0, 200);
	report(io.rcx == 0 && io.rdi == EDGE + 100 && all_bytes(EDGE - 100, EDGE + 100, 0x6b) &&
		       all_bytes(EDGE + 100, EDGE + 110, 0),
	       "strings: rep insb across pages");
	outb(0x6c, SCRATCH);
	run(rep_insb_down, EDGE + 9, 0, 20);
	report(io.rcx == 0 && io.rdi == EDGE - 11 && all_bytes(EDGE - 10, EDGE + 10, 0x6c) &&
		       all_bytes(EDGE - 100, EDGE - 10, 0x6b),
	       "strings: rep insb downwards");
	*(volatile uint8_t *)(EDGE + 9) = 0x7d;
	run(rep_outsb, 0, EDGE - 10, 20);
	report(io.rcx == 0 && io.rsi == EDGE + 10 && inb(SCRATCH) == 0x7d,
	       "strings: rep outsb across pages, the last byte %#x", inb(SCRATCH));
	run(rep_insb, NON_CANON, 0, 0);
	report(io.rcx == 0 && io.rdi == NON_CANON, "strings: a count of 0 touches nothing");
	window_set(1, 0);
}

static void expect_pf(const char *what, int vector, uint64_t address, uint64_t error)
{
	report(vector == VECTOR_PF && last_fault.cr2 == address && last_fault.error == error,
	       "strings: %s: vector %d, cr2 %#lx, error %#lx", what, vector, last_fault.cr2,
	       last_fault.error);
}

static void check_bad(void)
{
	expect_pf("insb to a missing page", run(insb_once, EDGE, 0, 1), EDGE, ERROR_WRITE);
	expect_pf("outsb from a missing page", run(outsb_once, 0, EDGE, 1), EDGE, 0);
	outb(0x6e, SCRATCH);
	expect_pf("rep insb into a missing page", run(rep_insb, EDGE - 5, 0, 50), EDGE,
		  ERROR_WRITE);
	report(io.rdi == EDGE && io.rcx == 45 && all_bytes(EDGE - 5, EDGE, 0x6e),
	       "strings: rep insb did 5 before: rdi %#lx, rcx %lu", io.rdi, io.rcx);
	*(volatile uint8_t *)(EDGE - 1) = 0x6f;
	expect_pf("rep outsb into a missing page", run(rep_outsb, 0, EDGE - 5, 50), EDGE, 0);
	report(io.rsi == EDGE && io.rcx == 45 && inb(SCRATCH) == 0x6f,
	       "strings: rep outsb did 5 before: rsi %#lx, rcx %lu", io.rsi, io.rcx);
	window_set(0, (uint64_t)(uintptr_t)page | PTE_P);
	expect_pf("insb to a read-only page", run(insb_once, WINDOW, 0, 1), WINDOW,
		  ERROR_WRITE | ERROR_PRESENT);
	report(run(insb_once, NON_CANON, 0, 1) == VECTOR_GP && last_fault.error == 0,
	       "strings: insb to no canonical address");
	report(run(outsb_once, 0, NON_CANON, 1) == VECTOR_GP && last_fault.error == 0,
	       "strings: outsb from no canonical address");
}

/* Nothing has happened before a fault, although the first byte could be accessed. */
static void check_crossing(void)
{
	uint8_t first, second;

	outw(0, FW_CFG_SELECT); /* "QEMU" */
	first = inb(FW_CFG_DATA);
	expect_pf("insw across the edge", run(insw_once, EDGE - 1, 0, 1), EDGE, ERROR_WRITE);
	second = inb(FW_CFG_DATA);
	report(io.rdi == EDGE - 1 && first == 'Q' && second == 'E',
	       "strings: insw that faults does not read: %c%c", first, second);
	*(volatile uint16_t *)(EDGE - 2) = 0x5a5a;
	expect_pf("movsl from a device across the edge", run(movsl_once, EDGE - 2, APIC_VERSION, 1),
		  EDGE, ERROR_WRITE);
	report(io.rdi == EDGE - 2 && io.rsi == APIC_VERSION &&
		       *(volatile uint16_t *)(EDGE - 2) == 0x5a5a,
	       "strings: movsl that faults stores nothing");
	report(run(movsl_once, NON_CANON, APIC_VERSION, 1) == VECTOR_GP && last_fault.error == 0,
	       "strings: movsl from a device to no canonical address");
}

static void check_device(void)
{
	uint8_t version = *(volatile uint8_t *)APIC_VERSION;

	outb(~version & 0xff, SCRATCH);
	run(outsb_once, 0, APIC_VERSION, 1);
	report(io.rsi == APIC_VERSION + 1 && inb(SCRATCH) == version,
	       "strings: outsb from a device: %#x, not %#x", inb(SCRATCH), version);
	run(rep_insb, APIC_EOI, 0, 3);
	report(io.rdi == APIC_EOI + 3 && io.rcx == 0, "strings: rep insb to a device");
}

void string_io_check(void)
{
	window_set(0, (uint64_t)(uintptr_t)page | PTE_P | PTE_W);
	check_good();
	check_bad();
	window_set(0, (uint64_t)(uintptr_t)page | PTE_P | PTE_W);
	check_crossing();
	check_device();
	window_set(0, 0);
}
