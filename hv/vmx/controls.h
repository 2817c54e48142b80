/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* Pin-based controls. SDM vol. 3, "Pin-Based VM-Execution Controls". */
#define PIN_EXTERNAL_INTERRUPT BIT(0)
#define PIN_NMI		       BIT(3)
#define PIN_VIRTUAL_NMI	       BIT(5)
#define PIN_PREEMPTION_TIMER   BIT(6)

/* SDM vol. 3, "Processor-Based VM-Execution Controls". */
#define PROC_INTERRUPT_WINDOW BIT(2)
#define PROC_TSC_OFFSETTING   BIT(3)
#define PROC_HLT	      BIT(7)
#define PROC_MWAIT	      BIT(10)
#define PROC_RDPMC	      BIT(11)
#define PROC_CR8_LOAD	      BIT(19)
#define PROC_CR8_STORE	      BIT(20)
#define PROC_TPR_SHADOW	      BIT(21)
#define PROC_NMI_WINDOW	      BIT(22)
#define PROC_MOV_DR	      BIT(23)
#define PROC_IO_BITMAPS	      BIT(25)
#define PROC_MSR_BITMAPS      BIT(28)
#define PROC_MONITOR	      BIT(29)
#define PROC_PAUSE	      BIT(30)
#define PROC_SECONDARY	      BIT(31)

/* The secondary ones. */
#define PROC2_EPT		 BIT(1)
#define PROC2_RDTSCP		 BIT(3)
#define PROC2_X2APIC		 BIT(4)
#define PROC2_VPID		 BIT(5)
#define PROC2_WBINVD		 BIT(6)
#define PROC2_UNRESTRICTED_GUEST BIT(7)
#define PROC2_APIC_REGISTERS	 BIT(8)
#define PROC2_VIRTUAL_INTERRUPTS BIT(9)
#define PROC2_PAUSE_LOOP	 BIT(10)
#define PROC2_INVPCID		 BIT(12)
#define PROC2_ENCLS		 BIT(15)
#define PROC2_XSAVES		 BIT(20)
#define PROC2_ENCLV		 BIT(28)
#define PROC2_BUS_LOCK		 BIT(30)
#define PROC2_NOTIFY		 BIT(31)

/* SDM vol. 3, "VM-Exit Controls". */
#define EXITC_SAVE_DEBUG	    BIT(2)
#define EXITC_HOST_64		    BIT(9)
#define EXITC_SAVE_PAT		    BIT(18)
#define EXITC_LOAD_PAT		    BIT(19)
#define EXITC_SAVE_EFER		    BIT(20)
#define EXITC_LOAD_EFER		    BIT(21)
#define EXITC_SAVE_PREEMPTION_TIMER BIT(22)

/* SDM vol. 3, "VM-Entry Controls". */
#define ENTRYC_LOAD_DEBUG BIT(2)
#define ENTRYC_IA32E	  BIT(9)
#define ENTRYC_LOAD_PAT	  BIT(14)
#define ENTRYC_LOAD_EFER  BIT(15)

/* The five words of VMX controls. */
enum control_word { CONTROLS_PIN, CONTROLS_PROC, CONTROLS_PROC2, CONTROLS_EXIT, CONTROLS_ENTRY };
#define N_CONTROL_WORDS 5

/* The capabilities of a processor, read once from its MSRs. */
struct vmx_capability {
	bool vmx;			   /* CPUID.1:ECX.VMX */
	bool xsave;			   /* CPUID.1:ECX.XSAVE */
	uint64_t feature_control;	   /* IA32_FEATURE_CONTROL */
	uint64_t basic;			   /* IA32_VMX_BASIC */
	uint64_t control[N_CONTROL_WORDS]; /* the TRUE ones where they exist; 0: word absent */
	uint64_t ept_vpid;		   /* IA32_VMX_EPT_VPID_CAP, 0 if absent */
	uint64_t misc;			   /* IA32_VMX_MISC */
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
};

/* The control words every VMCS starts with. */
struct vmx_controls {
	uint32_t word[N_CONTROL_WORDS];
};

/* IA32_VMX_EPT_VPID_CAP. SDM vol. 3, appendix "VPID and EPT Capabilities". */
#define EPT_CAP_WALK_4	       BIT(6)
#define EPT_CAP_WB	       BIT(14)
#define EPT_CAP_2M	       BIT(16)
#define EPT_CAP_1G	       BIT(17)
#define EPT_CAP_INVEPT	       BIT(20)
#define EPT_CAP_INVEPT_SINGLE  BIT(25)
#define EPT_CAP_INVEPT_ALL     BIT(26)
#define EPT_CAP_INVVPID	       BIT(32)
#define EPT_CAP_INVVPID_SINGLE BIT(41)
#define EPT_CAP_INVVPID_ALL    BIT(42)

/*
 * The first feature that this processor lacks, as one line for the console, with what the
 * machine's owner can do about it; NULL: it lacks nothing.
 */
const char *vmx_missing(const struct vmx_capability *cap);

/* Make the capabilities those of a processor that lacks the controls in 'bits'. */
void vmx_hide(struct vmx_capability *cap, enum control_word word, uint32_t bits);

/*
 * Choose one word of VMX controls. 'cap' is its capability MSR: a bit set in
 * the low half must be 1, a bit clear in the high half must be 0. SDM vol. 3,
 * appendix "VMX Capability Reporting Facility".
 *
 * ERR_UNSUPPORTED if the processor lacks one of 'need'. Bits of 'want' that it lacks are dropped.
 */
enum status vmx_controls_settle(uint64_t cap, uint32_t need, uint32_t want, uint32_t *ret);

/* Choose all words. Fails only if vmx_missing() is not NULL. */
enum status vmx_controls_choose(const struct vmx_capability *cap, struct vmx_controls *ret);
