/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Checksums of templates (host -checksum on): one is taken while the first clones run already, and
 * compared with another before the memory is freed. The memory of a template never changes: a
 * difference is a bug in the hypervisor. All of it is done in pieces of some tens of microseconds.
 */

/* Frames that are added to a checksum before other work has its turn. */
#define CHECKSUM_AT_ONCE 64

/* Whether checksums are taken: off at first. Before the first VM starts. */
void checksum_set(bool on);

/* For template_freeze(): the template is held until its checksum was taken. vms_lock is held. */
void checksum_note(struct vm *template);

/*
 * Continue with the checksum of a template. Any processor; one at a time. No lock is held. False:
 * there was nothing to do, or another processor does it.
 */
bool checksum_work(void);
/* Whether a checksum is still to be taken. No lock. */
bool checksum_has_work(void);

/*
 * For template_bury(): compare the checksum that was taken with that of the memory now. 'now'
 * begins with zeros. Returns whether more is to be done; panics if they differ.
 */
bool checksum_compare_some(struct vm *buried, struct ept_layer_sum *now, unsigned n);
