/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOV DR, which exits while a debugger's breakpoints are in the processor: the guest accesses its
 * own debug registers, which are kept meanwhile (hv/vm/debug.h).
 */
#include "hv/run/exit_handlers.h"

#include "hv/host/io.h"
#include "hv/run/event.h"
#include "hv/vm/debug.h"
#include "hv/vmx/vmcs.h"

#define DR6_ACCESS BIT(13)
#define DR7_DETECT BIT(13)

/* SDM vol. 3, "Exit Qualification for MOV DR". */
#define QUAL_NUMBER  UINT64_C(7)
#define QUAL_IS_READ BIT(4)
#define QUAL_GPR(q)  ((unsigned)((q) >> 8) & 15)

static uint64_t read_gpr(const struct vcpu *vcpu, unsigned reg)
{
	return reg == RSP ? vmcs_read(VMCS_GUEST_RSP) : vcpu->regs.gpr[reg];
}

static void write_gpr(struct vcpu *vcpu, unsigned reg, uint64_t value)
{
	if (reg == RSP)
		vmcs_write(VMCS_GUEST_RSP, value);
	else
		vcpu->regs.gpr[reg] = value;
}

/* DR4 and DR5 are other names of DR6 and DR7; the processor has raised #UD where they are not. */
static uint64_t read_dr(const struct debug_cpu *cpu, unsigned number)
{
	if (number < DEBUG_HARDWARE_MAX)
		return cpu->dr[number];
	return number % 2 ? cpu->dr7 : read_dr6();
}

/* False: 64-bit code sets bits that do not exist. */
static bool write_dr(struct debug_cpu *cpu, unsigned number, uint64_t value)
{
	enum { DR6_FIXED = 0xffff0ff0, DR6_SETTABLE = 0xe00f, DR7_SETTABLE = 0xffff2bff };

	if (number < DEBUG_HARDWARE_MAX) {
		cpu->dr[number] = value;
		return true;
	}
	if (value > UINT32_MAX)
		return false;
	if (number % 2)
		cpu->dr7 = (value & DR7_SETTABLE) | DEBUG_DR7_FIXED;
	else
		write_dr6((value & DR6_SETTABLE) | DR6_FIXED);
	return true;
}

enum exit_action exit_dr(struct vcpu *vcpu)
{
	struct debug_cpu *cpu = &debug_of(vcpu->vm)->cpu[vcpu->number];
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL), value;
	unsigned number = qual & QUAL_NUMBER, gpr = QUAL_GPR(qual);

	if (cpu->dr7 & DR7_DETECT) {
		cpu->dr7 &= ~DR7_DETECT;
		write_dr6(read_dr6() | DR6_ACCESS);
		vcpu_inject_exception(vcpu, VECTOR_DB);
		return EXIT_AGAIN;
	}
	if (qual & QUAL_IS_READ) {
		write_gpr(vcpu, gpr, read_dr(cpu, number));
		return EXIT_NEXT;
	}
	value = read_gpr(vcpu, gpr);
	if (!vcpu_in_64bit_code())
		value = (uint32_t)value;
	if (write_dr(cpu, number, value))
		return EXIT_NEXT;
	vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
	return EXIT_AGAIN;
}
