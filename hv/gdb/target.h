/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/clone_name.h"
#include "hv/gdb/registers.h"
#include "hv/lib/status.h"
#include "hv/vm/debug.h"

/*
 * The VMs that the debugger sees and those that it is attached to, under their process numbers: a
 * VM's index and one. All of this belongs to the boot processor, which takes and releases the locks
 * that it needs.
 */
enum { TARGETS_MAX = DEBUG_VMS_MAX };

struct target {
	uint32_t pid; /* 0: the place is free */
	unsigned n_cpus;
	char name[CLONE_NAME_SIZE];
};
extern struct target targets[TARGETS_MAX];

/* The place of this process; NULL: the debugger is not attached to it. */
struct target *target_find(uint32_t pid);

/* Walk through all VMs that run. VMs may end, and others come, between two calls. */
struct target_vm {
	uint32_t pid;
	unsigned n_cpus;
	char name[CLONE_NAME_SIZE];
};
void target_list_begin(void);
/* False: that was the last one. */
bool target_list_next(struct target_vm *ret);

/*
 * Attach to a VM, and begin to stop it. ERR_NOTFOUND: no VM with this number runs. ERR_OVERLAP: it
 * is attached. ERR_RANGE: as many VMs as possible are. ERR_NOMEM: there is no memory.
 */
enum status target_attach(uint32_t pid);
/* Attach to the VMs that target_want() has named and that run, as far as possible. */
void target_attach_wanted(void);
/*
 * Let the next gdb find this VM. ERR_NOMEM: it finds as many as possible already. vms_lock is held.
 */
enum status target_want(uint32_t pid);
/*
 * Take all that was set in the VM back, and let it continue, or end it; its place is free then. A
 * VM that has ended only frees its place. ERR_BUSY: it has not stopped.
 */
enum status target_detach(struct target *target);
enum status target_kill(struct target *target);

enum target_state {
	TARGET_RUNS, /* or is about to stop */
	TARGET_STOPPED,
	TARGET_FROZEN, /* a template: it never runs again */
	TARGET_ENDED,
	TARGET_FAILED,
};
enum target_why {
	TARGET_ASKED, /* by the debugger, by the operator, or because there is no memory */
	TARGET_STEPPED,
	TARGET_AT_SOFTWARE,
	TARGET_AT_HARDWARE,
	TARGET_WROTE,	 /* to 'address' */
	TARGET_ACCESSED, /* the same */
};
struct target_stop {
	unsigned cpu;
	enum target_why why;
	uint64_t address;
};
/* '*ret' is written if the VM has stopped. */
enum target_state target_look(const struct target *target, struct target_stop *ret);

/* Begin to stop the VM. */
void target_stop(const struct target *target);

/* What each vCPU does until the next stop. */
enum target_how { TARGET_STAYS, TARGET_CONTINUES, TARGET_STEPS };
/*
 * Resume the VM, which has stopped: 'how' of each vCPU. ERR_BUSY: it has not stopped.
 */
enum status target_resume(const struct target *target, const uint8_t *how);

/*
 * The following need a VM that has stopped: else ERR_BUSY. Addresses are the vCPU's, by its paging
 * at the moment.
 */
enum status target_get_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg, uint8_t ret[GDB_REGISTER_MAX]);
/* ERR_UNSUPPORTED: as gdb_set_register(). */
enum status target_set_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg,
				const uint8_t value[GDB_REGISTER_MAX]);

/*
 * Within one page. Breakpoints are not seen, and survive. Nothing of the guest changes by a read.
 * ERR_NOTFOUND, ERR_RANGE, ERR_INVAL: there is no memory at the address. Writing: ERR_UNSUPPORTED:
 * ROM. ERR_NOMEM: no frame for a private copy.
 */
enum status target_read(const struct target *target, unsigned cpu, uint64_t address, void *buf,
			size_t len);
enum status target_write(const struct target *target, unsigned cpu, uint64_t address,
			 const void *buf, size_t len);

/* In the order of gdb's packets Z0 to Z4. */
enum target_break_kind {
	TARGET_SOFTWARE,
	TARGET_HARDWARE,
	TARGET_ON_WRITE,
	TARGET_ON_READ,
	TARGET_ON_ACCESS,
	N_TARGET_BREAKS
};
/* 'len' is of data: 1, 2, 4 or 8, and the address a multiple of it. */
struct target_break {
	enum target_break_kind kind;
	uint64_t address, len;
};
/*
 * Set a breakpoint, or take it back; once more does nothing. A software one in ROM or in shared
 * memory takes a hardware one's place. ERR_UNSUPPORTED: not of this kind or length. ERR_RANGE,
 * ERR_NOTFOUND, ERR_INVAL: no memory there. ERR_OVERLAP: all places are taken. ERR_NOMEM: no frame
 * for a private copy.
 */
enum status target_set_break(const struct target *target, unsigned cpu,
			     const struct target_break *breakpoint);
enum status target_clear_break(const struct target *target, const struct target_break *breakpoint);
