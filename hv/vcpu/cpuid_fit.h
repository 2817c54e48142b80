/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vcpu/cpuid_model.h"

/*
 * Whether a guest that was told 'wanted' can continue here, where 'host' would be told. OK: the
 * fields of 'wanted' that follow from its features are filled in (cr4_allowed, efer_allowed,
 * xcr0_allowed). ERR_UNSUPPORTED: 'why' names the first missing thing, with Linux' names of
 * features. ERR_CORRUPT: no processor answers like that. 'wanted' may hold anything.
 */
enum status cpuid_model_fit(struct cpuid_model *wanted, const struct cpuid_model *host, char *why,
			    size_t why_size);

/* Linux' name of a feature that may be shown to guests. NULL: not such a feature. */
enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };
const char *cpuid_feature_name(uint32_t leaf, uint32_t subleaf, enum cpuid_register reg,
			       unsigned bit);
