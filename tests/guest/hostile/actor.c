/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The known state of a processor: tables, stacks and registers of its own. Every vector has a
 * stack that the interrupt stack table gives, so that steps may point RSP anywhere.
 */
#include "tests/guest/hostile/hostile.h"

#define UART	     0x3f8
#define CODE64	     0x08
#define DATA	     0x10
#define TSS	     0x38
#define GATE	     0x8e00u /* present, interrupt gate */
#define TSS_TYPE     UINT64_C(0x89)
#define N_INTERRUPTS 200 /* a step may take */
#define PTE_LARGE    BIT(7)
#define LARGE_PAGE   UINT64_C(0x200000)
#define GIB	     UINT64_C(0x40000000)
#define DR6_INIT     UINT64_C(0xffff0ff0)
#define DR7_INIT     UINT64_C(0x400)
#define RFLAGS_RF    BIT(16)
#define EFER_LMA     BIT(10)
#define APIC_LVTS    6
#define X2APIC_EOI   0x80bu

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t hostile_stubs[256][16], actor_landing[];
extern uint64_t page_pd[];
int actor_attempt(struct actor *a, void (*step)(struct actor *));
void hostile_trap(struct trap_frame *f, struct actor *a);

struct actor actors[N_ACTORS_MAX];

/* Of processor 0 at its start. */
static uint64_t known_cr0, known_cr4, known_efer, known_xcr0;

static unsigned ist_of(unsigned vector)
{
	switch (vector) {
	case VECTOR_DB:
		return 2;
	case 2:
		return 3;
	case VECTOR_DF:
		return 4;
	default:
		return 1;
	}
}

void actor_set_gate(struct actor *a, unsigned vector, const void *entry, unsigned ist)
{
	uint64_t offset = (uint64_t)(uintptr_t)entry;
	uint64_t low = (offset & 0xffff) | CODE64 << 16 | (uint64_t)(GATE | ist) << 32 |
		       (offset >> 16 & 0xffff) << 48;
	uint64_t high = offset >> 32;

	memcpy(a->idt + vector * 16, &low, 8);
	memcpy(a->idt + vector * 16 + 8, &high, 8);
}

static void fill_idt(struct actor *a)
{
	for (unsigned v = 0; v < 256; v++)
		actor_set_gate(a, v, hostile_stubs[v], ist_of(v));
}

/* Entry 3 is for tests/guest/lib/ap.asm. */
static void fill_gdt(struct actor *a)
{
	static const uint64_t segments[] = {
		0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff,
		0, 0x00cff3000000ffff, 0x00affb000000ffff};
	uint64_t base = (uint64_t)(uintptr_t)a->tss;

	memcpy(a->gdt, segments, sizeof(segments));
	a->gdt[TSS / 8] = (sizeof(a->tss) - 1) | (base & 0xffffff) << 16 | TSS_TYPE << 40 |
			  (base >> 24 & 0xff) << 56;
	a->gdt[TSS / 8 + 1] = base >> 32;
}

void actor_set_stack(struct actor *a, unsigned ist, uint64_t rsp)
{
	memcpy(a->tss + 0x24 + 8 * (ist - 1), &rsp, 8);
}

static void fill_tss(struct actor *a)
{
	memset(a->tss, 0, sizeof(a->tss));
	for (unsigned i = 0; i < N_IST; i++)
		actor_set_stack(a, i + 1, (uint64_t)(uintptr_t)(a->stacks[i] + STACK_SIZE));
	a->tss[0x66] = sizeof(a->tss); /* no I/O bitmap */
}

static uint64_t table(const uint64_t *t)
{
	return (uint64_t)(uintptr_t)t | PTE_P | PTE_W | PTE_U;
}

/*
 * Everything maps to itself, for the kernel alone, except the window. Only RAM holds code: an
 * instruction from where there is no memory would end the VM.
 */
static void fill_tables(struct actor *a)
{
	unsigned gib = WINDOW / GIB;

	for (uint64_t i = ram_top() / LARGE_PAGE; i < 8 * 512; i++)
		page_pd[i] |= PTE_NX;

	for (unsigned i = 0; i < 8; i++)
		a->pdpt[i] = table(page_pd + i * 512);
	memcpy(a->pd, page_pd + gib * 512, sizeof(a->pd));
	a->pdpt[gib] = table(a->pd);
	a->pd[WINDOW % GIB / LARGE_PAGE] = table(a->window);
	a->pml4[0] = table(a->pdpt);
}

void actor_map(struct actor *a, unsigned page, uint64_t pte)
{
	a->window[page] = pte;
	invlpg(WINDOW + page * PAGE_SIZE);
}

static void load_segments(const struct actor *a)
{
	const struct pointer gdt = {sizeof(a->gdt) - 1, (uint64_t)(uintptr_t)a->gdt};
	const struct pointer idt = {sizeof(a->idt) - 1, (uint64_t)(uintptr_t)a->idt};

	asm volatile("lgdt %0; lidt %1" : : "m"(gdt), "m"(idt));
	asm volatile("pushq %0; pushq $1f; lretq\n1:\tmov %1, %%ss; mov %1, %%ds; mov %1, %%es\n"
		     "\tmov %2, %%fs; mov %2, %%gs; lldt %w2"
		     :
		     : "i"(CODE64), "r"(DATA), "r"(0)
		     : "memory");
	asm volatile("ltr %w0" : : "r"(TSS));
}

static void restore_registers(struct actor *a)
{
	fill_gdt(a);
	a->pd[WALKS_ENTRY] = 0;
	asm volatile("pushq $2; popfq" : : : "cc", "memory");
	write_cr3((uint64_t)(uintptr_t)a->pml4);
	write_cr4(known_cr4);
	write_cr0(known_cr0);
	wrmsr(MSR_EFER, known_efer);
	if (known_xcr0 != 0)
		xsetbv(0, known_xcr0);
	write_dr7(DR7_INIT);
	write_dr6(DR6_INIT);
	load_segments(a);
}

/* x2APIC mode, on, everything masked, nothing in service. */
static void restore_apic(const struct actor *a)
{
	uint64_t base = a->apic_base & ~(APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	if (rdmsr(MSR_APIC_BASE) != (base | APIC_BASE_ENABLE | APIC_BASE_X2APIC)) {
		wrmsr(MSR_APIC_BASE, base);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	}
	for (unsigned i = 0; i < APIC_LVTS; i++)
		apic_write(APIC_LVT_TIMER + i * 16, LVT_MASKED);
	apic_enable();
	for (unsigned i = 0; i < 16; i++)
		apic_write(APIC_EOI, 0);
}

static void restore_ioapic(struct actor *a)
{
	for (unsigned pin = 0; pin < N_PINS; pin++)
		if (a->pins & BIT(pin))
			ioapic_route(pin, VECTOR_FIRST, true);
	a->pins = 0;
}

static void restore_devices(void)
{
	outb(0x03, 0x3fb); /* 8n1, no divisor latch */
	outb(0, 0x3f9);	   /* no interrupts */
	outb(0x01, 0x3fa); /* FIFO on */
	outb(0x03, 0x3fc); /* no loop */
}

void actor_restore(struct actor *a, unsigned dirt)
{
	restore_registers(a);
	if (dirt & DIRTY_APIC)
		restore_apic(a);
	if (dirt & DIRTY_IOAPIC)
		restore_ioapic(a);
	if (dirt & DIRTY_DEVICES)
		restore_devices();
	if (dirt & DIRTY_RINGS)
		reset_rings();
}

void actor_begin(struct actor *a)
{
	if (a == actors) {
		known_xcr0 = xsave_enable();
		known_cr0 = read_cr0();
		known_cr4 = read_cr4();
		known_efer = rdmsr(MSR_EFER) & ~EFER_LMA;
	}
	a->is_trying = 0;
	a->apic_base = rdmsr(MSR_APIC_BASE);
	fill_idt(a);
	fill_tss(a);
	fill_tables(a);
	restore_registers(a);
	restore_apic(a);
}

void actor_limit(uint32_t ticks)
{
	apic_write(APIC_LVT_TIMER, ticks == 0 ? LVT_MASKED : VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, ticks);
}

int actor_try(struct actor *a, void (*step)(struct actor *))
{
	a->n_interrupts = 0;
	a->is_overdue = false;
	a->beats++;
	return actor_attempt(a, step);
}

/* ---- faults and interrupts ---- */

static void end_step(struct actor *a, struct trap_frame *f, uint64_t outcome)
{
	f->rip = (uint64_t)(uintptr_t)actor_landing;
	f->rsp = a->catch_rsp;
	f->rax = outcome;
	f->cs = CODE64;
	f->ss = DATA;
	f->rflags = 2;
}

static void end_interrupt(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (base & APIC_BASE_X2APIC)
		wrmsr(X2APIC_EOI, 0);
	else if (base & APIC_BASE_ENABLE)
		*(volatile uint32_t *)((base & ~UINT64_C(0xfff)) + APIC_EOI) = 0;
}

/* Interrupts may have the numbers of exceptions from 16. */
static bool is_interrupt(uint64_t vector)
{
	return vector >= VECTOR_FIRST || (vector >= 16 && apic_in_service((uint8_t)vector));
}

/* Without print(), which may be what has changed. */
static void show_code(const uint8_t *at)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		outb((uint8_t)digits[at[i] >> 4], UART);
		outb((uint8_t)digits[at[i] & 15], UART);
	}
	outb('\n', UART);
}

/*
 * What an actor executes may write to the code, the stacks and the IDT of all: a page walk may lead
 * it into the pattern, whose bytes push without end. So a death says nothing about the host: the
 * VM is lost. The report of a death may be the next death, which shows the code, and that the last
 * one.
 */
static void die(const struct actor *a, const struct trap_frame *f)
{
	static unsigned n_deaths;
	unsigned n = n_deaths++;

	if (n == 0)
		print("hostile: processor %u is lost: exception %lu, error %#lx at %#lx, cr2 %#lx, "
		      "rsp "
		      "%#lx, rax %#lx, rcx %#lx, rdx %#lx\n",
		      a->cpu, f->vector, f->error, f->rip, read_cr2(), f->rsp, f->rax, f->rcx,
		      f->rdx);
	else if (n == 1)
		show_code((const uint8_t *)(uintptr_t)f->rip);
	exit_vm(1);
}

/*
 * A line that an actor has left active would interrupt the keeper without end, which then restarts
 * no actor.
 */
static void silence_lines(void)
{
	restore_devices();
	for (unsigned pin = 0; pin < N_PINS; pin++)
		ioapic_route((uint8_t)pin, VECTOR_FIRST, true);
}

static void take_interrupt(struct actor *a, struct trap_frame *f)
{
	bool is_timer = f->vector == VECTOR_TIMER;
	bool is_storm = !is_timer && ++a->n_interrupts > N_INTERRUPTS;

	end_interrupt();
	if (is_timer)
		a->has_ticked = true;
	if (a->is_trying && (is_timer || is_storm))
		end_step(a, f, is_timer ? OUTCOME_TIMER : OUTCOME_STORM);
	else if (is_storm)
		silence_lines();
}

/* A breakpoint that a step has left, found while the known state is restored. */
static void end_debug(struct trap_frame *f)
{
	write_dr7(DR7_INIT);
	f->rflags = (f->rflags | RFLAGS_RF) & ~RFLAGS_TF;
}

void hostile_trap(struct trap_frame *f, struct actor *a)
{
	if (f->vector == 2) {
		if (a->is_trying && a->is_overdue)
			end_step(a, f, OUTCOME_NMI);
		return;
	}
	if (is_interrupt(f->vector))
		take_interrupt(a, f);
	else if (a->is_trying)
		end_step(a, f, f->vector);
	else if (f->vector == VECTOR_DB)
		end_debug(f);
	else
		die(a, f);
}
