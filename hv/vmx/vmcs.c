/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes and fills the current VMCS, and copies a guest's fields in and out. */
#include "hv/vmx/vmcs.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/panic.h"
#include "hv/lib/assert.h"
#include "hv/vmx/entry.h"
#include "hv/vmx/instruction_error.h"
#include "hv/vmx/vmx.h"

static void vmcs_clear(phys_t vmcs)
{
	bool ok;

	asm volatile("vmclear %[vmcs]" : "=@cca"(ok) : [vmcs] "m"(vmcs) : "memory");
	assert(ok);
}

static void vmcs_load(phys_t vmcs)
{
	bool ok;

	asm volatile("vmptrld %[vmcs]" : "=@cca"(ok) : [vmcs] "m"(vmcs) : "memory");
	assert(ok);
}

void vmcs_unlaunch(phys_t vmcs)
{
	vmcs_clear(vmcs);
	vmcs_load(vmcs);
}

void vmcs_write_host(const struct vmcs_host *host)
{
	vmcs_write(VMCS_HOST_CR0, read_cr0());
	vmcs_write(VMCS_HOST_CR3, read_cr3());
	vmcs_write(VMCS_HOST_CR4, read_cr4());
	vmcs_write(VMCS_HOST_CS_SEL, host->code_selector);
	vmcs_write(VMCS_HOST_SS_SEL, host->data_selector);
	vmcs_write(VMCS_HOST_DS_SEL, 0);
	vmcs_write(VMCS_HOST_ES_SEL, 0);
	vmcs_write(VMCS_HOST_FS_SEL, 0);
	vmcs_write(VMCS_HOST_GS_SEL, 0);
	vmcs_write(VMCS_HOST_TR_SEL, host->tss_selector);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmcs_write(VMCS_HOST_GS_BASE, host->gs_base);
	vmcs_write(VMCS_HOST_TR_BASE, host->tr_base);
	vmcs_write(VMCS_HOST_GDTR_BASE, host->gdtr_base);
	vmcs_write(VMCS_HOST_IDTR_BASE, host->idtr_base);
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_PAT, rdmsr(IA32_PAT));
	vmcs_write(VMCS_HOST_EFER, rdmsr(IA32_EFER));
	vmcs_write(VMCS_HOST_RIP, (uint64_t)(vmx_guards ? vmx_exit_guarded : vmx_exit));
}

/* Fields of features that exist but are not used. */
static void write_unused(const struct vmx_controls *controls)
{
	vmcs_write(VMCS_PF_ERROR_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_LINK_POINTER, UINT64_MAX);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0); /* from then on each exit clears its valid bit */
	if (controls->word[CONTROLS_PROC2] & PROC2_XSAVES)
		vmcs_write(VMCS_XSS_EXITING, UINT64_MAX);
	if (controls->word[CONTROLS_PROC2] & PROC2_ENCLS)
		vmcs_write(VMCS_ENCLS_EXITING, UINT64_MAX);
	if (controls->word[CONTROLS_PROC2] & PROC2_ENCLV)
		vmcs_write(VMCS_ENCLV_EXITING, UINT64_MAX);
}

/* No EOI exits that the MSR bitmap lets through, and nothing is in service. */
static void write_apic(const struct vmcs_constant *constant)
{
	vmcs_write(VMCS_VIRTUAL_APIC, constant->virtual_apic);
	for (unsigned i = 0; i < 4; i++)
		vmcs_write((enum vmcs_field)(VMCS_EOI_EXIT0 + 2 * i), 0);
	vmcs_write(VMCS_GUEST_INTERRUPT_STATUS, 0);
}

void vmcs_write_constant(const struct vmcs_constant *constant)
{
	const uint32_t *word = constant->controls->word;

	vmcs_write(VMCS_PIN_CONTROLS, word[CONTROLS_PIN]);
	vmcs_write(VMCS_PROC_CONTROLS2, word[CONTROLS_PROC2]);
	vmcs_write(VMCS_EXIT_CONTROLS, word[CONTROLS_EXIT]);
	vmcs_write(VMCS_IO_BITMAP_A, constant->io_bitmap_a);
	vmcs_write(VMCS_IO_BITMAP_B, constant->io_bitmap_b);
	vmcs_write(VMCS_MSR_BITMAP, constant->msr_bitmap);
	vmcs_write(VMCS_CR0_MASK, constant->cr0_mask);
	vmcs_write(VMCS_CR4_MASK, constant->cr4_mask);
	if (word[CONTROLS_PROC2] & PROC2_PAUSE_LOOP) {
		/* A spin lock's loop takes less than 128 ticks; after 4096 ticks a switch pays. */
		vmcs_write(VMCS_PLE_GAP, 128);
		vmcs_write(VMCS_PLE_WINDOW, 4096);
	}
	/* Ticks of the TSC without the end of an instruction: longer than any takes. */
	if (word[CONTROLS_PROC2] & PROC2_NOTIFY)
		vmcs_write(VMCS_NOTIFY_WINDOW, 1 << 20);
	if (word[CONTROLS_PROC2] & PROC2_VIRTUAL_INTERRUPTS)
		write_apic(constant);
	write_unused(constant->controls);
}

void vmcs_read_guest(struct vmcs_guest *ret)
{
#pragma GCC unroll 64
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		ret->field[i] = vmcs_read((enum vmcs_field)vmcs_guest_fields[i]);
}

void vmcs_write_guest(const struct vmcs_guest *guest)
{
#pragma GCC unroll 64
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		vmcs_write_next((enum vmcs_field)vmcs_guest_fields[i], guest->field[i]);
}

void vmcs_fail(const char *what, enum vmcs_field field)
{
	uint64_t error;

	if (!vmcs_read_safe(VMCS_INSTRUCTION_ERROR, &error))
		panic("%s of VMCS field %#x failed: no current VMCS", what, (unsigned)field);
	panic("%s of VMCS field %#x failed: %s (VM-instruction error %u)", what, (unsigned)field,
	      vmx_instruction_error((unsigned)error), (unsigned)error);
}
