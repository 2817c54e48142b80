/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Bits about speculation, and about what it leaks. SDM vol. 4, "Architectural MSRs", and vol. 2. */

/* IA32_ARCH_CAPABILITIES */
#define ARCH_CAP_RDCL_NO	    BIT(0)
#define ARCH_CAP_IBRS_ALL	    BIT(1)
#define ARCH_CAP_RSBA		    BIT(2)
#define ARCH_CAP_SKIP_L1DFL_VMENTRY BIT(3)
#define ARCH_CAP_SSB_NO		    BIT(4)
#define ARCH_CAP_MDS_NO		    BIT(5)
#define ARCH_CAP_PSCHANGE_MC_NO	    BIT(6)
#define ARCH_CAP_TSX_CTRL	    BIT(7)
#define ARCH_CAP_TAA_NO		    BIT(8)
#define ARCH_CAP_SBDR_SSDP_NO	    BIT(13)
#define ARCH_CAP_FBSDP_NO	    BIT(14)
#define ARCH_CAP_PSDP_NO	    BIT(15)
#define ARCH_CAP_FB_CLEAR	    BIT(17)
#define ARCH_CAP_RRSBA		    BIT(19)
#define ARCH_CAP_BHI_NO		    BIT(20)
#define ARCH_CAP_PBRSB_NO	    BIT(24)
#define ARCH_CAP_GDS_CTRL	    BIT(25)
#define ARCH_CAP_GDS_NO		    BIT(26)
#define ARCH_CAP_RFDS_NO	    BIT(27)
#define ARCH_CAP_RFDS_CLEAR	    BIT(28)

/* Of these, the bits that say something bad. */
#define ARCH_CAPABILITIES_WEAK (ARCH_CAP_RSBA | ARCH_CAP_RRSBA)

/* IA32_SPEC_CTRL */
#define SPEC_CTRL_IBRS	    BIT(0)
#define SPEC_CTRL_STIBP	    BIT(1)
#define SPEC_CTRL_SSBD	    BIT(2)
#define SPEC_CTRL_BHI_DIS_S BIT(10)

/* IA32_PRED_CMD and IA32_FLUSH_CMD */
#define PRED_CMD_IBPB BIT(0)
#define FLUSH_CMD_L1D BIT(0)

/* IA32_TSX_CTRL */
#define TSX_CTRL_RTM_DISABLE BIT(0)
#define TSX_CTRL_CPUID_CLEAR BIT(1)

/* IA32_MCU_OPT_CTRL */
#define MCU_OPT_RNGDS_MITG_DIS BIT(0)
#define MCU_OPT_GDS_MITG_DIS   BIT(4)

/* CPUID leaf 7 */
#define CPUID_7_EBX_RTM		      BIT(11)
#define CPUID_7_EDX_SRBDS_CTRL	      BIT(9)
#define CPUID_7_EDX_MD_CLEAR	      BIT(10)
#define CPUID_7_EDX_SPEC_CTRL	      BIT(26) /* and IA32_PRED_CMD */
#define CPUID_7_EDX_STIBP	      BIT(27)
#define CPUID_7_EDX_L1D_FLUSH	      BIT(28)
#define CPUID_7_EDX_ARCH_CAPABILITIES BIT(29)
#define CPUID_7_EDX_SSBD	      BIT(31)

/* CPUID leaf 7, subleaf 2 */
#define CPUID_7_2_EDX_BHI_CTRL BIT(4)
