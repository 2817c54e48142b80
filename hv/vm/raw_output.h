/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/clone_name.h"
#include "hv/host/output_ring.h"

/*
 * The output of a VM that the console is attached to alone: bytes as they come, control characters
 * too. The last bytes taken reset the terminal and tell the end, with a code that the guest cannot
 * know, so that who records the console can tell what is Stencil's. Not locked.
 */
enum raw_state {
	RAW_OFF,  /* nothing waits */
	RAW_ON,	  /* the console is the VM's */
	RAW_ENDS, /* what waits is still shown */
};

struct raw_output {
	enum raw_state state;
	bool is_awaited; /* the VM waits until the ring is less than half full */
	char name[CLONE_NAME_SIZE];
	uint64_t code;
	struct output_ring ring;
};

/* What raw_output_take() needs for the end. */
#define RAW_PIECE_MAX 160

/* The VM of this name has the console. The state is RAW_OFF. */
void raw_output_begin(struct raw_output *raw, const char *name, uint64_t code);
/* The console is everybody's again, after what waits. */
void raw_output_end(struct raw_output *raw);

/* Add a byte; a full ring loses it. */
void raw_output_put(struct raw_output *raw, uint8_t byte);

/* As output_queue_holds_vm() and output_queue_frees_vm(), of the ring. */
bool raw_output_holds_vm(struct raw_output *raw);
bool raw_output_frees_vm(struct raw_output *raw);

/* Take the next bytes; returns how many. After the last ones the state is RAW_OFF. */
size_t raw_output_take(struct raw_output *raw, char piece[RAW_PIECE_MAX]);
