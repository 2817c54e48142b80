/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/*
 * Make this processor forget translations of the VM's memory older than 'generation', and use the
 * tree as it is now. Trees that still run on their layer's root share its translations, which never
 * change: what one has made there need not be forgotten for the next one. Trees with tables but
 * without a root take turns at the processor's own root, and forget what the one before has made
 * there: a clone needs no frame for a root, and a turn costs an INVEPT instead.
 */
void vcpu_forget(struct vcpu *vcpu, uint64_t generation);
/*
 * Use the tree of a vCPU that was here before, but not last. False: another one had the processor's
 * root meanwhile, and vcpu_forget() must come before the entry.
 */
bool vcpu_remember(const struct vcpu *vcpu);
/* This processor may have an old translation of the VM's memory: the next flush is a real one. */
void vcpu_distrust(struct vcpu *vcpu);
