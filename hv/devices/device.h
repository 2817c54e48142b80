/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/lib/types.h"

/* What a device model offers to its bus and to the saved state. */

/*
 * One access of 1, 2, 4 or 8 bytes. A read returns the value in the low 'size' bytes; the bus cuts
 * off the rest. A device never sees an access that leaves its range or is wider than the range
 * allows.
 */
struct io_access {
	uint64_t addr;	/* port, or guest-physical address */
	uint64_t off;	/* bytes from the start of the device's range; set by the bus */
	uint64_t value; /* of a write, cut to 'size' bytes by the bus */
	uint64_t now;	/* the guest's TSC */
	unsigned size;	/* bytes */
};

/*
 * What a guest asks for with a write, as bits. The caller of the bus acts on them; a device changes
 * only its own state.
 */
enum device_wish {
	WISH_SERIAL = 1 << 16,	   /* show the byte in bits 7:0, from the serial port */
	WISH_DEBUGCON = 1 << 17,   /* show the byte in bits 15:8, from the debug console */
	WISH_DEBUG_EXIT = 1 << 18, /* end the VM with the status in struct debug_exit */
	WISH_POWER_OFF = 1 << 19,
	WISH_RESET = 1 << 20,
	WISH_FW_CFG = 1 << 21,	     /* fw_cfg_transfer() */
	WISH_FREEZE = 1 << 22,	     /* become a template */
	WISH_REVERT = 1 << 23,	     /* clones only: return to the template's state */
	WISH_PANICKED = 1 << 24,     /* the guest has panicked */
	WISH_CRASH_LOADED = 1 << 25, /* its crash kernel starts */
	WISH_JOB_OUTPUT = 1 << 26,   /* keep the byte in bits 7:0, of enum job_channel in 15:8 */
	WISH_JOB_PUT = 1 << 27,	     /* keep the file that was written */
	WISH_JOB_END = 1 << 28,	     /* end the VM, whose job has the wait status in bits 15:0 */
	WISH_JOB_DROP = 1 << 29,     /* forget the file that is being written */
	WISH_EJECT = 1 << 30,	     /* take out the DIMM that the guest has given up */
	WISH_VIRTIO = 1u << 31,	     /* platform_update_virtio() */
};

/*
 * A kind of device. 'read' and 'write' are NULL for a device that is on no bus. A device without
 * fields is not saved. 'check' may be NULL. It is called after the fields were read from a file,
 * refuses impossible values, and computes what follows from the fields.
 */
struct device_class {
	const char *name; /* of the device's sections in a saved state */
	uint64_t (*read)(void *dev, const struct io_access *access);
	/* Returns a set of enum device_wish. */
	uint32_t (*write)(void *dev, const struct io_access *access);
	const struct state_field *fields;
	size_t n_fields;
	enum status (*check)(void *dev, struct state_reader *reader);
	uint32_t since; /* version of the saved state's format that has it; 0: all */
};
