/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * What VMs have used. A VM's counts are in its share and its vCPUs. Those of a clone that has
 * ended, or become a template, are its template's: the sum over a template and its clones never
 * falls.
 */
struct usage {
	uint64_t ticks; /* of the host's TSC, on all processors */
	uint64_t n_exits[N_EXIT_KINDS];
};

/* QEMU's and Linux's words for the kind, for people and programs: "CPUID", "external interrupt". */
const char *usage_exit_name(enum exit_kind kind);

/* Add the VM's counts. vms_lock is held. */
void usage_add(struct usage *sum, const struct vm *vm);
/* Add those of all VMs, and of all that have ended. vms_lock is held. */
void usage_add_all(struct usage *sum);

/*
 * The VM has ended, or has become a template, and none of its vCPUs runs: its counts become those
 * of its template, or of the machine. The VM's list is locked.
 */
void usage_hand_over(struct vm *vm);
