/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy in words, for the log and for the monitor. */
#include "hv/host/policy_text.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum { LINE_SIZE = 300 };

struct policy host_policy;

static const char *const names[N_MEASURES] = {
	"nx-large-pages",   "l1d-flush", "verw",      "ibpb",	  "eibrs",     "ibrs",
	"bhi-dis-s",	    "bhb-clear", "retpoline", "rsb-fill", "rsb-entry", "rng-microcode",
	"gather-microcode", "tsx-off",
};

void policy_names(uint32_t measures, char *ret, size_t size)
{
	size_t len = 0;

	format(ret, size, "none");
	for (unsigned i = 0; i < N_MEASURES; i++) {
		if (!(measures >> i & 1))
			continue;
		format(ret + len, size - len, "%s%s", len > 0 ? " " : "", names[i]);
		len += strlen(ret + len);
	}
}

void policy_describe(const struct policy *policy, void (*put)(const char *line))
{
	static const char *const modes[] = {"auto", "off", "all"};
	char line[LINE_SIZE], list[LINE_SIZE - 100];

	policy_names(policy->measures, list, sizeof(list));
	format(line, sizeof(line), "mitigations %s: %s", modes[policy->mode], list);
	put(line);
	if (policy->needs_microcode) {
		policy_names(policy->needs_microcode, list, sizeof(list));
		format(line, sizeof(line),
		       "mitigations: newer microcode than 0x%x is needed for %s: update the "
		       "firmware",
		       (unsigned)policy->microcode, list);
		put(line);
	}
	if (policy->mode != MITIGATIONS_OFF && policy->shares_cores &&
	    policy->weaknesses & WEAK_SIBLING_LEAK)
		put("mitigations: VMs on the threads of a core can read each other's data: "
		    "'host -smt off' prevents it");
}
