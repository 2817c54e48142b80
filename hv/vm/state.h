/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/vm/vm.h"

/*
 * A VM that does not run, as a file of the format in hv/lib/state_file.h, but for its memory: what
 * its options are, what its processors can do, the time, processors, devices. What a clone has of
 * its own is not in it (hv/vm/template.h), nor is anything of the machine it ran on: pointers,
 * VPIDs, host time.
 */

/* The machine where that is done. */
struct vm_state_host {
	const struct cpuid_model *cpuid; /* what guests are told here */
	uint64_t tsc_hz;
	uint64_t now;	  /* host TSC */
	uint64_t unix_ns; /* the time of day then, since 1970, UTC; 0: not known */
};

extern const struct state_table state_cpuid_table; /* for the tests */

/* Bytes of the file. */
size_t vm_state_size(const struct vm *vm);
/* Write them; labels of NVDIMMs, and a VM that has not started yet, are not for this. */
void vm_state_write(const struct vm *vm, const struct vm_state_host *host, void *to);

/* A file to read. */
struct vm_state_file {
	const void *data;
	size_t len; /* bytes */
	/* The caller's; becomes what the VM's vCPUs, and its clones', are told about their
	 * processor. */
	struct cpuid_model *model;
	char why[STATE_WHY_MAX]; /* an error's reason */
};

/*
 * Give a VM that was made from its configuration, and has not run, the state in a file. Its clocks
 * have gone on since the file was written. The caller chooses the controls of VM entry afterwards.
 * After an error the VM can only be destroyed.
 */
enum status vm_state_read(struct vm *vm, const struct vm_state_host *host,
			  struct vm_state_file *file);
