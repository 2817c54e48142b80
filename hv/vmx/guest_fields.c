/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMCS fields that hold a guest's state, and their places in struct vmcs_guest. */
#include "hv/vmx/guest_fields.h"

#include "hv/lib/assert.h"

#define SEGMENT(segment) \
	VMCS_GUEST_ES_SEL + 2 * (segment), VMCS_GUEST_ES_LIMIT + 2 * (segment), \
		VMCS_GUEST_ES_AR + 2 * (segment), VMCS_GUEST_ES_BASE + 2 * (segment)

const uint16_t vmcs_guest_fields[] = {
	SEGMENT(SEG_ES),	  SEGMENT(SEG_CS),	  SEGMENT(SEG_SS),
	SEGMENT(SEG_DS),	  SEGMENT(SEG_FS),	  SEGMENT(SEG_GS),
	SEGMENT(SEG_LDTR),	  SEGMENT(SEG_TR),	  VMCS_GUEST_GDTR_BASE,
	VMCS_GUEST_GDTR_LIMIT,	  VMCS_GUEST_IDTR_BASE,	  VMCS_GUEST_IDTR_LIMIT,
	VMCS_GUEST_CR0,		  VMCS_GUEST_CR3,	  VMCS_GUEST_CR4,
	VMCS_CR0_SHADOW,	  VMCS_CR4_SHADOW,	  VMCS_GUEST_DR7,
	VMCS_GUEST_RSP,		  VMCS_GUEST_RIP,	  VMCS_GUEST_RFLAGS,
	VMCS_GUEST_PENDING_DEBUG, VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP,
	VMCS_GUEST_SYSENTER_EIP,  VMCS_GUEST_PAT,	  VMCS_GUEST_EFER,
	VMCS_GUEST_DEBUGCTL,	  VMCS_GUEST_PDPTE0,	  VMCS_GUEST_PDPTE0 + 2,
	VMCS_GUEST_PDPTE0 + 4,	  VMCS_GUEST_PDPTE0 + 6,  VMCS_GUEST_INTERRUPTIBILITY,
	VMCS_GUEST_ACTIVITY,	  VMCS_ENTRY_CONTROLS,	  VMCS_PROC_CONTROLS,
	VMCS_EXCEPTION_BITMAP,	  VMCS_TSC_OFFSET,
};
_Static_assert(ARRAY_SIZE(vmcs_guest_fields) == VMCS_GUEST_FIELDS, "guest_fields.h has the number");

static size_t find_field(enum vmcs_field field)
{
	size_t i = 0;

	while (i < VMCS_GUEST_FIELDS && vmcs_guest_fields[i] != field)
		i++;
	assert(i < VMCS_GUEST_FIELDS);
	return i;
}

uint64_t vmcs_guest_field(const struct vmcs_guest *guest, enum vmcs_field field)
{
	return guest->field[find_field(field)];
}

void vmcs_set_guest_field(struct vmcs_guest *guest, enum vmcs_field field, uint64_t value)
{
	guest->field[find_field(field)] = value;
}
