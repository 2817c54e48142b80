/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/vmx/controls.h"

/*
 * The VMX instructions and what must be read or set before them. A VMX
 * instruction that fails here is our bug: assert.
 */

/* Read what this processor can do. Reads no MSR that its predecessor says is absent. */
void vmx_read_capability(struct vmx_capability *ret);

/*
 * Turn VMX on for this processor with a frame for its VMXON region; locks
 * IA32_FEATURE_CONTROL if the firmware left it open. vmx_missing() said NULL before.
 * SDM vol. 3, "Enabling and Entering VMX Operation".
 */
void vmx_on(const struct vmx_capability *cap, phys_t region);

/* Make a fresh frame a VMCS: revision identifier, then VMCLEAR. */
void vmcs_init(const struct vmx_capability *cap, phys_t vmcs);
/* Write back and forget: afterwards any processor may load it, and must launch it. */
void vmcs_clear(phys_t vmcs);
void vmcs_load(phys_t vmcs);

/* What HOST_CR0 and HOST_CR4 will be: this processor's own. Once per VMCS and processor change. */
struct vmcs_host {
	uint64_t gs_base, tr_base, gdtr_base, idtr_base;
	uint16_t code_selector, data_selector, tss_selector;
};
void vmcs_write_host(const struct vmcs_host *host);

/* The fields that stay as they are for the life of a VMCS. */
struct vmcs_constant {
	const struct vmx_controls *controls;
	phys_t io_bitmap_a, io_bitmap_b, msr_bitmap;
	uint64_t eptp;
	uint16_t vpid;
	uint64_t cr0_mask, cr4_mask; /* bits the guest does not own */
	uint32_t exception_bitmap;
};
void vmcs_write_constant(const struct vmcs_constant *constant);

/* SDM vol. 3, "Extended-Page-Table Pointer (EPTP)": write-back, 4 levels, no A/D flags. */
static inline uint64_t vmx_eptp(phys_t root)
{
	enum { TYPE_WB = 6, WALK_LENGTH = 4 };

	return root | TYPE_WB | (WALK_LENGTH - 1) << 3;
}

/* Drop all translations derived from one EPT, or from all where the processor has only that. */
void vmx_flush_ept(const struct vmx_capability *cap, uint64_t eptp);
/* Drop linear and combined mappings of one VPID, or of all. */
void vmx_flush_vpid(const struct vmx_capability *cap, uint16_t vpid);
