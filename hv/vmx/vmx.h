/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"

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

/* Make a fresh frame this processor's current VMCS; its fields are undefined. */
void vmcs_init(const struct vmx_capability *cap, phys_t vmcs);
/* The current VMCS, as it is, has to be launched again. */
void vmcs_unlaunch(phys_t vmcs);

/* What HOST_CR0 and HOST_CR4 will be: this processor's own. Once per VMCS. */
struct vmcs_host {
	uint64_t gs_base, tr_base, gdtr_base, idtr_base;
	uint16_t code_selector, data_selector, tss_selector;
};
void vmcs_write_host(const struct vmcs_host *host);

/* The fields that stay as they are for the life of a VMCS. */
struct vmcs_constant {
	const struct vmx_controls *controls;
	phys_t io_bitmap_a, io_bitmap_b, msr_bitmap;
	uint64_t cr0_mask, cr4_mask; /* bits the guest does not own */
};
void vmcs_write_constant(const struct vmcs_constant *constant);

/*
 * The fields that differ from guest to guest, but for EPT pointer and VPID: its registers
 * and what VM entry does for it. In the order of vmcs_guest_fields.
 */
#define VMCS_GUEST_FIELDS 62
extern const uint16_t vmcs_guest_fields[VMCS_GUEST_FIELDS]; /* enum vmcs_field */
struct vmcs_guest {
	uint64_t field[VMCS_GUEST_FIELDS];
};
void vmcs_read_guest(struct vmcs_guest *ret);
void vmcs_write_guest(const struct vmcs_guest *guest);
/* One of them; others are no field of a guest's. */
uint64_t vmcs_guest_field(const struct vmcs_guest *guest, enum vmcs_field field);
void vmcs_set_guest_field(struct vmcs_guest *guest, enum vmcs_field field, uint64_t value);

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
