/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vmx/vmcs_field.h"

/*
 * The fields that differ from guest to guest, except EPT pointer and VPID: its registers and the
 * controls of its VM entries. In the order of vmcs_guest_fields.
 */
#define VMCS_GUEST_FIELDS 62
extern const uint16_t vmcs_guest_fields[VMCS_GUEST_FIELDS]; /* enum vmcs_field */
struct vmcs_guest {
	uint64_t field[VMCS_GUEST_FIELDS];
};
/* Get or set one of these fields; another field is a bug. */
uint64_t vmcs_guest_field(const struct vmcs_guest *guest, enum vmcs_field field);
void vmcs_set_guest_field(struct vmcs_guest *guest, enum vmcs_field field, uint64_t value);
