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

/* Bytes of the file. */
size_t vm_state_size(const struct vm *vm);
/* Write them; labels of NVDIMMs, and a VM that has not started yet, are not for this. */
void vm_state_write(const struct vm *vm, const struct vm_state_host *host, void *to);

/*
 * Give a VM that was made from its configuration, and has not run, the state in a file. Its clocks
 * have gone on since then. '*model' becomes what its vCPUs are told about their processor from now
 * on, and is kept by the caller. The controls of VM entry are left for the caller to choose. An
 * error leaves 'why', and a VM that is good for nothing but to be destroyed.
 */
enum status vm_state_read(struct vm *vm, const struct vm_state_host *host, const void *data,
			  size_t len, struct cpuid_model *model, char why[STATE_WHY_MAX]);
