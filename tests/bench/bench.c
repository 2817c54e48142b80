/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the cost of exits in TSC ticks: lines "bench NAME SAMPLE". In Bochs with clock
 * sync=none a tick is an instruction. Each sample is the time of one instruction between
 * two RDTSC, less the time of two adjacent RDTSC.
 *	cow= cowsize=  an unwritten copy-on-write region of at least 32 times 2 MiB:
 *	               cow_first (the first page of each 2 MiB), cow_steady (the next);
 *	               before that, template_read_first and template_read, the same by reading
 *	rom=           a ROM region: rom_drop
 *	string=1       outsb_kib alone
 *	disk=1         blk_kib alone: a read-only virtio disk of at least 64 KiB is the first device
 */
#include "tests/guest/lib/lib.h"

#define N_SAMPLES  31
#define LARGE_PAGE UINT64_C(0x200000)
#define UART_LSR   0x3fd
#define UART_SCR   0x3ff

/* The first virtio device's registers, and the few of its driver: VIRTIO 1.2, "Virtio Over MMIO".
 */
#define DISK	   UINT64_C(0xfeb00e00)
#define DISK_KIB   64
#define DISK_QUEUE 8
enum disk_register {
	DISK_DEVICE = 0x08,
	DISK_FEATURES = 0x20,
	DISK_FEATURES_SELECT = 0x24,
	DISK_QUEUE_SIZE = 0x38,
	DISK_QUEUE_READY = 0x44,
	DISK_NOTIFY = 0x50,
	DISK_STATUS = 0x70,
	DISK_DESC = 0x80,
	DISK_DRIVER = 0x90,
	DISK_USED = 0xa0,
};

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

/* Sample i uses base + i * step; one measurement before the first warms caches. */
static void run(const char *name, uint64_t (*measure)(uint64_t), uint64_t base, uint64_t step)
{
	uint64_t nothing = empty();

	if (step == 0)
		(void)measure(base);
	for (unsigned i = 0; i < N_SAMPLES; i++)
		samples[i] = measure(base + i * step);
	for (unsigned i = 0; i < N_SAMPLES; i++)
		print("bench %s %lu\n", name, samples[i] > nothing ? samples[i] - nothing : 0);
}

static struct {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc[DISK_QUEUE];
	struct {
		uint16_t flags, index, head[DISK_QUEUE];
	} avail __attribute__((aligned(16)));
	struct {
		uint16_t flags, index;
		uint32_t entry[2 * DISK_QUEUE];
	} used __attribute__((aligned(16)));
	uint32_t header[4]; /* zeros: read from sector 0 on */
	uint8_t status;
	uint8_t data[DISK_KIB * 1024] __attribute__((aligned(PAGE_SIZE)));
} disk __attribute__((aligned(PAGE_SIZE)));

static volatile uint32_t *disk_register(enum disk_register at)
{
	return (volatile uint32_t *)(DISK + at);
}

static void describe(unsigned i, void *at, uint32_t len, uint16_t flags)
{
	disk.desc[i].addr = (uint64_t)at;
	disk.desc[i].len = len;
	disk.desc[i].flags = flags;
	disk.desc[i].next = (uint16_t)(i + 1);
}

/* False: there is no disk. */
static bool start_disk(void)
{
	if (*disk_register(DISK_DEVICE) != 2)
		return false;
	*disk_register(DISK_STATUS) = 3;
	*disk_register(DISK_FEATURES_SELECT) = 1;
	*disk_register(DISK_FEATURES) = 1; /* version 1 */
	*disk_register(DISK_STATUS) = 11;
	*disk_register(DISK_QUEUE_SIZE) = DISK_QUEUE;
	*disk_register(DISK_DESC) = (uint32_t)(uint64_t)disk.desc;
	*disk_register(DISK_DRIVER) = (uint32_t)(uint64_t)&disk.avail;
	*disk_register(DISK_USED) = (uint32_t)(uint64_t)&disk.used;
	*disk_register(DISK_QUEUE_READY) = 1;
	*disk_register(DISK_STATUS) = 15;
	describe(0, disk.header, sizeof(disk.header), 1);
	describe(1, disk.data, sizeof(disk.data), 3);
	describe(2, &disk.status, 1, 2);
	return true;
}

/* Read all of disk.data. */
static uint64_t measure_disk(uint64_t unused)
{
	uint64_t start;

	(void)unused;
	disk.avail.index++;
	disk.status = 0xff;
	asm volatile("" ::: "memory");
	start = __builtin_ia32_rdtsc();
	*disk_register(DISK_NOTIFY) = 0;
	while (*(volatile uint16_t *)&disk.used.index != disk.avail.index)
		;
	return (__builtin_ia32_rdtsc() - start) / DISK_KIB;
}

static void run_disk(void)
{
	if (!start_disk()) {
		report_missing("bench: no disk");
		return;
	}
	run("blk_kib", measure_disk, 0, 0);
	report(disk.status == 0, "bench: read %u KiB at a time", DISK_KIB);
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
	if (rom == 0)
		report_missing("bench: no rom=");
	else
		run("rom_drop", measure_store, rom, 0);
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
	run("cpuid_exit", measure_cpuid, 0, 0);
	run("pio_exit", measure_out, 0, 0);
	run("pio_in", measure_in, 0, 0);
	run("msr_exit", measure_rdmsr, 0, 0);
	run("mmio_exit", measure_load, APIC_PAGE + APIC_ID, 0);
	run_regions();
	report(true, "bench: %u samples each", N_SAMPLES);
}
