/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/policy.h"

/*
 * The state that every processor starts with, whatever the firmware left: nothing that traces,
 * counts or adds faults is on, and the policy's measures are.
 */

struct msr_setting {
	uint32_t msr;
	uint64_t clear, set;
};

#define KNOWN_STATE_MAX 16

/* The MSRs to change on a processor with these facts. Returns their number. */
unsigned known_state_list(const struct cpu_facts *facts, const struct policy *policy,
			  struct msr_setting ret[KNOWN_STATE_MAX]);

/* Change them on this processor. One that refuses is logged. */
void known_state_set(const struct cpu_facts *facts, const struct policy *policy);
