/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * A VM that does not change while a job reads it: a template, or a VM that is stopped meanwhile.
 * Only the monitor resumes a stopped VM, and a template with a name is not freed.
 */
struct still {
	unsigned index; /* of the VM, which may end until it has stopped */
	struct vm *vm;	/* NULL: it has not stopped yet */
	bool is_held;	/* the caller holds the template, which stays even without a name */
	bool has_to_resume;
};

/* Begin to stop the VM. vms_lock is held. */
void still_begin(struct still *still, struct vm *vm);
/* Set still->vm if it has stopped. False: it has ended instead. Takes vms_lock. */
bool still_look(struct still *still);
/* Resume the VM if it ran before. It may have ended, if it had not stopped. */
void still_end(struct still *still);
