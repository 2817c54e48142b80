/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vmx/controls.h"

/*
 * The VMX instructions, and the registers to read or set before them. An instruction that fails
 * here is our bug: assert().
 */

/* Read this processor's capabilities. Reads an MSR only if an earlier one says that it exists. */
void vmx_read_capability(struct vmx_capability *ret);

/*
 * Turn VMX on for this processor with a frame for its VMXON region; locks
 * IA32_FEATURE_CONTROL if the firmware left it open, without SGX and SMX. Requires that
 * vmx_missing() is NULL. SDM vol. 3, "Enabling and Entering VMX Operation".
 */
void vmx_on(const struct vmx_capability *cap, phys_t region);

/* The types of INVEPT and INVVPID that are used. SDM vol. 3, "INVEPT". */
enum flush_type { FLUSH_SINGLE = 1, FLUSH_ALL = 2 };

/*
 * SDM vol. 3, "Extended-Page-Table Pointer (EPTP)": write-back, 4 levels, no A/D flags. With these,
 * processors would write accessed flags to the tables of a template, which its clones share and
 * which never change, and each walk of a guest's page tables would count as a write to them, so
 * that clones copied what they only read. Little is to be gained: of the pages that a revert of
 * Linux copies back (ept_restore()), three of four have changed.
 */
static inline uint64_t vmx_eptp(phys_t root)
{
	enum { TYPE_WB = 6, WALK_LENGTH = 4 };

	return root | TYPE_WB | (WALK_LENGTH - 1) << 3;
}

/* Write the VMCS revision into a frame that becomes a VMXON region or a VMCS. */
void vmx_write_revision(const struct vmx_capability *cap, phys_t region);

/* Drop linear and combined mappings of one VPID, or of all. */
void vmx_flush_vpid(const struct vmx_capability *cap, uint16_t vpid);
/* Those of all VPIDs. Takes long where the processor can only flush a single one. */
void vmx_flush_vpids(const struct vmx_capability *cap);
