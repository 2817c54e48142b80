/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control register accesses that exit: a MOV to CR0 that changes NE, CD or NW as the guest sees
 * them, a MOV to CR4 that changes MCE or sets a bit the guest may not set, and CR8. The guest owns
 * all other bits; the processor checks and applies them.
 */
#include "hv/run/exit_handlers.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/run/cr_check.h"
#include "hv/run/event.h"
#include "hv/run/pv_eoi.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"

/* SDM vol. 3, "Exit Qualification for Control-Register Accesses". */
enum cr_access { CR_MOV_TO = 0, CR_MOV_FROM = 1, CR_CLTS = 2, CR_LMSW = 3 };

#define CR0_DEFINED \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

static uint64_t guest_cr0(void)
{
	return (vmcs_read(VMCS_GUEST_CR0) & ~CR0_HOST_OWNED) |
	       (vmcs_read(VMCS_CR0_SHADOW) & CR0_HOST_OWNED);
}

static bool cr0_valid(uint64_t old, uint64_t value)
{
	struct cr_state state = {
		.cr4 = vmcs_read(VMCS_GUEST_CR4),
		.efer = vmcs_read(VMCS_GUEST_EFER),
		.cs_is_64bit = vmcs_read(VMCS_GUEST_CS_AR) & BIT(13),
	};

	return cr0_may_become(old, value, &state);
}

/* Long mode begins and ends with paging. SDM vol. 3, "IA-32e Mode Guest" VM-entry control. */
static void update_long_mode(uint64_t cr0)
{
	uint64_t efer = vmcs_read(VMCS_GUEST_EFER);
	uint64_t controls = vmcs_read(VMCS_ENTRY_CONTROLS);
	bool lma = (cr0 & CR0_PG) && (efer & EFER_LME);

	vmcs_write(VMCS_GUEST_EFER, lma ? efer | EFER_LMA : efer & ~EFER_LMA);
	vmcs_write(VMCS_ENTRY_CONTROLS, lma ? controls | ENTRYC_IA32E : controls & ~ENTRYC_IA32E);
}

/* PAE paging outside long mode: load the four entries to which CR3 points into the VMCS. */
static enum status load_pdptes(struct vcpu *vcpu)
{
	uint64_t cr3 = vmcs_read(VMCS_GUEST_CR3), pdpte[4];

	lock_acquire(&vcpu->vm->lock);
	enum status status =
		guest_read(&vcpu->vm->memory, (gpa_t){cr3 & BITS(31, 5)}, pdpte, sizeof(pdpte));
	lock_release(&vcpu->vm->lock);
	if (status != OK)
		return status;
	if (!pdptes_may_be(pdpte, vcpu->cpuid->extended[8].eax & 0xff))
		return ERR_INVAL;
	for (unsigned i = 0; i < 4; i++)
		vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), pdpte[i]);
	return OK;
}

static bool write_cr0_guest(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = guest_cr0();

	if (!cr0_valid(old, value))
		return false;
	value = (value & CR0_DEFINED) | CR0_ET;
	if ((value ^ old) & CR0_PG) {
		bool pae = (vmcs_read(VMCS_GUEST_CR4) & CR4_PAE) &&
			   !(vmcs_read(VMCS_GUEST_EFER) & EFER_LME);

		if ((value & CR0_PG) && pae && load_pdptes(vcpu) != OK)
			return false;
		update_long_mode(value);
	}
	vmcs_write(VMCS_CR0_SHADOW, value);
	vmcs_write(VMCS_GUEST_CR0, (value & ~CR0_HOST_OWNED) | CR0_NE);
	/* A MOV to CR0 that changes paging drops linear translations. */
	vmx_flush_vpid(&vcpu_shared.capability, vcpu->vpid.number);
	return true;
}

/* SDM vol. 2, "MOV—Move to/from Control Registers", for CR4. */
static bool cr4_valid(uint64_t old, uint64_t value)
{
	bool lma = vmcs_read(VMCS_GUEST_EFER) & EFER_LMA;

	if (value & ~vcpu_shared.cpuid.cr4_allowed || (lma && !(value & CR4_PAE)))
		return false;
	if (!(value & CR4_PCIDE) || (old & CR4_PCIDE))
		return true;
	return lma && !(vmcs_read(VMCS_GUEST_CR3) & BITS(11, 0));
}

static bool write_cr4_guest(struct vcpu *vcpu, uint64_t value)
{
	const uint64_t paging = CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP;
	uint64_t old = vmcs_read(VMCS_GUEST_CR4);
	bool pae = (vmcs_read(VMCS_GUEST_CR0) & CR0_PG) && (value & CR4_PAE) &&
		   !(vmcs_read(VMCS_GUEST_EFER) & EFER_LMA);

	if (!cr4_valid(old, value))
		return false;
	if (pae && ((value ^ old) & paging) && load_pdptes(vcpu) != OK)
		return false;
	vmcs_write(VMCS_CR4_SHADOW, value & CR4_HOST_OWNED);
	vmcs_write(VMCS_GUEST_CR4, value | CR4_HOST_OWNED);
	vmx_flush_vpid(&vcpu_shared.capability, vcpu->vpid.number);
	return true;
}

static bool write_cr8(struct vcpu *vcpu, uint64_t value)
{
	if (value >> 4)
		return false;
	vm_lock_devices(vcpu->vm);
	if (vcpu->lapic->is_lent)
		vcpu_take_back_in_service(vcpu);
	lapic_set_cr8(vcpu->lapic, value);
	vm_unlock_devices(vcpu->vm);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	return true;
}

static bool mov_to_cr(struct vcpu *vcpu, unsigned cr, uint64_t value)
{
	switch (cr) {
	case 0:
		return write_cr0_guest(vcpu, value);
	case 4:
		return write_cr4_guest(vcpu, value);
	case 8:
		return write_cr8(vcpu, value);
	default:
		vm_crash(vcpu->vm, "unexpected exit for CR%u", cr);
		return true;
	}
}

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

enum exit_action exit_cr(struct vcpu *vcpu)
{
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL);
	unsigned cr = qual & 0xf, reg = qual >> 8 & 0xf;
	enum cr_access access = qual >> 4 & 3;
	uint64_t value = read_gpr(vcpu, reg);

	if (!vcpu_in_64bit_code())
		value &= UINT32_MAX;
	if (access == CR_MOV_FROM && cr == 8) {
		write_gpr(vcpu, reg, lapic_get_cr8(vcpu->lapic));
	} else if (access != CR_MOV_TO) {
		vm_crash(vcpu->vm, "unexpected control register access 0x%lx", qual);
	} else if (!mov_to_cr(vcpu, cr, value)) {
		vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
		return EXIT_AGAIN;
	}
	return EXIT_NEXT;
}
