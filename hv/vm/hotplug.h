/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Memory that comes to a running VM and goes again: what hv/monitor/hotplug_job.c does step by step
 * on the boot processor. Except where stated, all of the VM's vCPUs are aside, and stay so from the
 * first piece to the last.
 */

/* Why nothing can be added to the VM or taken from it; NULL: it can. Its vCPUs may run. */
const char *hotplug_refuses(const struct vm *vm);

/* A DIMM on its way into the VM's memory, or out of it. */
struct hotplug {
	struct dimm_config *dimm;
	struct mem_region region;
	uint64_t at; /* bytes from the region's start: where the stage has got */
	enum {
		HOTPLUG_MAPS,	  /* its pages are mapped */
		HOTPLUG_RESERVES, /* reserve=on: its tables and frames are set aside */
		HOTPLUG_FILLS,	  /* prealloc=on: it gets frames of its own */
		HOTPLUG_IS_IN,
		HOTPLUG_EMPTIES, /* its own pages are freed */
		HOTPLUG_UNMAPS,
		HOTPLUG_UNRESERVES,
		HOTPLUG_IS_OUT,
	} stage;
};

/* Begin to put a DIMM in that has its place. */
void hotplug_begin_in(struct hotplug *work, struct dimm_config *dimm);
/*
 * Do a piece of the work, up to some 100 us. OK: continue until HOTPLUG_IS_IN, when the guest
 * has the memory and is told. ERR_NOMEM: no frames are left; continue until HOTPLUG_IS_OUT, when
 * what was done is undone.
 */
enum status hotplug_some(struct vm *vm, struct hotplug *work);
/*
 * Begin to take a DIMM out: from now on the VM has no memory there. Continue
 * until HOTPLUG_IS_OUT.
 */
void hotplug_begin_out(struct vm *vm, struct hotplug *work, struct dimm_config *dimm);

/* Ask the guest to give up the DIMM of a slot. The vCPUs may run. */
void hotplug_ask(struct vm *vm, const struct dimm_config *dimm);
/* The slots say that the DIMM is gone. */
void hotplug_clear_slot(struct vm *vm, unsigned slot);

/* A guest has given up a DIMM: any vCPU of the VM. */
void hotplug_note_eject(void);
/*
 * A VM in which a DIMM is to be taken out; NULL: there is none. Looks only after
 * hotplug_note_eject(). vms_lock is held.
 */
struct vm *hotplug_next_eject(void);
/* That DIMM; NULL: none. */
struct dimm_config *hotplug_ejected(const struct vm *vm);
