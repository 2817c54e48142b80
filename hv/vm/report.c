/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's processor was doing, for the report of its end and for panics. */
#include "hv/vm/report.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

#define U64(v) ((unsigned long long)(v))

static unsigned long long field(enum vmcs_field f)
{
	uint64_t value;

	return vmcs_read_safe(f, &value) ? value : 0;
}

static void report_segment(const char *name, enum segment segment)
{
	log_error("  %-4s %04llx base %016llx limit %08llx rights %05llx", name,
		  field(vmcs_segment_field(VMCS_GUEST_ES_SEL, segment)),
		  field(vmcs_segment_field(VMCS_GUEST_ES_BASE, segment)),
		  field(vmcs_segment_field(VMCS_GUEST_ES_LIMIT, segment)),
		  field(vmcs_segment_field(VMCS_GUEST_ES_AR, segment)));
}

void vcpu_report_registers(const struct vcpu *vcpu)
{
	const uint64_t *gpr = vcpu->regs.gpr;

	log_error("  rip %016llx rsp %016llx rflags %08llx", field(VMCS_GUEST_RIP),
		  field(VMCS_GUEST_RSP), field(VMCS_GUEST_RFLAGS));
	log_error("  rax %016llx rcx %016llx rdx %016llx rbx %016llx", U64(gpr[RAX]), U64(gpr[RCX]),
		  U64(gpr[RDX]), U64(gpr[RBX]));
	log_error("  rbp %016llx rsi %016llx rdi %016llx cr2 %016llx", U64(gpr[RBP]), U64(gpr[RSI]),
		  U64(gpr[RDI]), U64(read_cr2()));
	log_error("  r8  %016llx r9  %016llx r10 %016llx r11 %016llx", U64(gpr[R8]), U64(gpr[R9]),
		  U64(gpr[R10]), U64(gpr[R11]));
	log_error("  r12 %016llx r13 %016llx r14 %016llx r15 %016llx", U64(gpr[R12]), U64(gpr[R13]),
		  U64(gpr[R14]), U64(gpr[R15]));
	log_error("  cr0 %08llx cr3 %016llx cr4 %08llx efer %04llx", field(VMCS_GUEST_CR0),
		  field(VMCS_GUEST_CR3), field(VMCS_GUEST_CR4), field(VMCS_GUEST_EFER));
	report_segment("cs", SEG_CS);
	report_segment("ss", SEG_SS);
	report_segment("tr", SEG_TR);
	log_error("  gdtr %016llx idtr %016llx exits %llu, last %llu", field(VMCS_GUEST_GDTR_BASE),
		  field(VMCS_GUEST_IDTR_BASE), U64(vcpu->n_exits), field(VMCS_EXIT_REASON));
}

void panic_dump_vmx(void)
{
	const struct vcpu *vcpu = this_cpu()->current;

	if (vcpu == NULL)
		return;
	log_error("VM %s was loaded:", vcpu->vm->name);
	vcpu_report_registers(vcpu);
	log_error("  exit %llx qualification %llx guest-physical %llx vectoring %llx",
		  field(VMCS_EXIT_REASON), field(VMCS_EXIT_QUAL), field(VMCS_GUEST_PHYS_ADDR),
		  field(VMCS_IDT_VECTORING_INFO));
	log_error("  controls pin %llx proc %llx, %llx exit %llx entry %llx eptp %llx",
		  field(VMCS_PIN_CONTROLS), field(VMCS_PROC_CONTROLS), field(VMCS_PROC_CONTROLS2),
		  field(VMCS_EXIT_CONTROLS), field(VMCS_ENTRY_CONTROLS), field(VMCS_EPTP));
}

void vmcs_fail(const char *what, enum vmcs_field f)
{
	panic("%s of VMCS field 0x%x failed", what, (unsigned)f);
}
