/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/policy.h"

/*
 * Make VM entries, VM exits and indirect branches do what the policy says. Once, on the boot
 * processor, before any VM entry and while the other processors wait.
 */
void vmx_guard(const struct policy *policy);
