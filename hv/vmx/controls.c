/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMX controls that Stencil needs, those it wants, and those a processor lacks. Pure: works on
 * capability values that the caller has read, so that the absence of every feature can be tested.
 */
#include "hv/vmx/controls.h"

#include "hv/host/msr.h"

struct control_set {
	uint32_t need, want;
};

static const struct control_set sets[N_CONTROL_WORDS] = {
	[CONTROLS_PIN] = {.need = PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI,
			  .want = PIN_PREEMPTION_TIMER},
	[CONTROLS_PROC] = {.need = PROC_TSC_OFFSETTING | PROC_HLT | PROC_MWAIT | PROC_RDPMC |
				   PROC_CR8_LOAD | PROC_CR8_STORE | PROC_IO_BITMAPS |
				   PROC_MSR_BITMAPS | PROC_MONITOR | PROC_SECONDARY,
			   .want = PROC_TPR_SHADOW},
	[CONTROLS_PROC2] = {.need = PROC2_EPT | PROC2_UNRESTRICTED_GUEST | PROC2_VPID,
			    .want = PROC2_RDTSCP | PROC2_X2APIC | PROC2_WBINVD |
				    PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS |
				    PROC2_PAUSE_LOOP | PROC2_INVPCID | PROC2_XSAVES | PROC2_ENCLS |
				    PROC2_ENCLV | PROC2_BUS_LOCK | PROC2_NOTIFY},
	[CONTROLS_EXIT] = {.need = EXITC_SAVE_DEBUG | EXITC_HOST_64 | EXITC_SAVE_PAT |
				   EXITC_LOAD_PAT | EXITC_SAVE_EFER | EXITC_LOAD_EFER,
			   .want = EXITC_SAVE_PREEMPTION_TIMER},
	[CONTROLS_ENTRY] = {.need = ENTRYC_LOAD_DEBUG | ENTRYC_LOAD_PAT | ENTRYC_LOAD_EFER},
};

/* Initially clear; set at times while a guest runs. */
#define PROC_LATER (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)

/* What to do about it. */
#define SWITCH_ON "switch on Intel Virtualization Technology (VT-x) in the firmware's set-up"
#define NEWER	  ": use a processor from Sandy Bridge (2011) on, or a hypervisor below that offers it"

static bool may_set(uint64_t cap, uint64_t bits)
{
	return (bits & ~(cap >> 32)) == 0;
}

static const char *missing_ept(const struct vmx_capability *cap)
{
	uint64_t need = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_INVEPT | EPT_CAP_INVVPID;

	if (!may_set(cap->control[CONTROLS_PROC], PROC_SECONDARY) ||
	    !may_set(cap->control[CONTROLS_PROC2], PROC2_EPT))
		return "no EPT: this processor has VT-x but no extended page tables" NEWER;
	if (!may_set(cap->control[CONTROLS_PROC2], PROC2_UNRESTRICTED_GUEST))
		return "no unrestricted guest: this processor's VT-x is too old" NEWER;
	if (!may_set(cap->control[CONTROLS_PROC2], PROC2_VPID))
		return "no VPID: this processor's VT-x has no virtual-processor identifiers" NEWER;
	if ((cap->ept_vpid & need) != need ||
	    !(cap->ept_vpid & (EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)) ||
	    !(cap->ept_vpid & (EPT_CAP_INVVPID_SINGLE | EPT_CAP_INVVPID_ALL)))
		return "EPT lacks 4-level walks, write-back memory, INVEPT or INVVPID" NEWER;
	return NULL;
}

static const char *missing_controls(const struct vmx_capability *cap)
{
	static const char *const names[N_CONTROL_WORDS] = {
		[CONTROLS_PIN] =
			"a pin-based VMX control is missing (NMI exiting or virtual NMIs)" NEWER,
		[CONTROLS_PROC] =
			"a processor-based VMX control is missing (MSR or I/O bitmaps, or "
			"an exit for CR8)" NEWER,
		[CONTROLS_PROC2] = "a secondary VMX control is missing" NEWER,
		[CONTROLS_EXIT] = "a VM-exit control is missing (PAT or EFER)" NEWER,
		[CONTROLS_ENTRY] = "a VM-entry control is missing (PAT or EFER)" NEWER,
	};

	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		if (!may_set(cap->control[i], sets[i].need))
			return names[i];
	if (!may_set(cap->control[CONTROLS_PROC], PROC_LATER))
		return names[CONTROLS_PROC];
	return NULL;
}

const char *vmx_missing(const struct vmx_capability *cap)
{
	const char *missing;

	if (!cap->vmx)
		return "no VT-x: this processor has no VMX, or firmware or a hypervisor below "
		       "hides it: " SWITCH_ON ", or nested virtualization in the hypervisor";
	if ((cap->feature_control & (FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX)) ==
	    FEATURE_CONTROL_LOCK)
		return "VT-x is locked off in IA32_FEATURE_CONTROL: " SWITCH_ON
		       ", then switch the machine off and on";
	missing = missing_ept(cap);
	if (missing == NULL)
		missing = missing_controls(cap);
	if (missing == NULL && !cap->xsave)
		missing = "no XSAVE: this processor cannot save a guest's vector registers" NEWER;
	return missing;
}

enum status vmx_controls_settle(uint64_t cap, uint32_t need, uint32_t want, uint32_t *ret)
{
	uint32_t must = (uint32_t)cap, may = (uint32_t)(cap >> 32);

	if (need & ~may)
		return ERR_UNSUPPORTED;
	*ret = need | (want & may) | must;
	return OK;
}

void vmx_hide(struct vmx_capability *cap, enum control_word word, uint32_t bits)
{
	cap->control[word] &= ~((uint64_t)bits << 32);
}

/* The VMX-preemption timer and its saving at exits: VM entry refuses the second without the first.
 */
static void settle_timer(struct vmx_controls *controls)
{
	uint32_t *pin = &controls->word[CONTROLS_PIN], *exit = &controls->word[CONTROLS_EXIT];

	if (!(*pin & PIN_PREEMPTION_TIMER) || !(*exit & EXITC_SAVE_PREEMPTION_TIMER)) {
		*pin &= ~(uint32_t)PIN_PREEMPTION_TIMER;
		*exit &= ~(uint32_t)EXITC_SAVE_PREEMPTION_TIMER;
	}
}

/*
 * The local APIC's virtualization: all of what an EOI without an exit takes, or nothing. VM entry
 * refuses the others without the TPR shadow.
 */
static void settle_apic(struct vmx_controls *controls)
{
	const uint32_t both = PROC2_X2APIC | PROC2_VIRTUAL_INTERRUPTS;
	uint32_t *proc = &controls->word[CONTROLS_PROC], *proc2 = &controls->word[CONTROLS_PROC2];

	if (!(*proc & PROC_TPR_SHADOW) || (*proc2 & both) != both) {
		*proc &= ~(uint32_t)PROC_TPR_SHADOW;
		*proc2 &= ~(both | PROC2_APIC_REGISTERS);
	}
}

enum status vmx_controls_choose(const struct vmx_capability *cap, struct vmx_controls *ret)
{
	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		TRY(vmx_controls_settle(cap->control[i], sets[i].need, sets[i].want,
					&ret->word[i]));
	settle_timer(ret);
	settle_apic(ret);
	/*
	 * KVM offers its guests no PAUSE-loop exiting. A vCPU that spins would then keep the
	 * processor for a whole time slice from the vCPU that it waits for.
	 */
	if (!(ret->word[CONTROLS_PROC2] & PROC2_PAUSE_LOOP) &&
	    may_set(cap->control[CONTROLS_PROC], PROC_PAUSE))
		ret->word[CONTROLS_PROC] |= PROC_PAUSE;
	return OK;
}
