/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the processors, one after the other: each finds its struct cpu in smp_starting. One that
 * does not come is sent back to wait for a SIPI, so that it cannot come later. SDM vol. 3,
 * "Multiple-Processor (MP) Initialization".
 */
#include "hv/host/smp.h"

#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/interrupt.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	INIT_US = 10,  /* processors with EPT need no more */
	SIPI_US = 300, /* until a second one is sent */
	ARRIVE_US = 100000,
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
extern const char smp_entry[];
_Noreturn void smp_start(struct cpu *cpu);

/* Taken by the processor being started, atomically. */
struct cpu *smp_starting;

_Noreturn void smp_start(struct cpu *cpu)
{
	paging_load();
	cpu_load(cpu);
	interrupt_load();
	host_apic_init();
	/* Release pairs with the acquire in wait_online(): all that was set up is seen. */
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	cpu_main(cpu);
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
	/* A second one does nothing to a processor that runs. */
	host_apic_send_sipi(cpu->apic_id, page);
	return wait_online(cpu, ARRIVE_US);
}

static void start_cpu(uint32_t apic_id, phys_t page)
{
	struct cpu *cpu = n_cpus < CPU_MAX ? cpu_alloc(apic_id) : NULL;

	if (cpu == NULL) {
		log_error("processor with APIC ID %u is left out: no %s for it", apic_id,
			  n_cpus < CPU_MAX ? "memory" : "place");
		return;
	}
	cpu->index = n_cpus;
	__atomic_store_n(&smp_starting, cpu, __ATOMIC_RELEASE);
	if (send_start(cpu, page)) {
		/* Others may read the array by now: the entry first, then the count. */
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

static void start_others(const struct boot_info *info)
{
	uint32_t n = info->n_cpus > 0 ? info->n_cpus : acpi.n_cpus;
	phys_t page = info->trampoline;

	if (n <= 1)
		return;
	if (page == 0 || paging_root() > UINT32_MAX) {
		log_error("only the boot processor is used: the firmware %s",
			  page == 0 ? "gave no memory below 1 MiB" : "put us above 4 GiB");
		return;
	}
	install_trampoline(page);
	if (paging_set_code_page((uintptr_t)phys_to_virt(page), true) != OK)
		panic("cannot make the trampoline executable");
	for (uint32_t i = 0; i < n; i++) {
		if (apic_id_of(info, i) != this_cpu()->apic_id)
			start_cpu(apic_id_of(info, i), page);
	}
	if (paging_set_code_page((uintptr_t)phys_to_virt(page), false) != OK)
		panic("cannot make the trampoline data again");
}

void smp_init(const struct boot_info *info)
{
	if (cpu_alloc_stacks(this_cpu()) != OK)
		panic("no memory for the stacks of the boot processor");
	interrupt_use_ist();
	start_others(info);
}
