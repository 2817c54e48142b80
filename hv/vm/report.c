/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of a guest, for the log after a crash and for panics. */
#include "hv/vm/report.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

static uint64_t field(enum vmcs_field f)
{
	uint64_t value;

	return vmcs_read_safe(f, &value) ? value : 0;
}

static void report_segment(enum log_level level, const char *name, enum segment segment)
{
	log_line(level, "  %-4s %04lx base %016lx limit %08lx rights %05lx", name,
		 field(vmcs_segment_field(VMCS_GUEST_ES_SEL, segment)),
		 field(vmcs_segment_field(VMCS_GUEST_ES_BASE, segment)),
		 field(vmcs_segment_field(VMCS_GUEST_ES_LIMIT, segment)),
		 field(vmcs_segment_field(VMCS_GUEST_ES_AR, segment)));
}

void vcpu_report_registers(const struct vcpu *vcpu, enum log_level level)
{
	const uint64_t *gpr = vcpu->regs.gpr;

	log_line(level, "  rip %016lx rsp %016lx rflags %08lx", field(VMCS_GUEST_RIP),
		 field(VMCS_GUEST_RSP), field(VMCS_GUEST_RFLAGS));
	log_line(level, "  rax %016lx rcx %016lx rdx %016lx rbx %016lx", gpr[RAX], gpr[RCX],
		 gpr[RDX], gpr[RBX]);
	log_line(level, "  rbp %016lx rsi %016lx rdi %016lx cr2 %016lx", gpr[RBP], gpr[RSI],
		 gpr[RDI], read_cr2());
	log_line(level, "  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", gpr[R8], gpr[R9], gpr[R10],
		 gpr[R11]);
	log_line(level, "  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", gpr[R12], gpr[R13],
		 gpr[R14], gpr[R15]);
	log_line(level, "  cr0 %08lx cr3 %016lx cr4 %08lx efer %04lx", field(VMCS_GUEST_CR0),
		 field(VMCS_GUEST_CR3), field(VMCS_GUEST_CR4), field(VMCS_GUEST_EFER));
	report_segment(level, "cs", SEG_CS);
	report_segment(level, "ss", SEG_SS);
	report_segment(level, "tr", SEG_TR);
	log_line(level, "  gdtr %016lx idtr %016lx exits %lu, last %lu",
		 field(VMCS_GUEST_GDTR_BASE), field(VMCS_GUEST_IDTR_BASE), vcpu_n_exits(vcpu),
		 field(VMCS_EXIT_REASON));
}

void panic_dump_vmx(void)
{
	const struct vcpu *vcpu = this_cpu()->current;

	if (vcpu == NULL)
		return;
	log_error("VM %s was loaded:", vm_name(vcpu->vm));
	vcpu_report_registers(vcpu, LOG_ERROR);
	log_error("  exit %lx qualification %lx guest-physical %lx vectoring %lx",
		  field(VMCS_EXIT_REASON), field(VMCS_EXIT_QUAL), field(VMCS_GUEST_PHYS_ADDR),
		  field(VMCS_IDT_VECTORING_INFO));
	log_error("  controls pin %lx proc %lx, %lx exit %lx entry %lx eptp %lx",
		  field(VMCS_PIN_CONTROLS), field(VMCS_PROC_CONTROLS), field(VMCS_PROC_CONTROLS2),
		  field(VMCS_EXIT_CONTROLS), field(VMCS_ENTRY_CONTROLS), field(VMCS_EPTP));
}
