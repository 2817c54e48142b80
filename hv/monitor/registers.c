/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's registers: for dumps, and as text. */
#include "hv/monitor/registers.h"

#include "hv/host/msr.h"
#include "hv/lib/string.h"
#include "hv/monitor/examine.h"
#include "hv/monitor/say.h"
#include "hv/vmx/vmcs.h"

static uint64_t field(const struct vcpu *vcpu, enum vmcs_field name)
{
	return vmcs_guest_field(&vcpu->saved_in->saved.vmcs, name);
}

#define UNUSABLE BIT(16) /* the other rights are undefined */

static struct dump_segment dump_segment(const struct vcpu *vcpu, enum segment segment)
{
	uint64_t rights = field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_AR, segment));

	return (struct dump_segment){
		.selector = (uint32_t)field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_SEL, segment)),
		.limit = (uint32_t)field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_LIMIT, segment)),
		.rights = rights & UNUSABLE ? 0 : (uint32_t)rights,
		.base = field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_BASE, segment)),
	};
}

/* What the guest reads: the bits of 'mask' come from the shadow. */
static uint64_t as_seen(uint64_t value, uint64_t shadow, uint64_t mask)
{
	return (value & ~mask) | (shadow & mask);
}

void registers_read(const struct vcpu *vcpu, struct dump_cpu *ret)
{
	_Static_assert((unsigned)DUMP_TR == (unsigned)SEG_TR, "the same order");

	memcpy(ret->gpr, vcpu->regs.gpr, sizeof(ret->gpr));
	ret->gpr[RSP] = field(vcpu, VMCS_GUEST_RSP);
	ret->rip = field(vcpu, VMCS_GUEST_RIP);
	ret->rflags = field(vcpu, VMCS_GUEST_RFLAGS);
	for (unsigned i = 0; i < N_DUMP_SEGMENTS; i++)
		ret->segment[i] = dump_segment(vcpu, (enum segment)i);
	ret->gdt = (struct dump_segment){.base = field(vcpu, VMCS_GUEST_GDTR_BASE),
					 .limit = (uint32_t)field(vcpu, VMCS_GUEST_GDTR_LIMIT)};
	ret->idt = (struct dump_segment){.base = field(vcpu, VMCS_GUEST_IDTR_BASE),
					 .limit = (uint32_t)field(vcpu, VMCS_GUEST_IDTR_LIMIT)};
	ret->cr[0] =
		as_seen(field(vcpu, VMCS_GUEST_CR0), field(vcpu, VMCS_CR0_SHADOW), CR0_HOST_OWNED);
	ret->cr[1] = 0;
	ret->cr[2] = vcpu->saved_in->saved.cr2;
	ret->cr[3] = field(vcpu, VMCS_GUEST_CR3);
	ret->cr[4] = as_seen(field(vcpu, VMCS_GUEST_CR4), field(vcpu, VMCS_CR4_SHADOW),
			     ~vcpu->cpuid->cr4_allowed);
	ret->kernel_gs_base = vcpu->saved_in->saved.switched_msr[SWITCHED_KERNEL_GS_BASE];
}

static void say_general(const uint64_t *gpr)
{
	say("RAX=%016lx RBX=%016lx RCX=%016lx RDX=%016lx", gpr[RAX], gpr[RBX], gpr[RCX], gpr[RDX]);
	say("RSI=%016lx RDI=%016lx RBP=%016lx RSP=%016lx", gpr[RSI], gpr[RDI], gpr[RBP], gpr[RSP]);
	say("R8 =%016lx R9 =%016lx R10=%016lx R11=%016lx", gpr[R8], gpr[R9], gpr[R10], gpr[R11]);
	say("R12=%016lx R13=%016lx R14=%016lx R15=%016lx", gpr[R12], gpr[R13], gpr[R14], gpr[R15]);
}

static char flag(const struct dump_cpu *cpu, unsigned bit, char letter)
{
	return (char)(cpu->rflags & BIT(bit) ? letter : '-');
}

static void say_flags(const struct dump_cpu *cpu, bool is_halted)
{
	say("RIP=%016lx RFL=%08lx [%c%c%c%c%c%c%c] CPL=%u HLT=%u", cpu->rip, cpu->rflags,
	    flag(cpu, 10, 'D'), flag(cpu, 11, 'O'), flag(cpu, 7, 'S'), flag(cpu, 6, 'Z'),
	    flag(cpu, 4, 'A'), flag(cpu, 2, 'P'), flag(cpu, 0, 'C'),
	    cpu->segment[DUMP_SS].rights >> 5 & 3, is_halted);
}

static void say_segment(const char *name, const struct dump_segment *segment)
{
	say("%-3s=%04x %016lx %08x %08x", name, segment->selector, segment->base, segment->limit,
	    (segment->rights & 0xf0ff) << 8);
}

static void say_table(const char *name, const struct dump_segment *table)
{
	say("%s=     %016lx %08x", name, table->base, table->limit);
}

void registers_show(const struct vcpu *vcpu)
{
	static const char names[N_DUMP_SEGMENTS][4] = {"ES", "CS", "SS",  "DS",
						       "FS", "GS", "LDT", "TR"};
	struct dump_cpu cpu;

	registers_read(vcpu, &cpu);
	say("CPU#%u", vcpu->number);
	say_general(cpu.gpr);
	say_flags(&cpu, vcpu->regs.requests & VCPU_REQUEST_HALT);
	for (unsigned i = 0; i < N_DUMP_SEGMENTS; i++)
		say_segment(names[i], &cpu.segment[i]);
	say_table("GDT", &cpu.gdt);
	say_table("IDT", &cpu.idt);
	say("CR0=%08lx CR2=%016lx CR3=%016lx CR4=%08lx", cpu.cr[0], cpu.cr[2], cpu.cr[3],
	    cpu.cr[4]);
}

uint64_t registers_value(const struct vcpu *vcpu, unsigned reg)
{
	if (reg == EXAMINE_RIP)
		return field(vcpu, VMCS_GUEST_RIP);
	return reg == RSP ? field(vcpu, VMCS_GUEST_RSP) : vcpu->regs.gpr[reg];
}
