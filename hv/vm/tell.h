/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/print.h"
#include "hv/vm/vm.h"

/*
 * Lines about a VM that its guest can cause as often as it likes. Each kind is logged a few times
 * for a VM, or for a template and all its clones together, and then only counted: a guest fills
 * neither the console nor the time of those who wait for it.
 */

/*
 * Log a line of this kind, after "VM NAME: ", if it is not one too many. Waits for nothing: the
 * line goes the way of the guest's own output, and is lost, and counted, with it. Any processor,
 * with any lock held except the leaves.
 */
void vm_tell(struct vm *vm, enum vm_told what, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Whether a line of this kind is not one too many; counts it. For lines that the caller logs
 * itself, with log_line(), which waits: without locks. Any processor.
 */
bool vm_may_tell(struct vm *vm, enum vm_told what, enum log_level level);

/* Log how many lines were only counted since the last such line. Without locks. */
void vm_tell_rest(struct vm *vm);

/* Log how a template's clones have ended, if more have since the last such line, and the rest. */
void vm_tell_clones(struct vm *template);
