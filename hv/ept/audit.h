/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/frame/uses.h"

/*
 * Checks all trees and layers of the machine against what hv/ept/ept.h promises, while nothing
 * changes them: no frame has two owners, no tree leads to a frame that is not for guests, and
 * no tree can write what others read. First all frames are claimed, then all trees and layers are
 * checked.
 */
struct ept_audit {
	struct frame_uses uses;
	const char *name;  /* whose tree it is, for messages */
	uint64_t n_merged; /* leaves with EPT_MERGED, of all that were claimed */
	uint64_t n_faults;
	/* Says what is wrong; the first EPT_AUDIT_SAID faults only. */
	void (*say)(const char *name, const char *what);
};
#define EPT_AUDIT_SAID 20

/*
 * What the memory of a tree is: whether the page at gpa shows this frame of an image, and whether
 * the guest may write to that.
 */
struct ept_memory {
	const void *context;
	bool (*shows)(const void *context, gpa_t gpa, phys_t frame, bool writes);
};

/* Count a fault, and say it. */
void ept_audit_fault(struct ept_audit *audit, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Note the use of a frame. A frame that has one already is a fault. */
void ept_audit_claim(struct ept_audit *audit, phys_t frame, enum frame_use use);

/* Claim the frames that all trees share, the zeros, and check them. */
void ept_audit_claim_zeros(struct ept_audit *audit);

/* Check a processor's own root, of vcpu_forget(): 'top' is its only entry, and the first one. */
void ept_audit_check_root(struct ept_audit *audit, phys_t root, uint64_t top);

/* Claim what a tree owns, and compare the count. */
void ept_audit_claim_tree(struct ept_audit *audit, const struct ept *ept);

/*
 * Claim what a layer owns, and set the count of found references to 0. False: it was claimed
 * before.
 */
bool ept_audit_claim_layer(struct ept_audit *audit, struct ept_layer *layer);

/* Check each entry. */
void ept_audit_check_tree(struct ept_audit *audit, const struct ept *ept,
			  const struct ept_memory *memory);
/* The same for a layer's tables, and the count of its references. */
void ept_audit_check_layer(struct ept_audit *audit, const struct ept_layer *layer,
			   const struct ept_memory *memory);
