/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions arrive with the right vector, error code and CR2. */
#include "tests/guest/exits/exits.h"

#define NON_CANON   UINT64_C(0x8000000000000000)
#define MISSING	    (WINDOW + 0 * PAGE_SIZE)
#define READ_ONLY   (WINDOW + 1 * PAGE_SIZE)
#define NO_EXECUTE  (WINDOW + 2 * PAGE_SIZE)
#define RESERVED    (WINDOW + 3 * PAGE_SIZE)
#define NOT_PRESENT 0x18 /* selector of the spare GDT entry */

struct fault_case {
	const char *what;
	void (*fn)(void *);
	uint64_t arg;
	uint32_t vector;
	uint64_t error;
	bool has_cr2; /* 'arg' */
	bool not_tcg; /* QEMU's TCG has it wrong */
};

#define FAULT(name, ...) \
	static void name(void *arg) \
	{ \
		(void)arg; \
		asm volatile(__VA_ARGS__); \
	}
FAULT(divide, "divl %%ecx" : : "a"(1), "c"(0), "d"(0))
FAULT(divide_overflow, "idivl %%ecx" : : "a"(0x80000000), "c"(-1), "d"(-1))
FAULT(undefined, "ud2")
FAULT(read, "mov (%0), %%al" : : "r"(arg) : "rax")
FAULT(write, "movb $1, (%0)" : : "r"(arg) : "memory")
FAULT(modify, "lock incb (%0)" : : "r"(arg) : "memory")
FAULT(execute, "call *%0" : : "r"(arg) : "memory")
FAULT(read_by_rbp, "push %%rbp; mov %0, %%rbp; mov (%%rbp), %%rax; pop %%rbp" : : "c"(arg) : "rax")
FAULT(load_fs, "mov %0, %%fs" : : "r"(arg))
FAULT(load_ss, "mov %0, %%ss" : : "r"(arg))
FAULT(unaligned_sse, "movaps %%xmm0, (%0)" : : "r"(arg) : "memory")
FAULT(bad_stack, "mov %0, %%rsp; push %0" : : "r"(arg) : "memory")
FAULT(x87, "fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(*(uint16_t *)arg))
FAULT(sse, "ldmxcsr %0; xorps %%xmm0, %%xmm0; divss %%xmm0, %%xmm0" : : "m"(*(uint32_t *)arg))
FAULT(beyond_idt, "int $0xf0")
#undef FAULT

static uint16_t x87_control = 0x37f & ~0x4;    /* zero divide unmasked */
static uint32_t sse_control = 0x1f80 & ~0x80u; /* invalid unmasked */
static uint8_t page[4096] __attribute__((aligned(4096)));

#define ADDRESS(object) ((uint64_t)(uintptr_t) & (object))

static const struct fault_case cases[] = {
	{"#DE", divide, 0, VECTOR_DE, 0, false, false},
	{"#DE, overflow", divide_overflow, 0, VECTOR_DE, 0, false, false},
	{"#UD", undefined, 0, VECTOR_UD, 0, false, false},
	{"#GP, not canonical", read, NON_CANON, VECTOR_GP, 0, false, false},
	{"#GP, selector", load_fs, 0x1238, VECTOR_GP, 0x1238, false, false},
	{"#GP, null SS with RPL 3", load_ss, 3, VECTOR_GP, 0, false, true},
	{"#SS, not canonical", read_by_rbp, NON_CANON, VECTOR_SS, 0, false, true},
	{"#NP", load_fs, NOT_PRESENT, VECTOR_NP, NOT_PRESENT, false, false},
	{"#SS, not present", load_ss, NOT_PRESENT, VECTOR_SS, NOT_PRESENT, false, false},
	{"#PF, missing, read", read, MISSING + 5, VECTOR_PF, 0, true, false},
	{"#PF, missing, write", write, MISSING + 6, VECTOR_PF, 2, true, false},
	{"#PF, missing, modify", modify, MISSING + 7, VECTOR_PF, 2, true, true},
	{"#PF, missing, fetch", execute, MISSING + 8, VECTOR_PF, 0x10, true, false},
	{"#PF, read-only", write, READ_ONLY + 9, VECTOR_PF, 3, true, false},
	{"#PF, no execute", execute, NO_EXECUTE + 16, VECTOR_PF, 0x11, true, false},
	{"#PF, reserved bit, read", read, RESERVED + 1, VECTOR_PF, 9, true, true},
	{"#PF, reserved bit, write", write, RESERVED + 2, VECTOR_PF, 0xb, true, true},
	{"#PF, far away", read, UINT64_C(0x7ffffffff000), VECTOR_PF, 0, true, false},
	{"#MF", x87, ADDRESS(x87_control), VECTOR_MF, 0, false, false},
	{"#XM", sse, ADDRESS(sse_control), VECTOR_XM, 0, false, true},
	{"#DF, no stack", bad_stack, MISSING + 64, VECTOR_DF, 0, false, false},
};

static void check(const struct fault_case *c)
{
	int vector;

	if (c->not_tcg && !param_given("strict"))
		return;
	vector = catch_fault(c->fn, (void *)c->arg);
	report(vector == (int)c->vector && last_fault.error == c->error &&
		       (!c->has_cr2 || last_fault.cr2 == c->arg),
	       "faults: %s: vector %d, error %#lx, cr2 %#lx", c->what, vector, last_fault.error,
	       last_fault.cr2);
}

static void check_idt_limit(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) full, cut;
	int vector;

	asm volatile("sidt %0" : "=m"(full));
	cut = full;
	cut.limit = 0xf0 * 16 - 1;
	asm volatile("lidt %0" : : "m"(cut));
	vector = catch_fault(beyond_idt, NULL);
	asm volatile("lidt %0" : : "m"(full));
	report(vector == VECTOR_GP && last_fault.error == 0xf0 * 8 + 2,
	       "faults: INT beyond the IDT: vector %d, error %#lx", vector, last_fault.error);
}

void faults_check(void)
{
	uint64_t pte = ADDRESS(page) | PTE_P;
	uint64_t spare = boot_gdt[NOT_PRESENT / 8];

	window_set(1, pte);
	window_set(2, pte | PTE_W | PTE_NX);
	window_set(3, pte | PTE_W | PTE_RESERVED);
	boot_gdt[NOT_PRESENT / 8] = UINT64_C(0x00cf13000000ffff);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i]);
	if (catch_fault(unaligned_sse, page + 1) != NO_FAULT)
		report(last_fault.vector == VECTOR_GP, "faults: movaps, not aligned");
	asm volatile("fninit; ldmxcsr %0" : : "m"((uint32_t){0x1f80}));
	boot_gdt[NOT_PRESENT / 8] = spare;
	for (unsigned i = 1; i <= 3; i++)
		window_set(i, 0);
	if (param_given("strict"))
		check_idt_limit();
}
