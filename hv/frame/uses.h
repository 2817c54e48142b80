/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A note of what each frame of the machine is used for, made to check that no frame has two uses.
 * One byte a frame, from address 0. Made and used while no other processor changes anything.
 */
enum frame_use {
	FRAME_OTHER, /* the hypervisor's own, or not memory */
	FRAME_FREE,
	FRAME_IMAGE, /* the bytes of a file or of shared memory */
	FRAME_ZERO,  /* the zeros that all trees borrow */
	FRAME_MERGED,
	FRAME_LAYER, /* a table or page of a template */
	FRAME_LAYER_HEAD,
	FRAME_TREE, /* a table or page of one VM */
	FRAME_SCRATCH,
	FRAME_RESERVED,
	FRAME_OF_VM, /* the VM itself: registers, devices */
	N_FRAME_USES,
};

struct frame_uses {
	uint8_t *use;
	uint64_t n;
};

/* Note a use. False: the frame has another one already, or lies above all memory. */
bool frame_claim(struct frame_uses *uses, phys_t frame, enum frame_use use);

/* FRAME_OTHER above all memory. */
enum frame_use frame_use_of(const struct frame_uses *uses, phys_t frame);

/* For a message. */
const char *frame_use_name(enum frame_use use);
