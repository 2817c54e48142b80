/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * The VM in focus: typed bytes go to it, and most of the monitor's commands are about it. All of
 * this belongs to the boot processor.
 */

/*
 * The VM in focus. If it has ended, or become a template since focus_set(), the focus moves to the
 * first VM that reads the console; if no VM does, the template is returned, else the first VM.
 * NULL: there is no VM. vms_lock is held.
 */
struct vm *focus_vm(void);
/* NULL: no VM is in focus. vms_lock is held. */
void focus_set(const struct vm *vm);
/* Whether the VM runs, and typed bytes can go to it. vms_lock is held. */
bool focus_is_reader(const struct vm *vm);

/* The vCPU of a VM in focus that commands are about, 0 at first. vms_lock is held. */
unsigned focus_cpu(const struct vm *vm);
void focus_set_cpu(unsigned number);

/* Focus the next VM that reads the console. Takes vms_lock, as do the functions below. */
void focus_next(void);
/* Attach the console to the VM in focus alone, or to all again: hv/vm/output.h. */
void focus_attach(void);
/* Put a reader into focus, and let the console be attached to it. vms_lock is held. */
void focus_want_attach(const struct vm *vm);
/*
 * True once after focus_want_attach(), when the raw output of another VM is no longer in the way,
 * if the VM still reads the console: focus_attach() comes next.
 */
bool focus_take_wanted(void);
/*
 * Whether focus_type() keeps another byte. A guest that takes none for a second has none kept, so
 * that the operator's Ctrl-A is read.
 */
bool focus_has_room(void);
/*
 * Give a byte to the VM in focus. If that VM does not read the console, focus the first one that
 * does; if no VM does, drop the byte.
 */
void focus_type(uint8_t byte);
/* Tell the VM in focus that typed bytes wait, until its UART has taken all of them. */
void focus_wake(void);
