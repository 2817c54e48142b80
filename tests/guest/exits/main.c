/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every kind of exit a guest can force: harmless, and with the architecture's result.
 *	strict   also test what emulators get wrong; what the host lacks is a failure
 *	only=    cpuid msr control ports strings probes debug faults stack order: one family
 *	base= size=  a copy-on-write region whose pages serve as stacks (stack.c)
 *	outs     the port family also writes
 */
#include "tests/guest/exits/exits.h"

static const struct {
	const char *name;
	void (*check)(void);
} families[] = {
	{"cpuid", cpuid_check}, {"msr", msr_check},	      {"control", control_check},
	{"ports", ports_check}, {"strings", string_io_check}, {"probes", probes_check},
	{"debug", debug_check}, {"faults", faults_check},     {"stack", stack_check},
	{"order", order_check},
};

void payload(void)
{
	bool all = !param_given("only");

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (all || param_is("only", families[i].name))
			families[i].check();
	}
}
