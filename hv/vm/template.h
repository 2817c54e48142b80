/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * VM templating. A template is a VM that was stopped for good between two instructions:
 * its memory is an immutable layer (hv/ept/ept.h), its devices and vCPUs are what their structs
 * hold. A clone is a copy of the structs over the layer. Templates and clones form a tree; a
 * template stays until nothing needs it.
 */

/*
 * By vm_gathered(): 'vm', whose vCPUs have all been put away, becomes a template,
 * and the clones that the configuration asks for start. False: there is no memory, which was
 * said; the VM goes on, its request answered CONTROL_REFUSED.
 */
bool template_freeze(struct vm *vm);

/* A VM that has never run becomes a template at once, or ends, which is said. */
void template_adopt(struct vm *vm);

/*
 * A clone of a template; it has taken no processor yet: vm_start(). Each gets the template's next
 * number and the name TEMPLATE-NUMBER, or 'name' if that is not NULL. NULL: no memory, said.
 */
struct vm *template_clone(struct vm *template, const char *name);

/*
 * A clone whose vCPUs have all been put away becomes what it was at first; or has a single one,
 * which is loaded and for which vcpu_reload() follows.
 */
void template_revert(struct vm *clone);

/* By vm_gathered(): a VM has ended, and still has its memory. */
void template_vm_ends(struct vm *vm);

/*
 * By vm_gathered(): a VM has ended and was released; its struct goes, and the template it was
 * made from if nothing else needs that.
 */
void template_vm_gone(struct vm *vm);

/* What the configuration wants cloned; once, before the first VM starts. */
void template_set_config(struct clone_config *clones, bool checksum);
