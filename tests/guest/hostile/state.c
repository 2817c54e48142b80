/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions with the processor's state: MSRs, control, debug and descriptor table registers. */
#include "tests/guest/hostile/hostile.h"

#define X2APIC_MSRS 0x800u
#define X2APIC_END  0x900u
#define DR7_GD	    BIT(13)

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static uint32_t any_msr(struct actor *a)
{
	static const uint32_t starts[] = {
		0x0,	    0x10,	0x3a,	   0x48,   0x79,       0x8b,	   0xc1,
		0xcd,	    0xfe,	0x10a,	   0x122,  0x174,      0x179,	   0x186,
		0x1a0,	    0x1d9,	0x200,	   0x250,  0x268,      0x277,	   0x2ff,
		0x38d,	    0x3f1,	0x480,	   0x560,  0x6a0,      0x6e0,	   0x770,
		0xd90,	    0xda0,	0xe00,	   0x1500, 0x4b564d00, 0x40000000, 0xc0000080,
		0xc0000100, 0xc0010000, 0xffffffff};
	uint32_t msr = random_of_list(&a->random, starts) + (uint32_t)random_below(&a->random, 8);

	if (random_once_in(&a->random, 8))
		msr = (uint32_t)random_value(&a->random);
	return msr;
}

/* The local APIC's registers have actions of their own. */
static bool is_apic(uint32_t msr)
{
	return msr == MSR_APIC_BASE || (msr >= X2APIC_MSRS && msr < X2APIC_END);
}

void do_msrs(struct actor *a)
{
	uint32_t msr = any_msr(a);

	if (is_apic(msr) || random_once_in(&a->random, 3)) {
		(void)rdmsr(msr);
		return;
	}
	if (random_once_in(&a->random, 4))
		wrmsr(msr, rdmsr(msr) ^ BIT(random_below(&a->random, 64)));
	else
		wrmsr(msr, random_value(&a->random));
}

static uint64_t flip(struct actor *a, uint64_t value)
{
	uint64_t n = random_below(&a->random, 4) + 1;

	while (n-- > 0)
		value ^= BIT(random_below(&a->random, random_once_in(&a->random, 4) ? 64 : 24));
	return value;
}

/* Use what the registers change: paging, vector registers, the cache, the time. */
static void use_state(void)
{
	asm volatile("movups %%xmm0, %%xmm1; fnop; wbinvd; rdtsc; lfence"
		     :
		     :
		     : "eax", "edx", "memory");
	invlpg(WINDOW);
	(void)*(volatile uint64_t *)WINDOW;
}

void do_control(struct actor *a)
{
	switch (random_below(&a->random, 6)) {
	case 0:
		write_cr0(flip(a, read_cr0()));
		break;
	case 1:
		write_cr4(flip(a, read_cr4()));
		break;
	case 2:
		/* Tables where there is no memory would end the VM. */
		write_cr3((uint64_t)(uintptr_t)a->pml4 | (random_next(&a->random) & 0xfff) |
			  (random_once_in(&a->random, 2) ? BIT(52 + random_below(&a->random, 12))
							 : 0));
		break;
	case 3:
		write_cr8(random_value(&a->random));
		break;
	case 4:
		xsetbv((uint32_t)random_below(&a->random, 2), flip(a, xgetbv(0)));
		break;
	default:
		asm volatile("lmsw %w0; clts" : : "r"(random_next(&a->random)));
		asm volatile("smsw %%eax" : : : "eax");
	}
	use_state();
}

static volatile uint64_t watched[16];

static uint64_t watch_address(struct actor *a)
{
	extern const uint8_t debug_here[];

	switch (random_below(&a->random, 4)) {
	case 0:
		return (uint64_t)(uintptr_t)debug_here;
	case 1:
		return (uint64_t)(uintptr_t)&watched[random_below(&a->random, 16)] +
		       random_below(&a->random, 8);
	case 2:
		return random_below(&a->random, 0x400); /* a port */
	default:
		return random_value(&a->random);
	}
}

/* Every way to raise #DB, in the shadows of STI and MOV SS too. */
static void raise_debug(struct actor *a)
{
	uint64_t tf = RFLAGS_TF | 2;

	watched[random_below(&a->random, 16)]++;
	switch (random_below(&a->random, 9)) {
	case 0:
		asm volatile("pushq %0; popfq; sti; nop; nop" : : "r"(tf) : "memory", "cc");
		break;
	case 1:
		asm volatile("mov %%ss, %%eax; pushq %0; popfq; mov %%eax, %%ss; .byte 0xf1"
			     :
			     : "r"(tf)
			     : "eax", "memory", "cc");
		break;
	case 2:
		asm volatile("mov %%ss, %%eax; mov %%eax, %%ss; int3" : : : "eax", "memory");
		break;
	case 3:
		asm volatile("sti; .byte 0xf1; cli" : : : "memory");
		break;
	case 4:
		asm volatile("mov %%ss, %%eax; mov %%eax, %%ss; cpuid"
			     :
			     :
			     : "eax", "ebx", "ecx", "edx");
		break;
	case 5:
		asm volatile("pushq %0; popfq; mov $0x80, %%edx; outb %%al, %%dx; nop"
			     :
			     : "r"(tf)
			     : "edx", "memory", "cc");
		break;
	case 6:
		asm volatile("pushq %0; popfq; cpuid; nop"
			     :
			     : "r"(tf)
			     : "eax", "ebx", "ecx", "edx", "memory", "cc");
		break;
	case 7:
		asm volatile("mov %%ss, %%eax; mov %%eax, %%ss; syscall"
			     :
			     :
			     : "eax", "ecx", "r11", "memory");
		break;
	default:
		asm volatile("mov $8, %%ecx; mov %0, %%rdi; mov %0, %%rsi; rep movsq"
			     :
			     : "r"(watched)
			     : "rcx", "rdi", "rsi", "memory");
	}
	asm volatile(".global debug_here\ndebug_here: nop; inb $0x80, %%al" : : : "eax");
}

void do_debug(struct actor *a)
{
	write_dr0(watch_address(a));
	write_dr1(watch_address(a));
	write_dr2(watch_address(a));
	write_dr3(watch_address(a));
	write_dr6(random_next(&a->random) & 0xffff);
	if (random_once_in(&a->random, 4))
		asm volatile("mov %0, %%cr4" : : "r"(read_cr4() | CR4_DE));
	write_dr7((random_next(&a->random) & 0xffff3fff) |
		  (random_once_in(&a->random, 8) ? DR7_GD : 0));
	raise_debug(a);
}

static void store_tables(uint64_t at)
{
	asm volatile("sgdt (%0); sidt 16(%0); sldt 32(%0); str 34(%0); smsw 36(%0)"
		     :
		     : "r"(at)
		     : "memory");
}

/* The actor's own tables elsewhere, where delivering an exception needs them. */
static void move_tables(struct actor *a, uint64_t at)
{
	bool moves_idt = random_once_in(&a->random, 2);
	const void *from = moves_idt ? (void *)a->idt : (void *)a->gdt;
	struct pointer p = {
		(uint16_t)(moves_idt ? 0xfff : random_below(&a->random, 256) + sizeof(a->gdt)), at};

	memcpy((void *)at, from, moves_idt ? sizeof(a->idt) : sizeof(a->gdt));
	if (moves_idt)
		asm volatile("lidt %0" : : "m"(p));
	else
		asm volatile("lgdt %0" : : "m"(p));
	asm volatile("int3");
}

static void load_selector(struct actor *a)
{
	uint32_t selector = (uint32_t)random_below(&a->random, 0x60);

	switch (random_below(&a->random, 8)) {
	case 0:
		asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(selector));
		break;
	case 1:
		asm volatile("mov %0, %%fs; mov %0, %%gs" : : "r"(selector));
		break;
	case 2:
		asm volatile("mov %0, %%ss; nop" : : "r"(selector));
		break;
	case 3:
		asm volatile("lldt %w0" : : "r"(selector));
		break;
	case 4:
		asm volatile("ltr %w0" : : "r"(selector));
		break;
	case 5:
		asm volatile("lar %0, %0; lsl %0, %0; verr %w0; verw %w0"
			     : "+r"(selector)
			     :
			     : "cc");
		break;
	case 6:
		asm volatile("pushq %q0; pushq $0; lretq" : : "r"(selector) : "memory");
		break;
	default:
		asm volatile("swapgs; swapgs; rdfsbase %%rax; int $13" : : : "rax", "memory");
	}
}

void do_tables(struct actor *a)
{
	static const enum kind writable[] = {KIND_PRIVATE, KIND_UNTOUCHED, KIND_COW, KIND_SHARED};

	a->gdt[4] = random_next(&a->random); /* any descriptor at all */
	switch (random_below(&a->random, 4)) {
	case 0:
		store_tables(kind_edge(a, N_MEMORY, 0) - random_below(&a->random, 48));
		break;
	case 1:
		move_tables(a, kind_page(a, random_of_list(&a->random, writable)));
		break;
	default:
		load_selector(a);
	}
}

/* ---- interrupts whose frame goes to memory of every kind ---- */

#define VECTOR_INT 0x81
#define VECTOR_IRQ 0x82
#define APIC_SELF  UINT32_C(0x44000)

extern const uint8_t vector_escape[];

static void take_vectors(struct actor *a, unsigned n_kinds)
{
	uint64_t stack = kind_edge(a, n_kinds, 0) + 32 - random_below(&a->random, 96);

	actor_set_gate(a, VECTOR_INT, vector_escape, IST_FREE);
	actor_set_gate(a, VECTOR_IRQ, vector_escape, IST_FREE);
	actor_set_stack(a, IST_FREE,
			random_once_in(&a->random, 16) ? random_value(&a->random) | BIT(62)
						       : stack);
	if (random_once_in(&a->random, 2))
		apic_write(APIC_ICR, APIC_SELF | VECTOR_IRQ);
	asm volatile("mov %%rsp, %%r15; lea 1f(%%rip), %%r13; sti; nop; int %0; nop\n1:\tcli"
		     :
		     : "i"(VECTOR_INT)
		     : "r13", "r15", "memory", "cc");
}

void do_vectors(struct actor *a)
{
	take_vectors(a, N_MEMORY);
}

void do_vectors_mmio(struct actor *a)
{
	take_vectors(a, N_KINDS);
}
