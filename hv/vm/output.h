/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * The lines of all VMs on their way to the console. No function waits for the console or for its
 * lock, so that one VM's output does not hold up another.
 */

/* Add a VM's line, with its newline. Any processor, with any lock held except the leaves. */
void vm_output_put(struct vm *vm, const char *line, size_t len);

/*
 * Hand over lines while the console takes them, each VM in its turn, unless another processor does,
 * and let the console send: what each processor does when it passes. The VM whose line is next, or
 * was last, pays for the time, until everything has been sent, even if it has ended. True: output
 * waits. Any processor.
 */
bool vm_output_work(void);

/*
 * Stencil's own lines about this VM follow (hv/lib/print.h): it pays for them, too. Any processor,
 * with any lock held except the leaves.
 */
void vm_output_pays(struct vm *vm);

/* Guests' lines that were lost, as far as the console was told. Any processor. */
uint64_t vm_output_n_lost(void);

/* Wait until the console has taken all lines: for the end, when the console is not buffered. */
void vm_output_flush(void);

/*
 * Whether the VM must wait before it prints more: because of backpressure=on, or because the
 * console is attached to it. If so, its first vCPU gets VCPU_REQUEST_UART when that changes. Any
 * processor, with any lock held except the leaves.
 */
bool vm_output_holds(struct vm *vm);

/*
 * Attach the console to this VM alone: its bytes go there unchanged, and the lines of others wait.
 * NULL: to one of that name that has just ended. Boot processor only; vm_output_is_raw() is false.
 */
void vm_output_attach(struct vm *vm, const char *name, uint64_t code);
/*
 * Let all VMs have the console again, if it is attached to this one; NULL: to any. False: it is
 * not. Any processor.
 */
bool vm_output_detach(const struct vm *vm);
/* Whether the console is attached, or bytes from then still wait. Any processor. */
bool vm_output_is_raw(void);
/*
 * Add a byte of a VM to which the console is attached. False: it is not. Any processor, with any
 * lock held except the leaves.
 */
bool vm_output_put_raw(struct vm *vm, uint8_t byte);

/* The VM is freed next: its lines wait without it. With any lock held except the leaves. */
void vm_output_leave(struct vm *vm);
