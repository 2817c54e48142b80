/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/mask.h"

#include "hv/lib/string.h"

#define IN_EPT_VPID N_CONTROL_WORDS /* IA32_VMX_EPT_VPID_CAP instead of a word of controls */

static const struct {
	const char *name;
	unsigned word;
	uint64_t bits;
} features[] = {
	{"vmx-vtpr", CONTROLS_PROC, PROC_TPR_SHADOW},
	{"vmx-apicv-x2apic", CONTROLS_PROC2, PROC2_X2APIC},
	{"vmx-apicv-register", CONTROLS_PROC2, PROC2_APIC_REGISTERS},
	{"vmx-apicv-vid", CONTROLS_PROC2, PROC2_VIRTUAL_INTERRUPTS},
	{"vmx-ept", CONTROLS_PROC2, PROC2_EPT},
	{"vmx-unrestricted-guest", CONTROLS_PROC2, PROC2_UNRESTRICTED_GUEST},
	{"vmx-vpid", CONTROLS_PROC2, PROC2_VPID},
	{"vmx-rdtscp-exit", CONTROLS_PROC2, PROC2_RDTSCP},
	{"vmx-wbinvd-exit", CONTROLS_PROC2, PROC2_WBINVD},
	{"vmx-ple", CONTROLS_PROC2, PROC2_PAUSE_LOOP},
	{"vmx-invpcid-exit", CONTROLS_PROC2, PROC2_INVPCID},
	{"vmx-xsaves", CONTROLS_PROC2, PROC2_XSAVES},
	{"vmx-preemption-timer", CONTROLS_PIN, PIN_PREEMPTION_TIMER},
	{"vmx-exit-save-preemption-timer", CONTROLS_EXIT, EXITC_SAVE_PREEMPTION_TIMER},
	{"vmx-ept-2mb", IN_EPT_VPID, EPT_CAP_2M},
	{"vmx-ept-1gb", IN_EPT_VPID, EPT_CAP_1G},
	{"vmx-invept", IN_EPT_VPID, EPT_CAP_INVEPT},
	{"vmx-invept-single-context", IN_EPT_VPID, EPT_CAP_INVEPT_SINGLE},
	{"vmx-invept-all-context", IN_EPT_VPID, EPT_CAP_INVEPT_ALL},
	{"vmx-invvpid", IN_EPT_VPID, EPT_CAP_INVVPID},
	{"vmx-invvpid-single-context", IN_EPT_VPID, EPT_CAP_INVVPID_SINGLE},
	{"vmx-invvpid-all-context", IN_EPT_VPID, EPT_CAP_INVVPID_ALL},
};
_Static_assert(ARRAY_SIZE(features) <= 32, "a set has 32 bits");

/* ARRAY_SIZE(features): there is none of that name. */
static unsigned find(const char *name, size_t len)
{
	unsigned i = 0;

	while (i < ARRAY_SIZE(features) &&
	       (strlen(features[i].name) != len || memcmp(features[i].name, name, len) != 0))
		i++;
	return i;
}

bool vmx_mask_read(const char *text, uint32_t *ret, const char **ret_unknown)
{
	uint32_t set = 0;

	for (;;) {
		size_t len = 0;
		unsigned i;

		while (text[len] != '\0' && text[len] != ',')
			len++;
		i = find(text, len);
		if (i == ARRAY_SIZE(features)) {
			*ret_unknown = text;
			return false;
		}
		set |= (uint32_t)BIT(i);
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret = set;
	return true;
}

void vmx_mask(struct vmx_capability *cap, uint32_t set)
{
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		if (!(set & BIT(i)))
			continue;
		if (features[i].word == IN_EPT_VPID)
			cap->ept_vpid &= ~features[i].bits;
		else
			vmx_hide(cap, (enum control_word)features[i].word,
				 (uint32_t)features[i].bits);
	}
}
