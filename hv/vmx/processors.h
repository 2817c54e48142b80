/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/policy.h"
#include "hv/vmx/controls.h"

/* What a processor reports about itself at start. */
struct processor_report {
	struct vmx_capability vmx;
	struct cpu_facts facts;
	const char *left_out; /* why the processor is not used; NULL: it is used */
};

/*
 * Choose which processors run guests, and what all of them have: a vCPU runs on any of them, with
 * the same controls and the same CPUID. report[0] is the boot processor's, which lacks nothing; of
 * the others, 'left_out' is set. Without 'use_threads' one thread of each core is used. 'ret' has
 * the boot processor's model, and the features and controls that all chosen ones share.
 */
void processors_choose(struct processor_report *report, unsigned n, bool use_threads,
		       struct processor_report *ret);

/*
 * The policy for the first n of 'report', which are used. Removes from 'common', of
 * processors_choose(), the controls that do not work on one of them.
 */
void processors_policy(const struct processor_report *report, unsigned n,
		       struct processor_report *common, enum mitigations mode, struct policy *ret);
