/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A processor's private data: struct cpu, GDT, TSS. The boot processor's struct is static, so
 * that this_cpu() works before there is memory; smp.c gives it stacks.
 */
#include "hv/host/cpu.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"

/* SDM vol. 3, "Segment Descriptors". The accessed bit is set, so that no load writes the table. */
#define DESCRIPTOR_CODE_64 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA	   UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_TSS	   UINT64_C(0x0000890000000000)

/* Operand of LGDT. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

_Static_assert(offsetof(struct cpu, self) == 0, "this_cpu()");
_Static_assert(offsetof(struct cpu, stack_top) == 8, "cpu.asm");
_Static_assert(offsetof(struct cpu, frames) == FRAME_STACK_AT, "frame_stack_here()");

static struct cpu boot_cpu;

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;

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
	boot_cpu.apic_id = regs.ebx >> 24; /* host_apic_init() sets the full ID */
	cpu_load(&boot_cpu);
	cpus[0] = &boot_cpu;
	n_cpus = 1;
}

void cpu_leave_vmx(void)
{
	if (this_cpu()->vmxon_region == 0 || !(read_cr4() & CR4_VMXE))
		return;
	this_cpu()->vmxon_region = 0;
	asm volatile("vmxoff" : : : "cc", "memory");
	write_cr4(read_cr4() & ~CR4_VMXE);
}
