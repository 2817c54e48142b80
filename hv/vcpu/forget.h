/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/*
 * Make this processor forget translations of the VM's memory older than 'generation', and use the
 * current root of the tree. Trees that still run on their layer's root share its translations,
 * which never change: what one has made there need not be forgotten for the next one.
 */
void vcpu_forget(struct vcpu *vcpu, uint64_t generation);
/* This processor may have an old translation of the VM's memory: the next flush is a real one. */
void vcpu_distrust(struct vcpu *vcpu);
