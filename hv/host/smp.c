/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other processors, all together, and waits until they have arrived (hv/host/arrival.h).
 * Those that are missing get another INIT and another chance: a processor may be in SMM when the
 * SIPI comes, and a hypervisor below may not run it for long. One that is still missing at the end
 * is left out. SDM vol. 3, "Multiple-Processor (MP) Initialization".
 */
#include "hv/host/smp.h"

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/arrival.h"
#include "hv/host/cpu.h"
#include "hv/host/idt.h"
#include "hv/host/io.h"
#include "hv/host/low_page.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/stop.h"
#include "hv/host/tsc.h"
#include "hv/host/tsc_sync.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Each stack has a page below it that is not mapped. */
enum {
	STACK_PAGES = 8,
	IST_STACK_PAGES = 2,
	STACK_SET_PAGES = STACK_PAGES + 1 + (CPU_IST_END - 1) * (IST_STACK_PAGES + 1)
};

/* trampoline.asm */
struct trampoline_values {
	uint64_t cr3, entry;
	uint32_t code_offset;
	uint16_t code_selector;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t efer;
	uint32_t unhide_nx;
	uint32_t zero;
};
extern const char trampoline_start[];
extern const char trampoline_values[];
extern const char trampoline_end[];

static uint32_t n_expected;	  /* in arrival_expected[] */
static cpu_entry *main_of_others; /* constant after smp_init() */

/* The first that a processor does after it has arrived in time. */
static void join(struct cpu *cpu)
{
	if (!tsc_sync_follow(cpu))
		cpu_park();
	main_of_others(cpu);
}

/* Use the page at *next as a guard and the n_pages after it as a stack; *ret_top is its end. */
static enum status carve_stack(phys_t *next, unsigned n_pages, uint64_t *ret_top)
{
	TRY(paging_unmap_page((uintptr_t)phys_to_virt(*next)));
	*next += (n_pages + 1) * PAGE_SIZE;
	*ret_top = (uintptr_t)phys_to_virt(*next);
	return OK;
}

static enum status alloc_stacks(struct cpu *cpu)
{
	phys_t next = frame_alloc_run(STACK_SET_PAGES, PAGE_SIZE);
	uint64_t top;

	if (next == 0)
		return ERR_NOMEM;
	TRY(carve_stack(&next, STACK_PAGES, &cpu->stack_top));
	for (unsigned i = 1; i < CPU_IST_END; i++) {
		TRY(carve_stack(&next, IST_STACK_PAGES, &top));
		cpu->tss.ist[i - 1][0] = (uint32_t)top;
		cpu->tss.ist[i - 1][1] = (uint32_t)(top >> 32);
	}
	return OK;
}

static struct cpu *alloc_cpu(uint32_t apic_id)
{
	phys_t frames = frame_alloc_run(sizeof(struct cpu) / PAGE_SIZE, PAGE_SIZE);
	struct cpu *cpu = phys_to_virt(frames);

	if (frames == 0)
		return NULL;
	memset(cpu, 0, sizeof(*cpu));
	cpu->self = cpu;
	cpu->apic_id = apic_id;
	cpu->frames.node = numa_home_of_cpu(&numa, apic_id);
	return alloc_stacks(cpu) == OK ? cpu : NULL;
}

static void install_trampoline(phys_t page)
{
	struct trampoline_values values;
	size_t len = (size_t)(trampoline_end - trampoline_start);
	size_t offset = (size_t)(trampoline_values - trampoline_start);

	assert(len <= PAGE_SIZE && offset + sizeof(values) == len);
	memcpy(phys_to_virt(page), trampoline_start, len);
	memcpy(&values, trampoline_values, sizeof(values));
	values.cr3 = paging_root();
	values.entry = (uintptr_t)arrival_entry;
	values.efer = (uint32_t)paging_efer() & ~(uint32_t)EFER_LMA;
	values.unhide_nx = paging_nx_was_hidden();
	values.code_offset += (uint32_t)page;
	values.gdt_base += (uint32_t)page;
	memcpy((char *)phys_to_virt(page) + offset, &values, sizeof(values));
}

static uint32_t n_in(enum arrival state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_expected; i++)
		n += __atomic_load_n(&arrival_expected[i]->arrival, __ATOMIC_ACQUIRE) == state;
	return n;
}

static void wait_for_arrivals(uint64_t us)
{
	uint64_t start = rdtsc(), ticks = tsc_hz / 1000000 * us;

	while (n_in(ARRIVAL_AWAITED) > 0 && rdtsc() - start < ticks)
		pause();
}

static void change_all(enum arrival from, enum arrival to)
{
	for (uint32_t i = 0; i < n_expected; i++)
		(void)arrival_change(arrival_expected[i], from, to);
}

static void send_init(void)
{
	for (uint32_t i = 0; i < n_expected; i++)
		if (arrival_expected[i]->arrival == ARRIVAL_HELD)
			host_apic_send_init(arrival_expected[i]->apic_id);
}

/* A processor that runs already ignores a SIPI. */
static void send_sipi(phys_t page)
{
	for (uint32_t i = 0; i < n_expected; i++)
		if (__atomic_load_n(&arrival_expected[i]->arrival, __ATOMIC_ACQUIRE) ==
		    ARRIVAL_AWAITED)
			host_apic_send_sipi(arrival_expected[i]->apic_id, page);
}

/*
 * A processor that arrives while it is held halts until its INIT. So none is reset that the boot
 * processor takes for arrived.
 */
static void try_start(phys_t page, const struct smp_times *times, unsigned attempt)
{
	change_all(ARRIVAL_AWAITED, ARRIVAL_HELD);
	if (n_in(ARRIVAL_HELD) == 0)
		return;
	send_init();
	tsc_wait_us(times->init_us);
	change_all(ARRIVAL_HELD, ARRIVAL_AWAITED);
	send_sipi(page);
	wait_for_arrivals(times->sipi_us);
	send_sipi(page);
	wait_for_arrivals(times->arrive_us[attempt]);
}

uint32_t smp_n_listed(const struct boot_info *info)
{
	return acpi.n_cpus > 0 ? acpi.n_cpus : info->n_cpus;
}

static uint32_t apic_id_of(const struct boot_info *info, uint32_t i)
{
	return acpi.n_cpus > 0 ? acpi.cpu_apic_id[i] : info->cpu[i].apic_id;
}

static const char *what_lacks_for(uint32_t apic_id)
{
	if (!host_apic_reaches(apic_id))
		return "x2APIC mode";
	return n_expected + 1 < CPU_MAX ? NULL : "room";
}

/* Fill arrival_expected[]. The processors are numbered, because number 0 is the boot processor. */
static void expect_all(const struct boot_info *info)
{
	for (uint32_t i = 0; i < smp_n_listed(info); i++) {
		uint32_t apic_id = apic_id_of(info, i);
		const char *lack = what_lacks_for(apic_id);
		struct cpu *cpu;

		if (apic_id == this_cpu()->apic_id)
			continue;
		cpu = lack == NULL ? alloc_cpu(apic_id) : NULL;
		if (cpu == NULL) {
			log_error("processor with APIC ID %u is left out: no %s for it", apic_id,
				  lack != NULL ? lack : "memory");
			continue;
		}
		cpu->index = n_expected + 1;
		arrival_expected[n_expected++] = cpu;
	}
}

/* List those that have arrived and whose TSCs agree with this one's. */
static void take_arrived(void)
{
	change_all(ARRIVAL_AWAITED, ARRIVAL_LEFT_OUT);
	for (uint32_t i = 0; i < n_expected; i++) {
		struct cpu *cpu = arrival_expected[i];

		uint64_t behind;

		if (__atomic_load_n(&cpu->arrival, __ATOMIC_ACQUIRE) != ARRIVAL_DONE) {
			log_error("processor with APIC ID %u does not start and is left out",
				  cpu->apic_id);
			continue;
		}
		behind = tsc_sync_check(cpu);
		if (behind > 0) {
			log_error("processor with APIC ID %u is left out: its TSC differs by at "
				  "least %lu ticks",
				  cpu->apic_id, behind);
			continue;
		}
		cpu->index = n_cpus;
		cpus[n_cpus++] = cpu;
	}
}

static enum status start_others(const struct boot_info *info, const struct smp_times *times)
{
	phys_t page = low_page_find(info->range, info->n_ranges);

	if (page == 0 || paging_root() > UINT32_MAX) {
		log_error("only the boot processor is used: no memory below %s is free",
			  page == 0 ? "1 MiB" : "4 GiB");
		return OK;
	}
	install_trampoline(page);
	/* For ever, because a processor may start late. */
	TRY(paging_make_code((uintptr_t)phys_to_virt(page)));
	for (unsigned attempt = 0; attempt < SMP_TRIES; attempt++)
		try_start(page, times, attempt);
	take_arrived();
	return OK;
}

enum status smp_init(const struct boot_info *info, const struct smp_times *times, cpu_entry *entry)
{
	main_of_others = entry;
	arrival_main = join;
	tsc_sync_setup();
	TRY(alloc_stacks(this_cpu()));
	idt_use_ist();
	expect_all(info);
	return n_expected > 0 ? start_others(info, times) : OK;
}
