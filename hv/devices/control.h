/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * The port through which a guest talks to Stencil. A 32-bit write to CONTROL_PORT is a command, and
 * a 32-bit read returns the answer to the last command. Other sizes read as all ones, and writes of
 * other sizes are ignored. Read-only:
 *	+4	CONTROL_SIGNATURE, by which a guest finds the port
 *	+8	low half of the guest's TSC when this clone, or its last revert, was requested
 *	+12	how many times this clone was reverted
 */
#define CONTROL_PORT	  0x5354
#define CONTROL_N_PORTS	  16
#define CONTROL_SIGNATURE 0x434e5453 /* "STNC" */

enum control_command {
	/*
	 * Become a template. The VM stops after this instruction and never continues. Each of its
	 * clones does, and reads its number as the answer: 0, 1, ...
	 */
	CONTROL_FREEZE = 1,
	/* In a clone: return to the template's state. CONTROL_REFUSED in other VMs. */
	CONTROL_REVERT = 2,
};

#define CONTROL_REFUSED UINT32_MAX

struct control {
	bool is_clone;
	uint32_t answer;
	uint32_t asked_at;
	uint32_t n_reverts;
};

extern const struct device_class control_class; /* CONTROL_N_PORTS ports; not saved */

/* QEMU's isa-debug-exit: a write of v to its ports ends the VM with status (v << 1) | 1. */
struct debug_exit {
	bool requested;	 /* a write has happened */
	uint32_t status; /* of the first write */
};

extern const struct device_class debug_exit_class;

/* QEMU's isa-debugcon: writes are output. Reads return 0xe9, by which guests find the port. */
#define DEBUGCON_READBACK 0xe9
extern const struct device_class debugcon_class; /* stateless */
