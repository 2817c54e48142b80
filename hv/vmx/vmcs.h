/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vmx/controls.h"
#include "hv/vmx/guest_fields.h"
#include "hv/vmx/vmcs_field.h"

/* Panics: an access to a field failed, which is our bug. */
_Noreturn void vmcs_fail(const char *what, enum vmcs_field field);

/* Panics if the field cannot be read, which no guest can cause. */
static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;

	asm goto("vmread %[f], %[v]\n\t"
		 "jbe %l[failed]"
		 : [v] "=r"(value)
		 : [f] "r"((uint64_t)field)
		 : "cc", "memory"
		 : failed);
	return value;
failed:
	vmcs_fail("vmread", field);
}

/*
 * For the exit path: vmcs_read() without the check, of a field that every processor with VMX has,
 * and EPT has, after a VM exit. Such a read cannot fail (SDM vol. 3, "VMREAD").
 */
static inline uint64_t vmcs_read_next(enum vmcs_field field)
{
	uint64_t value;

	asm volatile("vmread %[f], %[v]"
		     : [v] "=r"(value)
		     : [f] "r"((uint64_t)field)
		     : "cc", "memory");
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	asm goto("vmwrite %[v], %[f]\n\t"
		 "jbe %l[failed]"
		 :
		 : [v] "rm"(value), [f] "r"((uint64_t)field)
		 : "cc", "memory"
		 : failed);
	return;
failed:
	vmcs_fail("vmwrite", field);
}

/* vmcs_write() without the check, of a field that the processor is known to have. */
static inline void vmcs_write_next(enum vmcs_field field, uint64_t value)
{
	asm volatile("vmwrite %[v], %[f]"
		     :
		     : [v] "rm"(value), [f] "r"((uint64_t)field)
		     : "cc", "memory");
}

/* For reports of errors: false if the field cannot be read. */
static inline bool vmcs_read_safe(enum vmcs_field field, uint64_t *ret)
{
	bool ok;

	asm volatile("vmread %[f], %[v]" : [v] "=r"(*ret), "=@cca"(ok) : [f] "r"((uint64_t)field));
	return ok;
}

/*
 * Make 'vmcs' this processor's current VMCS, and let the next entry launch it. The fields of a
 * fresh frame with vmx_write_revision() are undefined.
 */
void vmcs_unlaunch(phys_t vmcs);

/* The host state of this processor; its control registers are read. Once per VMCS. */
struct vmcs_host {
	uint64_t gs_base, tr_base, gdtr_base, idtr_base;
	uint16_t code_selector, data_selector, tss_selector;
};
void vmcs_write_host(const struct vmcs_host *host);

/* The fields that are constant for the life of a VMCS. */
struct vmcs_constant {
	const struct vmx_controls *controls;
	phys_t io_bitmap_a, io_bitmap_b, msr_bitmap;
	phys_t virtual_apic;	     /* this processor's page, all zeros */
	uint64_t cr0_mask, cr4_mask; /* bits the guest does not own */
};
void vmcs_write_constant(const struct vmcs_constant *constant);

/*
 * Copy the guest's fields out of the current VMCS, and into it. Reading panics if the processor
 * lacks a field; writing does not look, so each processor reads first.
 */
void vmcs_read_guest(struct vmcs_guest *ret);
void vmcs_write_guest(const struct vmcs_guest *guest);
