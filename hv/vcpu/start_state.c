/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers with which a kernel starts, or a processor after a SIPI. */
#include "hv/vcpu/start_state.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/speculation.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"

/* Access rights. SDM vol. 3, "Guest Register State": as bytes 5 and 6 of a descriptor. */
enum {
	AR_CODE32 = 0xc09b,
	AR_CODE64 = 0xa09b,
	AR_DATA = 0xc093,
	AR_CODE16 = 0x009b,
	AR_DATA16 = 0x0093,
	AR_LDT = 0x0082,
	AR_TSS_BUSY = 0x008b,
	AR_UNUSABLE = 0x10000,
};

#define RFLAGS_FIXED BIT(1)
#define PAT_RESET    UINT64_C(0x0007040600070406)
#define DR6_RESET    UINT64_C(0xffff0ff0)
#define DR7_RESET    UINT64_C(0x400)
#define FCW_RESET    0x037f
#define MXCSR_RESET  0x1f80

static void write_segment(enum segment segment, uint16_t selector, uint32_t limit, uint32_t rights)
{
	vmcs_write(vmcs_segment_field(VMCS_GUEST_ES_SEL, segment), selector);
	vmcs_write(vmcs_segment_field(VMCS_GUEST_ES_LIMIT, segment), limit);
	vmcs_write(vmcs_segment_field(VMCS_GUEST_ES_AR, segment), rights);
	vmcs_write(vmcs_segment_field(VMCS_GUEST_ES_BASE, segment), 0);
}

static void write_segments(const struct loader_state *start)
{
	static const enum segment data[] = {SEG_ES, SEG_SS, SEG_DS, SEG_FS, SEG_GS};

	write_segment(SEG_CS, LOADER_SELECTOR_CODE, UINT32_MAX,
		      start->mode == ENTRY_LONG64 ? AR_CODE64 : AR_CODE32);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		write_segment(data[i], LOADER_SELECTOR_DATA, UINT32_MAX, AR_DATA);
	write_segment(SEG_LDTR, 0, 0, AR_UNUSABLE);
	write_segment(SEG_TR, LOADER_SELECTOR_TSS, 0x67, AR_TSS_BUSY);
	vmcs_write(VMCS_GUEST_GDTR_BASE, start->gdt.raw);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, start->gdt_limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, 0);
}

static void write_flat_controls(const struct loader_state *start)
{
	bool long_mode = start->mode == ENTRY_LONG64;
	uint64_t cr0 = CR0_PE | CR0_ET | (long_mode ? CR0_PG : 0);
	uint64_t entry = vcpu_shared.controls.word[CONTROLS_ENTRY];

	vmcs_write(VMCS_GUEST_CR0, cr0 | CR0_NE);
	vmcs_write(VMCS_CR0_SHADOW, cr0);
	vmcs_write(VMCS_GUEST_CR3, start->page_tables.raw);
	vmcs_write(VMCS_GUEST_CR4, CR4_HOST_OWNED | (long_mode ? CR4_PAE : 0));
	vmcs_write(VMCS_CR4_SHADOW, 0);
	vmcs_write(VMCS_GUEST_EFER, long_mode ? EFER_LME | EFER_LMA : 0);
	vmcs_write(VMCS_ENTRY_CONTROLS, long_mode ? entry | ENTRYC_IA32E : entry);
}

static void write_rest(void)
{
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_DR7, DR7_RESET);
	vmcs_write(VMCS_GUEST_RSP, 0);
	vmcs_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	for (unsigned i = 0; i < 4; i++)
		vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), 0);
}

/* What VM entry and exit do for this vCPU. */
static void write_controls(struct vcpu *vcpu)
{
	vcpu->guest.proc_controls = vcpu_shared.controls.word[CONTROLS_PROC];
	vmcs_write(VMCS_PROC_CONTROLS, vcpu->guest.proc_controls);
	vmcs_write(VMCS_EXCEPTION_BITMAP, EXCEPTIONS_ALWAYS);
	vmcs_write(VMCS_TSC_OFFSET, vcpu->guest.tsc_offset);
}

void vcpu_choose_controls(struct vcpu *vcpu)
{
	struct vmcs_guest *guest = &vcpu->saved.vmcs;
	uint64_t entry = vcpu_shared.controls.word[CONTROLS_ENTRY];

	if (vmcs_guest_field(guest, VMCS_GUEST_EFER) & EFER_LMA)
		entry |= ENTRYC_IA32E;
	vcpu->guest.proc_controls = vcpu_shared.controls.word[CONTROLS_PROC];
	vmcs_set_guest_field(guest, VMCS_GUEST_CR4,
			     vmcs_guest_field(guest, VMCS_GUEST_CR4) | CR4_HOST_OWNED);
	vmcs_set_guest_field(guest, VMCS_ENTRY_CONTROLS, entry);
	vmcs_set_guest_field(guest, VMCS_PROC_CONTROLS, vcpu->guest.proc_controls);
	vmcs_set_guest_field(guest, VMCS_EXCEPTION_BITMAP, EXCEPTIONS_ALWAYS);
	vmcs_set_guest_field(guest, VMCS_TSC_OFFSET, vcpu->guest.tsc_offset);
}

/* The vCPU is loaded. */
static void reset_debug_registers(void)
{
	write_debug_addresses((uint64_t[4]){0});
	write_dr6(DR6_RESET);
}

/*
 * Give registers that INIT keeps their values after power-on. The vCPU is loaded, so that vector
 * and system-call registers are in the processor: write the memory image, and load that.
 */
static void reset_kept_registers(struct vcpu *vcpu)
{
	uint8_t *area = vcpu->xsave_area;

	vcpu_clear_switched_msrs();
	vcpu->regs.spec_ctrl = 0;
	if (vcpu_shared.switches_speculation)
		speculation_load(vcpu, this_cpu(), false);
	vmcs_write(VMCS_GUEST_PAT, PAT_RESET);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	guest_msrs_reset(vcpu_own_msrs(vcpu), vcpu_shared.microcode);
	/* XSTATE_BV names no component: XRSTOR gives all of them their initial values. */
	memset(area, 0, vcpu->cpuid->basic[0xd].ecx);
	*(uint16_t *)area = FCW_RESET;
	*(uint32_t *)(area + 24) = MXCSR_RESET;
	xsetbv(0, vcpu->cpuid->xcr0_allowed);
	xrstor(area);
	vcpu->guest.xcr0 = 1;
	xsetbv(0, 1);
}

/* Common to both ways to start. The caller writes segments, control registers and RIP. */
static void reset_registers(struct vcpu *vcpu)
{
	assert(vcpu->n_steps == 0);
	memset(vcpu->regs.gpr, 0, sizeof(vcpu->regs.gpr));
	write_cr2(0);
	vcpu->guest.event = 0;
	reset_debug_registers();
	write_rest();
	write_controls(vcpu);
}

static void write_real_mode_segments(uint16_t code, uint64_t code_base)
{
	static const enum segment data[] = {SEG_ES, SEG_SS, SEG_DS, SEG_FS, SEG_GS};

	write_segment(SEG_CS, code, UINT16_MAX, AR_CODE16);
	vmcs_write(VMCS_GUEST_CS_BASE, code_base);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		write_segment(data[i], 0, UINT16_MAX, AR_DATA16);
	write_segment(SEG_LDTR, 0, UINT16_MAX, AR_LDT);
	write_segment(SEG_TR, 0, UINT16_MAX, AR_TSS_BUSY);
	vmcs_write(VMCS_GUEST_GDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, UINT16_MAX);
	vmcs_write(VMCS_GUEST_IDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, UINT16_MAX);
}

static void write_real_mode_controls(uint64_t cache_bits)
{
	vmcs_write(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
	vmcs_write(VMCS_CR0_SHADOW, CR0_ET | cache_bits);
	vmcs_write(VMCS_GUEST_CR3, 0);
	vmcs_write(VMCS_GUEST_CR4, CR4_HOST_OWNED);
	vmcs_write(VMCS_CR4_SHADOW, 0);
	vmcs_write(VMCS_GUEST_EFER, 0);
	vmcs_write(VMCS_ENTRY_CONTROLS, vcpu_shared.controls.word[CONTROLS_ENTRY]);
}

static void write_flat_start(struct vcpu *vcpu, const struct loader_state *start)
{
	vcpu->regs.gpr[RSI] = start->rsi;
	vcpu->regs.gpr[RBX] = start->rbx;
	vcpu->regs.gpr[RAX] = start->rax;
	write_segments(start);
	write_flat_controls(start);
	vmcs_write(VMCS_GUEST_RIP, start->rip);
}

/* SDM vol. 3, "Processor State After Reset". */
static void write_reset_start(struct vcpu *vcpu)
{
	vcpu->regs.gpr[RDX] = vcpu->cpuid->basic[1].eax; /* its signature */
	write_real_mode_segments(0xf000, 0xffff0000);
	write_real_mode_controls(CR0_CD | CR0_NW);
	vmcs_write(VMCS_GUEST_RIP, 0xfff0);
}

void vcpu_write_start_state(struct vcpu *vcpu, const struct loader_state *start)
{
	reset_registers(vcpu);
	if (start->mode == ENTRY_RESET)
		write_reset_start(vcpu);
	else
		write_flat_start(vcpu, start);
	reset_kept_registers(vcpu);
	vmx_flush_vpid(&vcpu_shared.capability, vcpu->vpid.number);
}

/* SDM vol. 3, "Processor State After Reset" and "Processor State After INIT". */
void vcpu_write_sipi_state(struct vcpu *vcpu, uint8_t vector)
{
	uint64_t cache_bits = CR0_CD | CR0_NW;

	if (!vcpu->guest.is_fresh)
		cache_bits &= vmcs_read(VMCS_CR0_SHADOW);
	reset_registers(vcpu);
	vcpu->regs.gpr[RDX] = vcpu->cpuid->basic[1].eax; /* its signature */
	write_real_mode_segments((uint16_t)(vector << 8), (uint64_t)vector << 12);
	write_real_mode_controls(cache_bits);
	vmcs_write(VMCS_GUEST_RIP, 0);
	if (vcpu->guest.is_fresh)
		reset_kept_registers(vcpu);
	vcpu->guest.is_fresh = false;
	vmx_flush_vpid(&vcpu_shared.capability, vcpu->vpid.number);
}
