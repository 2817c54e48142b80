/* SPDX-License-Identifier: BSD-2-Clause */
/* The other processors: lists them from the MADT and starts them. */
#include "tests/guest/lib/smp.h"

#include "tests/guest/lib/internal.h"

#define AP_PAGE	      UINT64_C(0x8000)
#define AP_STACK_SIZE 8192
#define EFER_LMA      BIT(10)
#define ICR_INIT      0x00004500u
#define ICR_SIPI      0x00004600u
#define X2APIC_ICR    0x830u

/* ap.asm knows the layout. */
struct ap_values {
	uint16_t gdt_limit;
	uint64_t gdt_base;
	uint16_t reserved;
	uint32_t cr0, cr3, cr4, efer, cpu, edx, cs;
} __attribute__((packed));

extern const uint8_t ap_start[], ap_values[], ap_end[];
void ap_main(unsigned cpu);

uint8_t ap_stacks[SMP_MAX * AP_STACK_SIZE] __attribute__((aligned(16)));

static uint32_t ids[SMP_MAX];
static unsigned n_cpus;
static volatile uint32_t n_arrived;
static void (*volatile work)(unsigned cpu);
static volatile bool wants_x2apic;

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static void add_id(uint32_t id)
{
	if (n_cpus < SMP_MAX)
		ids[n_cpus++] = id;
}

unsigned smp_find(void)
{
	const uint8_t *madt = acpi_find("APIC"), *at, *end;

	n_cpus = 0;
	if (madt == NULL)
		return 0;
	end = madt + read32(madt + 4);
	for (at = madt + 44; at + 2 <= end && at[1] >= 2; at += at[1]) {
		if (at[0] == 0 && (at[4] & 1))
			add_id(at[3]);
		if (at[0] == 9 && (at[8] & 1))
			add_id(read32(at + 4));
	}
	return n_cpus;
}

uint32_t smp_id(unsigned cpu)
{
	return ids[cpu];
}

uint32_t smp_own_id(void)
{
	return apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

unsigned smp_self(void)
{
	uint32_t id = smp_own_id();
	unsigned cpu = 0;

	while (cpu < n_cpus && ids[cpu] != id)
		cpu++;
	return cpu;
}

void smp_send(uint32_t destination, uint32_t command)
{
	if (apic_is_x2()) {
		wrmsr(X2APIC_ICR, (uint64_t)destination << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, destination << 24);
	apic_write(APIC_ICR, command);
}

static volatile struct ap_values *values(void)
{
	return (volatile struct ap_values *)(AP_PAGE + (uint64_t)(ap_values - ap_start));
}

static void install(unsigned cpu)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt;

	asm volatile("sgdt %0" : "=m"(gdt));
	memcpy((void *)AP_PAGE, ap_start, (size_t)(ap_end - ap_start));
	values()->gdt_limit = gdt.limit;
	values()->gdt_base = gdt.base;
	values()->cr0 = (uint32_t)read_cr0();
	values()->cr3 = (uint32_t)read_cr3();
	values()->cr4 = (uint32_t)read_cr4();
	values()->efer = (uint32_t)(rdmsr(MSR_EFER) & ~EFER_LMA);
	values()->cpu = cpu;
	values()->edx = ~0u;
	values()->cs = 0xffff; /* the processor stores 16 bits */
}

void ap_main(unsigned cpu)
{
	void (*todo)(unsigned cpu) = work;

	trap_load();
	if (wants_x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	apic_enable();
	__atomic_fetch_add(&n_arrived, 1, __ATOMIC_SEQ_CST);
	todo(cpu);
}

static bool wait_arrived(uint32_t n)
{
	uint64_t start = rdtsc();

	while (n_arrived < n && rdtsc() - start < WAIT_TICKS)
		cpu_pause();
	return n_arrived >= n;
}

void smp_begin_start(unsigned cpu, void (*todo)(unsigned cpu))
{
	install(cpu);
	work = todo;
	wants_x2apic = apic_is_x2();
	smp_send(ids[cpu], ICR_INIT);
	smp_send(ids[cpu], ICR_SIPI | AP_PAGE >> 12);
	smp_send(ids[cpu], ICR_SIPI | AP_PAGE >> 12);
}

bool smp_start_one(unsigned cpu, void (*todo)(unsigned cpu), struct smp_entry *ret)
{
	uint32_t before = n_arrived;

	smp_begin_start(cpu, todo);
	if (!wait_arrived(before + 1))
		return false;
	*ret = (struct smp_entry){.edx = values()->edx, .cs = values()->cs};
	return true;
}

bool smp_start(void (*todo)(unsigned cpu))
{
	struct smp_entry entry;

	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		if (cpu != smp_self() && !smp_start_one(cpu, todo, &entry))
			return false;
	return true;
}
