/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Bit 31 of the exit reason: VM entry failed late. SDM vol. 3, "Basic VM-Exit Information". */
#define EXIT_ENTRY_FAILED BIT(31)
/* Bit 26: the exit interrupted the report of a bus lock. Bits 15:0 are of enum exit_reason. */
#define EXIT_WITH_BUS_LOCK BIT(26)
#define EXIT_BASIC_REASON  UINT32_C(0xffff)

/* SDM vol. 3, appendix "VMX Basic Exit Reasons". */
enum exit_reason {
	EXIT_EXCEPTION_NMI = 0,
	EXIT_EXTERNAL_INTERRUPT = 1,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT = 3,
	EXIT_INTERRUPT_WINDOW = 7,
	EXIT_NMI_WINDOW = 8,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = 10,
	EXIT_GETSEC = 11,
	EXIT_HLT = 12,
	EXIT_INVD = 13,
	EXIT_RDPMC = 15,
	EXIT_VMCALL = 18,
	EXIT_VMCLEAR = 19,
	EXIT_VMLAUNCH = 20,
	EXIT_VMPTRLD = 21,
	EXIT_VMPTRST = 22,
	EXIT_VMREAD = 23,
	EXIT_VMRESUME = 24,
	EXIT_VMWRITE = 25,
	EXIT_VMXOFF = 26,
	EXIT_VMXON = 27,
	EXIT_CR_ACCESS = 28,
	EXIT_DR_ACCESS = 29,
	EXIT_IO = 30,
	EXIT_MSR_READ = 31,
	EXIT_MSR_WRITE = 32,
	EXIT_ENTRY_GUEST_STATE = 33,
	EXIT_MWAIT = 36,
	EXIT_MONITOR = 39,
	EXIT_PAUSE = 40,
	EXIT_ENTRY_MACHINE_CHECK = 41,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIG = 49,
	EXIT_INVEPT = 50,
	EXIT_PREEMPTION_TIMER = 52,
	EXIT_INVVPID = 53,
	EXIT_WBINVD = 54,
	EXIT_XSETBV = 55,
	EXIT_INVPCID = 58,
	EXIT_VMFUNC = 59,
	EXIT_ENCLS = 60,
	EXIT_XSAVES = 63,
	EXIT_XRSTORS = 64,
	EXIT_ENCLV = 70,
	EXIT_BUS_LOCK = 74,
	EXIT_NOTIFY = 75,
	EXIT_SEAMCALL = 76,
	EXIT_TDCALL = 77,
	EXIT_REASON_COUNT = 78,
};

/*
 * Interruption information, the same layout in the exit, entry and IDT-vectoring
 * fields. SDM vol. 3, "Information for VM Exits Due to Vectored Events".
 */
#define INTR_VECTOR	     UINT64_C(0xff)
#define INTR_TYPE	     BITS(10, 8)
#define INTR_TYPE_EXTERNAL   (UINT64_C(0) << 8)
#define INTR_TYPE_NMI	     (UINT64_C(2) << 8)
#define INTR_TYPE_HARDWARE   (UINT64_C(3) << 8)
#define INTR_TYPE_SOFTWARE   (UINT64_C(4) << 8)
#define INTR_TYPE_PRIVILEGED (UINT64_C(5) << 8)
#define INTR_TYPE_SOFT_EXC   (UINT64_C(6) << 8)
#define INTR_HAS_ERROR_CODE  BIT(11)
#define INTR_NMI_UNBLOCKING  BIT(12)
#define INTR_VALID	     BIT(31)

/* Guest interruptibility state. SDM vol. 3, "Guest Non-Register State". */
#define BLOCKING_STI	BIT(0)
#define BLOCKING_MOV_SS BIT(1)
#define BLOCKING_NMI	BIT(3)

/* Guest pending debug exceptions: a single step is due. */
#define PENDING_BS BIT(14)

/* SDM vol. 3, "Guest Non-Register State": activity states. */
#define ACTIVITY_ACTIVE UINT64_C(0)
