/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the processors, one after the other: each finds its struct cpu in smp_starting. A
 * processor that does not start in time gets an INIT and waits for a SIPI again, so that it cannot
 * start later. SDM vol. 3, "Multiple-Processor (MP) Initialization".
 */
#include "hv/host/smp.h"

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/idt.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	INIT_US = 10,  /* enough for processors with EPT */
	SIPI_US = 300, /* until a second one is sent */
	ARRIVE_US = 100000,
};

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
	uint32_t zero;
};
extern const char trampoline_start[];
extern const char trampoline_values[];
extern const char trampoline_end[];

/* smp.asm */
extern const char smp_entry[];
void smp_start(struct cpu *cpu);

/* Taken by the processor being started, atomically. */
struct cpu *smp_starting;

static cpu_entry *main_of_others; /* constant after smp_init() */

void smp_start(struct cpu *cpu)
{
	paging_load();
	cpu_load(cpu);
	idt_load();
	host_apic_enable();
	/* Release pairs with the acquire in wait_online(): the boot processor sees this set-up. */
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
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
	values.entry = (uintptr_t)smp_entry;
	values.code_offset += (uint32_t)page;
	values.gdt_base += (uint32_t)page;
	memcpy((char *)phys_to_virt(page) + offset, &values, sizeof(values));
}

static bool wait_online(struct cpu *cpu, uint64_t us)
{
	uint64_t start = rdtsc(), ticks = tsc_hz / 1000000 * us;

	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
		if (rdtsc() - start > ticks)
			return false;
		pause();
	}
	return true;
}

static bool send_start(struct cpu *cpu, phys_t page)
{
	host_apic_send_init(cpu->apic_id);
	tsc_wait_us(INIT_US);
	host_apic_send_sipi(cpu->apic_id, page);
	if (wait_online(cpu, SIPI_US))
		return true;
	/* A running processor ignores a second SIPI. */
	host_apic_send_sipi(cpu->apic_id, page);
	return wait_online(cpu, ARRIVE_US);
}

static void start_cpu(uint32_t apic_id, phys_t page)
{
	struct cpu *cpu = n_cpus < CPU_MAX ? alloc_cpu(apic_id) : NULL;

	if (cpu == NULL) {
		log_error("processor with APIC ID %u is left out: no %s for it", apic_id,
			  n_cpus < CPU_MAX ? "memory" : "room");
		return;
	}
	cpu->index = n_cpus;
	__atomic_store_n(&smp_starting, cpu, __ATOMIC_RELEASE);
	if (send_start(cpu, page)) {
		/* Started processors may read the array: store the entry first, then the count. */
		cpus[n_cpus] = cpu;
		__atomic_store_n(&n_cpus, n_cpus + 1, __ATOMIC_RELEASE);
		return;
	}
	host_apic_send_init(apic_id);
	__atomic_store_n(&smp_starting, NULL, __ATOMIC_RELEASE);
	log_error("processor with APIC ID %u does not start and is left out", apic_id);
}

static uint32_t apic_id_of(const struct boot_info *info, uint32_t i)
{
	return info->n_cpus > 0 ? info->cpu[i].apic_id : acpi.cpu_apic_id[i];
}

static void start_all(const struct boot_info *info, uint32_t n, phys_t page)
{
	for (uint32_t i = 0; i < n; i++) {
		if (apic_id_of(info, i) != this_cpu()->apic_id)
			start_cpu(apic_id_of(info, i), page);
	}
}

static enum status start_others(const struct boot_info *info)
{
	uint32_t n = info->n_cpus > 0 ? info->n_cpus : acpi.n_cpus;
	phys_t page = info->trampoline;

	if (n <= 1)
		return OK;
	if (page == 0 || paging_root() > UINT32_MAX) {
		log_error("only the boot processor is used: the firmware %s",
			  page == 0 ? "gave no memory below 1 MiB" : "put us above 4 GiB");
		return OK;
	}
	install_trampoline(page);
	TRY(paging_set_code_page((uintptr_t)phys_to_virt(page), true));
	start_all(info, n, page);
	return paging_set_code_page((uintptr_t)phys_to_virt(page), false);
}

enum status smp_init(const struct boot_info *info, cpu_entry *entry)
{
	main_of_others = entry;
	TRY(alloc_stacks(this_cpu()));
	idt_use_ist();
	return start_others(info);
}
