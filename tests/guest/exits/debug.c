/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug exceptions: single steps over instructions that exit, breakpoints, INT3, ICEBP. */
#include "tests/guest/exits/exits.h"
#include "tests/guest/exits/step.h"

#define APIC_VERSION UINT64_C(0xfee00030)

#define DR6_B0	      BIT(0)
#define DR6_B1	      BIT(1)
#define DR6_BD	      BIT(13)
#define DR6_BS	      BIT(14)
#define DR6_INIT      UINT64_C(0xffff0ff0)
#define DR6_BITS      (UINT64_C(0xf) | DR6_BD | DR6_BS)
#define DR7_G0	      BIT(1)
#define DR7_G1	      BIT(3)
#define DR7_GD	      BIT(13)
#define DR7_WRITE_8_1 (UINT64_C(9) << 20) /* breakpoint 1: data writes, 8 bytes */
#define DR7_PORT_1_1  (UINT64_C(2) << 20) /* breakpoint 1: port, 1 byte */
#define RFLAGS_RF     BIT(16)

static volatile unsigned n_traps;
static volatile uint64_t trap_rip, trap_dr6;

static bool on_debug(struct trap_frame *f)
{
	n_traps++;
	trap_rip = f->rip;
	trap_dr6 = read_dr6() & DR6_BITS;
	write_dr6(DR6_INIT);
	f->rflags = (f->rflags | RFLAGS_RF) & ~RFLAGS_TF;
	return true;
}

static void start(void)
{
	n_traps = 0;
	trap_rip = trap_dr6 = 0;
	write_dr6(DR6_INIT);
}

/* TCG does not delay the trap after MOV SS, and traps one instruction after PAUSE. */
static bool too_much_for_tcg(const struct step *s)
{
	return memcmp(s->name, "mov ss", 6) == 0 || str_equal(s->name, "pause");
}

static void check_steps(void)
{
	for (const struct step *s = steps_start; s < steps_end; s++) {
		if (too_much_for_tcg(s) && !param_given("strict"))
			continue;
		start();
		s->code();
		report(n_traps == 1 && trap_rip == s->after && trap_dr6 == DR6_BS,
		       "debug: step over %s: %u traps, %ld bytes off, DR6 %#lx", s->name, n_traps,
		       (int64_t)(trap_rip - s->after), trap_dr6);
	}
}

/* The first trap comes after the first iteration: before the second. */
static void check_step_in_string(void)
{
	static uint8_t buffer[3];
	uint64_t here, count = sizeof(buffer);
	void *to = buffer;

	start();
	asm volatile("lea 1f(%%rip), %0\n\t"
		     "pushfq; orq $0x100, (%%rsp); popfq\n"
		     "1:\trep insb"
		     : "=&r"(here), "+D"(to), "+c"(count)
		     : "d"(SCRATCH)
		     : "memory", "cc");
	report(n_traps == 1 && trap_rip == here && trap_dr6 == DR6_BS && count == 0,
	       "debug: step in rep insb: %u traps, %ld bytes off, DR6 %#lx", n_traps,
	       (int64_t)(trap_rip - here), trap_dr6);
}

static void expect(const char *what, uint64_t rip, uint64_t dr6)
{
	report(n_traps == 1 && trap_rip == rip && trap_dr6 == dr6,
	       "debug: %s: %u traps at %#lx (%#lx), DR6 %#lx", what, n_traps, trap_rip, rip,
	       trap_dr6);
	write_dr7(0x400);
}

static void check_breakpoints(void)
{
	static volatile uint64_t watched;
	uint64_t here, after;

	start();
	asm volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7\n1:\tcpuid"
		     : "=&S"(here)
		     : "D"(0x400 | DR7_G0), "a"(0), "c"(0)
		     : "ebx", "edx", "memory");
	expect("breakpoint on CPUID, once", here, DR6_B0);

	/* The instruction before it is emulated, and leaves no RF that would hide the breakpoint.
	 */
	start();
	asm volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7\n\t"
		     "mov (%2), %%eax\n1:\tnop"
		     : "=&S"(here)
		     : "D"(0x400 | DR7_G0), "b"(APIC_VERSION)
		     : "rax", "memory");
	expect("breakpoint after a device access", here, DR6_B0);

	start();
	write_dr1((uint64_t)(uintptr_t)&watched);
	write_dr7(0x400 | DR7_G1 | DR7_WRITE_8_1);
	asm volatile("movq $1, %1\n1:\tlea 1b(%%rip), %0" : "=&r"(after), "=m"(watched));
	expect("data breakpoint", after, DR6_B1);
}

/* Between its iterations the instruction may exit: its breakpoint does not strike again. */
static void check_breakpoint_on_string(void)
{
	static uint8_t buffer[100];
	uint64_t here, count = sizeof(buffer);
	const uint8_t *from = buffer;

	start();
	asm volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %3, %%dr7\n1:\trep outsb"
		     : "=&r"(here), "+S"(from), "+c"(count)
		     : "r"(UINT64_C(0x400) | DR7_G0), "d"(SCRATCH)
		     : "memory");
	expect("breakpoint on a string to a port, once", here, DR6_B0);
}

static void check_general_detect(void)
{
	uint64_t here;

	start();
	write_dr7(0x400 | DR7_GD);
	asm volatile("lea 1f(%%rip), %0\n1:\tmov %%dr0, %%rax" : "=&r"(here) : : "rax");
	expect("general detect", here, DR6_BD);
}

static void check_port_breakpoint(void)
{
	uint64_t after;

	start();
	write_cr4(read_cr4() | CR4_DE);
	write_dr1(SCRATCH);
	write_dr7(0x400 | DR7_G1 | DR7_PORT_1_1);
	asm volatile("inb %w1, %%al\n1:\tlea 1b(%%rip), %0" : "=&r"(after) : "d"(SCRATCH) : "rax");
	expect("port breakpoint", after, DR6_B1);
	write_cr4(read_cr4() & ~CR4_DE);
}

static void check_icebp(void)
{
	uint64_t after;

	start();
	asm volatile(".byte 0xf1\n1:\tlea 1b(%%rip), %0" : "=&r"(after));
	expect("ICEBP", after, 0);
}

static void check_instructions(void)
{
	uint64_t after;

	start();
	trap_hook(VECTOR_BP, on_debug);
	asm volatile("int3\n1:\tlea 1b(%%rip), %0" : "=&r"(after));
	trap_hook(VECTOR_BP, NULL);
	expect("INT3", after, 0);
	start();
	trap_hook(0x80, on_debug);
	asm volatile("int $0x80\n1:\tlea 1b(%%rip), %0" : "=&r"(after));
	trap_hook(0x80, NULL);
	expect("INT 0x80", after, 0);
}

void debug_check(void)
{
	trap_hook(VECTOR_DB, on_debug);
	check_steps();
	check_step_in_string();
	check_breakpoints();
	if (param_given("strict")) { /* not in TCG */
		check_breakpoint_on_string();
		check_general_detect();
		check_port_breakpoint();
		check_icebp();
	}
	check_instructions();
	trap_hook(VECTOR_DB, NULL);
}
