/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the cost of exits in TSC ticks: lines "bench NAME SAMPLE". In Bochs with clock
 * sync=none a tick is an instruction. Each sample is the time of one instruction between
 * two RDTSC, less the time of two adjacent RDTSC.
 *	cow= cowsize=  an unwritten copy-on-write region of at least 32 times 2 MiB:
 *	               cow_first (the first page of each 2 MiB), cow_steady (the next);
 *	               before that, template_read_first and template_read, the same by reading
 *	rom=           a ROM region: rom_drop
 *	anon=          untouched memory of 2 MiB: anon_first_write, to every other page
 *	string=1       outsb_kib alone
 *	disk=1         blk_kib alone: see virtio.c
 *	net=1          net_packet alone
 *	vsock=CID      vsock_message alone
 */
#include "tests/bench/bench.h"

#define N_SAMPLES  31
#define LARGE_PAGE UINT64_C(0x200000)
#define X2APIC_ID  0x802
#define X2APIC_EOI 0x80b
#define UART_LSR   0x3fd
#define UART_SCR   0x3ff

static uint64_t samples[N_SAMPLES];
static const char string[1024];

/* Measure 'instruction' once with rbx = arg, the given ecx and edx, and eax 0. */
#define MEASURE(name, instruction, in_ecx, in_edx) \
	static uint64_t name(uint64_t arg) \
	{ \
		uint64_t ticks, c = (in_ecx); \
		asm volatile("rdtsc\n\t" \
			     "mov %%eax, %%r8d\n\t" \
			     "xor %%eax, %%eax\n\t" \
			     "mov %3, %%edx\n\t" instruction "\n\t" \
			     "rdtsc\n\t" \
			     "sub %%r8d, %%eax" \
			     : "=&a"(ticks), "+b"(arg), "+c"(c) \
			     : "i"(in_edx) \
			     : "rdx", "rsi", "r8", "memory", "cc"); \
		return ticks; \
	}
MEASURE(measure_nothing, "", 0, 0)
MEASURE(measure_cpuid, "cpuid", 0, 0)
MEASURE(measure_in, "inb %%dx, %%al", 0, UART_LSR)
MEASURE(measure_out, "outb %%al, %%dx", 0, UART_SCR)
MEASURE(measure_rdmsr, "rdmsr", MSR_APIC_BASE, 0)
MEASURE(measure_wrmsr, "wrmsr", X2APIC_EOI, 0)
MEASURE(measure_apic_id, "rdmsr", X2APIC_ID, 0)
MEASURE(measure_cr8, "mov %%rax, %%cr8", 0, 0)
MEASURE(measure_load, "mov (%%rbx), %%eax", 0, 0)
MEASURE(measure_store, "mov %%eax, (%%rbx)", 0, 0)
MEASURE(measure_outs, "mov %%rbx, %%rsi; rep outsb", 1024, UART_SCR)

static uint64_t empty(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < N_SAMPLES; i++) {
		uint64_t ticks = measure_nothing(0);

		least = ticks < least ? ticks : least;
	}
	return least;
}

void run(const char *name, uint64_t (*measure)(uint64_t), uint64_t base, uint64_t step)
{
	uint64_t nothing = empty();

	if (step == 0)
		(void)measure(base);
	for (unsigned i = 0; i < N_SAMPLES; i++)
		samples[i] = measure(base + i * step);
	for (unsigned i = 0; i < N_SAMPLES; i++)
		print("bench %s %lu\n", name, samples[i] > nothing ? samples[i] - nothing : 0);
}

static void run_regions(void)
{
	uint64_t cow = param_number("cow", 0), rom = param_number("rom", 0);

	if (cow == 0 || param_number("cowsize", 0) < (N_SAMPLES + 1) * LARGE_PAGE) {
		report_missing("bench: no cow= of %lu bytes", (N_SAMPLES + 1) * LARGE_PAGE);
	} else {
		run("template_read_first", measure_load, cow, LARGE_PAGE);
		run("template_read", measure_load, cow + PAGE_SIZE, LARGE_PAGE);
		run("cow_first", measure_store, cow, LARGE_PAGE);
		run("cow_steady", measure_store, cow + PAGE_SIZE, LARGE_PAGE);
		run("cow_again", measure_store, cow + PAGE_SIZE, LARGE_PAGE);
	}
	if (param_number("anon", 0))
		run("anon_first_write", measure_store, param_number("anon", 0), 2 * PAGE_SIZE);
	if (rom == 0)
		report_missing("bench: no rom=");
	else
		run("rom_drop", measure_store, rom, 0);
}

#define EOI_VECTOR 0x51

static bool leave_in_service(struct trap_frame *f)
{
	(void)f;
	return true;
}

/* The EOI of an interrupt, which an x2APIC has in service. */
static uint64_t measure_eoi(uint64_t unused)
{
	(void)unused;
	apic_self_ipi(EOI_VECTOR);
	sti();
	while (!apic_in_service(EOI_VECTOR))
		;
	cli();
	return measure_wrmsr(0);
}

static void run_x2apic(void)
{
	trap_hook(EOI_VECTOR, leave_in_service);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	if (!apic_is_x2()) {
		report_missing("bench: no x2APIC");
		return;
	}
	apic_enable();
	run("eoi", measure_eoi, 0, 0);
	report(!apic_in_service(EOI_VECTOR), "bench: no interrupt is left in service");
	apic_write(APIC_TPR, 0x20); /* from now on Stencil knows that this guest uses priorities */
	run("cr8_write", measure_cr8, 0, 0);
	run("apic_read", measure_apic_id, 0, 0);
	report(apic_read(APIC_TPR) == 0, "bench: CR8 is TPR");
}

void payload(void)
{
	if (param_number("string", 0)) {
		run("outsb_kib", measure_outs, (uint64_t)string, 0);
		report(true, "bench: %u samples", N_SAMPLES);
		return;
	}
	if (param_number("disk", 0)) {
		run_disk();
		return;
	}
	if (param_number("net", 0)) {
		run_net();
		return;
	}
	if (param_number("vsock", 0)) {
		run_vsock(param_number("vsock", 0));
		return;
	}
	run("cpuid_exit", measure_cpuid, 0, 0);
	run("pio_exit", measure_out, 0, 0);
	run("pio_in", measure_in, 0, 0);
	run("msr_exit", measure_rdmsr, 0, 0);
	run("mmio_exit", measure_load, APIC_PAGE + APIC_ID, 0);
	run_regions();
	run_x2apic();
	report(true, "bench: %u samples each", N_SAMPLES);
}
