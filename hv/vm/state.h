/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/saved_head.h"
#include "hv/lib/state_file.h"
#include "hv/vm/vm.h"

/*
 * The state of a VM that does not run, in the format of hv/lib/state_file.h: where its memory is,
 * its options, what its processors can do, the time, its processors and devices. The file holds no
 * memory, nothing that belongs to a clone only (hv/vm/template.h), and nothing of the machine the
 * VM ran on, such as pointers, VPIDs and host time.
 */

/* The machine that writes or reads the file. */
struct vm_state_host {
	const struct cpuid_model *cpuid; /* what CPUID tells guests here */
	uint64_t tsc_hz;
	uint64_t now;	     /* host TSC */
	uint64_t unix_ns;    /* the time of day at 'now', since 1970, UTC; 0: not known */
	const char *release; /* the version of Stencil that writes the file */
};

extern const struct state_table state_cpuid_table; /* for the tests */

/* The file's size in bytes. */
size_t vm_state_size(const struct vm *vm);
/* Write the file. The VM must have started, and must not have NVDIMM labels. */
void vm_state_write(const struct vm *vm, const struct vm_state_host *host,
		    const struct saved_head *head, void *to);

/* A file to read, and what reading it gives. */
struct vm_state_file {
	const void *data;
	size_t len; /* bytes */
	/* The caller's; becomes the CPUID of the VM and its clones. */
	struct cpuid_model *model;
	char why[STATE_WHY_MAX]; /* the reason of an error */
};

/*
 * Load the state into a VM that was made from its configuration, and has not run. The guest's
 * clocks are moved forward by the time since the file was written. The caller chooses the controls
 * of VM entry afterwards. After an error the VM can only be destroyed.
 */
enum status vm_state_read(struct vm *vm, const struct vm_state_host *host,
			  struct vm_state_file *file);
