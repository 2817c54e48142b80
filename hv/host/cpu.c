/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a processor has of its own: struct cpu, GDT, TSS, stacks. The boot processor's struct
 * is static, so that this_cpu() works before there is memory; its stacks come later.
 */
#include "hv/host/cpu.h"

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/lib/string.h"

/* Each with one more page below it, which is not mapped. */
enum {
	STACK_PAGES = 8,
	IST_STACK_PAGES = 2,
	STACK_SET_PAGES = STACK_PAGES + 1 + (CPU_IST_END - 1) * (IST_STACK_PAGES + 1)
};

/* SDM vol. 3, "Segment Descriptors": accessed already, so that nothing writes the table. */
#define DESCRIPTOR_CODE_64 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA	   UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_TSS	   UINT64_C(0x0000890000000000)

/* Operand of LGDT. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

_Static_assert(offsetof(struct cpu, self) == 0, "this_cpu()");
_Static_assert(offsetof(struct cpu, stack_top) == 8, "interrupt.asm, trampoline.asm");

static struct cpu boot_cpu;

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;

struct frame_stack *frame_stack_here(void)
{
	return &this_cpu()->frames;
}

static void fill_gdt(struct cpu *cpu)
{
	uint64_t base = (uintptr_t)&cpu->tss, limit = sizeof(cpu->tss) - 1;

	cpu->gdt[CPU_SELECTOR_CODE / 8] = DESCRIPTOR_CODE_64;
	cpu->gdt[CPU_SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
	cpu->gdt[CPU_SELECTOR_TSS / 8] =
		DESCRIPTOR_TSS | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	cpu->gdt[CPU_SELECTOR_TSS / 8 + 1] = base >> 32;
	cpu->tss.io_map_base = sizeof(cpu->tss);
}

void cpu_load(struct cpu *cpu)
{
	struct table_pointer gdt = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};

	fill_gdt(cpu);
	asm volatile("lgdt %0" : : "m"(gdt));
	asm volatile("pushq %[code]\n"
		     "leaq 1f(%%rip), %%rax\n"
		     "pushq %%rax\n"
		     "lretq\n"
		     "1: movl %[data], %%ss\n"
		     "movl %[data], %%ds\n"
		     "movl %[data], %%es\n"
		     "movl %[zero], %%fs\n"
		     "movl %[zero], %%gs\n"
		     "lldt %w[zero]\n"
		     "ltr %w[tss]\n"
		     :
		     : [code] "i"(CPU_SELECTOR_CODE), [data] "r"(CPU_SELECTOR_DATA), [zero] "r"(0),
		       [tss] "r"(CPU_SELECTOR_TSS)
		     : "rax", "memory");
	wrmsr(IA32_GS_BASE, (uintptr_t)cpu);
}

void cpu_init_boot(void)
{
	struct cpuid_regs regs;

	cpuid(1, 0, &regs);
	boot_cpu.self = &boot_cpu;
	boot_cpu.apic_id = regs.ebx >> 24; /* host_apic_init() knows better */
	boot_cpu.online = true;
	cpu_load(&boot_cpu);
	cpus[0] = &boot_cpu;
	n_cpus = 1;
}

/* Take the page at *next for a guard, the n_pages behind it for a stack; returns its top. */
static enum status carve_stack(phys_t *next, unsigned n_pages, uint64_t *ret_top)
{
	TRY(paging_unmap_page((uintptr_t)phys_to_virt(*next)));
	*next += (n_pages + 1) * PAGE_SIZE;
	*ret_top = (uintptr_t)phys_to_virt(*next);
	return OK;
}

enum status cpu_alloc_stacks(struct cpu *cpu)
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

struct cpu *cpu_alloc(uint32_t apic_id)
{
	phys_t frames = frame_alloc_run(sizeof(struct cpu) / PAGE_SIZE, PAGE_SIZE);
	struct cpu *cpu = phys_to_virt(frames);

	if (frames == 0)
		return NULL;
	memset(cpu, 0, sizeof(*cpu));
	cpu->self = cpu;
	cpu->apic_id = apic_id;
	cpu->frames.node = numa_home_of_cpu(&numa, apic_id);
	return cpu_alloc_stacks(cpu) == OK ? cpu : NULL;
}
