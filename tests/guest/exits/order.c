/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes first when several events are due, what each of them pushes, and that none is lost.
 */
#include "tests/guest/exits/exits.h"
#include "tests/guest/exits/step.h"

#define VECTOR_NMI    2
#define IRQ_VECTOR    0x48
#define RFLAGS_RF     BIT(16)
#define NMI_TO_ITSELF 0x44400u /* by shorthand */
#define ICR_NMI	      0x4400u

/* The events in the order of their arrival, and the RIP that each pushed. */
static volatile unsigned n_events;
static volatile uint64_t vectors[8], rips[8];

static bool note(struct trap_frame *f)
{
	if (n_events < 8) {
		vectors[n_events] = f->vector;
		rips[n_events] = f->rip;
	}
	n_events++;
	f->rflags &= ~RFLAGS_TF;
	if (f->vector == IRQ_VECTOR)
		apic_write(APIC_EOI, 0);
	return true;
}

static void start(void)
{
	n_events = 0;
	trap_hook(VECTOR_DB, note);
	trap_hook(VECTOR_NMI, note);
	trap_hook(IRQ_VECTOR, note);
}

static void stop(void)
{
	trap_hook(VECTOR_DB, NULL);
	trap_hook(VECTOR_NMI, NULL);
	trap_hook(IRQ_VECTOR, NULL);
}

/* Store to the ICR with TF and IF set: the step's trap and the event are due together. */
static uint64_t step_over_icr(uint32_t command)
{
	uint64_t after;

	asm volatile("lea 1f(%%rip), %0\n\t"
		     "pushfq; orq $0x300, (%%rsp); popfq\n\t"
		     "movl %2, (%1)\n"
		     "1:\tnop; cli"
		     : "=&r"(after)
		     : "r"(APIC_PAGE + APIC_ICR), "r"(command)
		     : "memory", "cc");
	return after;
}

static void check_interrupt_after_trap(void)
{
	uint64_t after;

	start();
	after = step_over_icr(0x44000 | IRQ_VECTOR);
	report(n_events == 2 && vectors[0] == VECTOR_DB && rips[0] == after &&
		       vectors[1] == IRQ_VECTOR && rips[1] == after,
	       "order: a step's trap, then an interrupt: %u events, %lu first", n_events,
	       vectors[0]);
	stop();
}

/* The trap is delivered first; the NMI interrupts its handler before the first instruction. */
static void check_nmi_after_trap(void)
{
	uint64_t after;

	start();
	after = step_over_icr(ICR_NMI);
	report(n_events == 2 && vectors[0] == VECTOR_NMI && rips[0] != after &&
		       vectors[1] == VECTOR_DB && rips[1] == after,
	       "order: a step's trap, and an NMI in it: %u events, %lu first", n_events,
	       vectors[0]);
	stop();
}

/* HLT does not wait while a trap is due, whether interrupts are on or off. */
static void check_halt(void)
{
	uint64_t after;

	start();
	asm volatile("lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq; hlt\n1:\tnop"
		     : "=&r"(after)
		     :
		     : "memory", "cc");
	report(n_events == 1 && vectors[0] == VECTOR_DB && rips[0] == after,
	       "order: a step over HLT with interrupts off: %u events", n_events);
	stop();
}

static void send_nmi(void)
{
	apic_write(APIC_ICR_HIGH, apic_read(APIC_ID));
	apic_write(APIC_ICR, ICR_NMI);
}

static bool note_and_send_two(struct trap_frame *f)
{
	if (n_events == 0) {
		send_nmi();
		send_nmi();
	}
	return note(f);
}

/* In the handler NMIs are blocked: two merge, and the merged one comes after its IRET. */
static void check_nmis_merge(void)
{
	start();
	trap_hook(VECTOR_NMI, note_and_send_two);
	send_nmi();
	report(n_events == 2, "order: an NMI, and two during it: %u", n_events);
	stop();
}

static void check_no_nmi_to_itself(void)
{
	start();
	apic_write(APIC_ICR, NMI_TO_ITSELF);
	report(n_events == 0, "order: no NMI by the shorthand for itself: %u", n_events);
	stop();
}

#define FAULT(name, ...) \
	static void name(void *arg) \
	{ \
		asm volatile(__VA_ARGS__); \
		(void)arg; \
	}
FAULT(no_msr, "rdmsr" : : "c"(0x12345) : "rax", "rdx")
FAULT(no_vmx, "vmcall; vmxoff" : : : "rax")
FAULT(no_page, "insb" : : "D"(WINDOW), "d"(SCRATCH) : "memory")
FAULT(no_byte, "mov (%0), %%al" : : "r"(WINDOW) : "rax")
FAULT(no_mode, "wrmsr" : : "a"(0x10), "c"(0x277), "d"(0xff) : "memory")
#undef FAULT

/* A fault pushes RF, so that a breakpoint on its instruction does not strike again. */
static void check_resume_flag(void)
{
	static const struct {
		const char *what;
		void (*fn)(void *);
		int vector;
	} cases[] = {
		{"#GP of RDMSR", no_msr, VECTOR_GP},  {"#GP of WRMSR", no_mode, VECTOR_GP},
		{"#UD of VMXOFF", no_vmx, VECTOR_UD}, {"#PF of INSB", no_page, VECTOR_PF},
		{"#PF of MOV", no_byte, VECTOR_PF},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int vector = catch_fault(cases[i].fn, NULL);

		report(vector == cases[i].vector && last_fault.rflags & RFLAGS_RF,
		       "order: %s pushes RF: vector %d, RFLAGS %#lx", cases[i].what, vector,
		       last_fault.rflags);
	}
}

#define FW_CFG_DMA     0x518				/* the lower half of a request's address */
#define FW_CFG_READ    (UINT32_C(0x3fff) << 16 | 8 | 2) /* of an item that does not exist: zeros */
#define TRANSFER_START UINT64_C(0x2000000)
#define TRANSFER_LEN   UINT64_C(0x200000)

static volatile bool was_unfinished;

static bool note_progress(struct trap_frame *f)
{
	was_unfinished = *(volatile uint8_t *)(TRANSFER_START + TRANSFER_LEN - 1) != 0;
	return note(f);
}

/* The guest takes interrupts in the middle of its OUT, as of a string instruction. */
static void check_long_transfer(void)
{
	static volatile uint32_t request[4];
	uint64_t out;

	for (uint64_t at = TRANSFER_START; at < TRANSFER_START + TRANSFER_LEN; at++)
		*(volatile uint8_t *)at = 0xcc;
	request[0] = __builtin_bswap32(FW_CFG_READ);
	request[1] = __builtin_bswap32(TRANSFER_LEN);
	request[2] = 0;
	request[3] = __builtin_bswap32(TRANSFER_START);
	start();
	trap_hook(IRQ_VECTOR, note_progress);
	apic_write(APIC_LVT_TIMER, IRQ_VECTOR);
	apic_write(APIC_TIMER_INITIAL, 10000);
	asm volatile("lea 1f(%%rip), %0; sti; nop\n1:\toutl %1, %w2; cli"
		     : "=&r"(out)
		     : "a"(__builtin_bswap32((uint32_t)(uintptr_t)request)), "d"(FW_CFG_DMA)
		     : "memory");
	report(n_events == 1 && rips[0] == out && was_unfinished,
	       "order: an interrupt in a long OUT: %u events, %ld bytes off", n_events,
	       (int64_t)(rips[0] - out));
	stop();
	for (uint64_t at = TRANSFER_START; at < TRANSFER_START + TRANSFER_LEN; at += 8)
		n_events += *(volatile uint64_t *)at != 0;
	report(n_events == 1 && request[0] == 0, "order: the long OUT is complete: %#x",
	       request[0]);
}

void order_check(void)
{
	if (!param_given("strict"))
		return; /* TCG has several of these wrong */
	apic_enable();
	check_interrupt_after_trap();
	check_nmi_after_trap();
	check_halt();
	check_nmis_merge();
	check_no_nmi_to_itself();
	check_resume_flag();
	check_long_transfer();
}
