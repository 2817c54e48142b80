/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Format of an EPT entry. SDM vol. 3, "The Extended Page Table Mechanism
 * (EPT)".
 */
#define EPT_R	      BIT(0)
#define EPT_W	      BIT(1)
#define EPT_X	      BIT(2)
#define EPT_PRESENT   (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE(t)   ((uint64_t)(t) << 3)
#define EPT_TYPE_MASK BITS(6, 3) /* memory type and "ignore PAT"; leaves only */
#define EPT_LARGE     BIT(7)
#define EPT_ADDR      BITS(51, 12)
#define EPT_OWN	      BIT(52) /* ignored by the CPU: the table or page belongs to this tree */
#define EPT_MERGED    BIT(53) /* ignored by the CPU; in own tables only: the page was merged */
/*
 * Ignored by the CPU; in own tables only: the page is as it was before it became own, and the log
 * has the slot.
 */
#define EPT_RETURNED BIT(11)
/* The log has the slot of a leaf with one of these. */
#define EPT_LOGGED (EPT_OWN | EPT_MERGED | EPT_RETURNED)
/* Ignored by the CPU, in large leaves without EPT_X: the pages that it is split into have EPT_X. */
#define EPT_SMALL_CODE BIT(54)

/*
 * Ignored by the CPU, in entries without EPT_PRESENT: fresh memory, which reads as zeros and has no
 * frame yet. Such an entry of any level below the root leads to the frame of zeros.
 */
#define EPT_FRESH BIT(56)
/* What there is at an address. */
#define EPT_MAPPED (EPT_PRESENT | EPT_FRESH)

/*
 * Write-back, for EPT_TYPE(). The guest's PAT still applies. SDM vol. 3,
 * "Memory Types That Can Be Encoded With PAT".
 */
#define MEMORY_TYPE_WB 6

/*
 * Ignored by the CPU, in entries of the root without EPT_PRESENT: the table that the entry leads to
 * is for the hypervisor alone.
 */
#define EPT_HIDDEN BIT(55)

/*
 * What is mapped from here on is hidden: no processor finds it, because the root's entries on the
 * way are not present. Of use for memory that only devices reach.
 */
#define EPT_HIDDEN_START BIT(47)

/* Four levels translate this many bits. Nothing is mapped above. */
#define EPT_GPA_BITS 48
#define EPT_LEVELS   4
