/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/policy.h"

/* Short names of the measures in 'measures', with spaces between; "none". */
void policy_names(uint32_t measures, char *ret, size_t size);

/* What is on, what is missing, and what to do about it: one line for each. */
void policy_describe(const struct policy *policy, void (*put)(const char *line));
