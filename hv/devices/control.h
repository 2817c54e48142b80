/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * The port by which a guest speaks to Stencil: 32 bits to CONTROL_PORT are a command, 32 bits
 * from it the answer to the last one. Other sizes read as all ones and are ignored. To be
 * read only:
 *	+4	CONTROL_SIGNATURE, so that a guest can tell whether anybody listens
 *	+8	the guest's TSC, low half, when this clone was asked for, or its going back
 *	+12	how often this clone has gone back
 */
#define CONTROL_PORT	  0x5354
#define CONTROL_N_PORTS	  16
#define CONTROL_SIGNATURE 0x434e5453 /* "STNC" */

enum control_command {
	/*
	 * Become a template. The VM stops behind this instruction and never goes on; each of its
	 * clones does, and is answered its number: 0, 1, ...
	 */
	CONTROL_FREEZE = 1,
	/* A clone: become again what the template was. CONTROL_REFUSED in other VMs. */
	CONTROL_REVERT = 2,
};

#define CONTROL_REFUSED UINT32_MAX

struct control {
	bool is_clone;
	uint32_t answer;
	uint32_t asked_at;
	uint32_t n_reverts;
};

extern const struct device_class control_class; /* at CONTROL_N_PORTS ports; not saved */

/* QEMU's isa-debug-exit: a write of v to its ports ends the VM with status (v << 1) | 1. */
struct debug_exit {
	bool requested;	 /* there was a write */
	uint32_t status; /* of the first write */
};

extern const struct device_class debug_exit_class;

/* QEMU's isa-debugcon: writes are output, reads give 0xe9 so that guests can find it. */
#define DEBUGCON_READBACK 0xe9
extern const struct device_class debugcon_class; /* it has no state */
