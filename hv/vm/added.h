/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Memory for an object or a DIMM that is added: a few frames, which are an arena and are freed
 * together. NULL: no frames.
 */
struct added {
	struct added *next; /* of the VM's, in struct vm_config */
	struct arena arena;
	struct backend *backend; /* or a DIMM: NULL */
	struct dimm_config *dimm;
	struct vm_config *config; /* of a VM that is gone */
};
struct added *added_allocate(void);
void added_free(struct added *added);
/* Free the frames of a backend's image that nothing else can have. */
void added_free_image(const struct backend *backend);
/* Let the VM have it, or not any longer. vms_lock is held. NULL: it came with the VM's line. */
void added_keep(struct vm_config *config, struct added *added);
struct added *added_take_backend(struct vm_config *config, const struct backend *backend);
struct added *added_take_dimm(struct vm_config *config, const struct dimm_config *dimm);

/*
 * A VM has ended, or a template is freed: leave what was added to it to the boot processor, which
 * alone reads its configuration. Any processor.
 */
void added_leave(struct vm *vm);
/* Free one thing of those. False: there is none. The boot processor. */
bool added_clean_up(void);
