/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Check the memory of all VMs and templates, and the hypervisor's own page tables, by the rules of
 * hv/ept/audit.h. All other processors stop meanwhile: see hv/host/rendezvous.h. A fault is a bug
 * of the hypervisor; 'say' gets the first ones, with the name of the VM.
 */
struct vm_audit {
	unsigned n_vms;	  /* with templates */
	uint64_t n_pages; /* frames with a use that was checked */
	uint64_t n_faults;
};

/*
 * ERR_NOMEM: there is no memory for one byte a frame. ERR_BUSY: a template is half made or not
 * freed yet, and its counts cannot be compared; nothing was checked.
 */
enum status vm_audit(void (*say)(const char *name, const char *what), struct vm_audit *ret);
