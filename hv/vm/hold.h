/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Who frees a template: template_put(), when n_holds in its struct becomes 0. A template is held
 *
 *   by its name, from template_freeze() to template_give_up(): it can be cloned;
 *   by each clone, from template_clone() to template_vm_gone(), or, if the clone has become a
 *   template itself, until that one is freed;
 *   by each line "save" of the configuration that names it, until it has been saved.
 *
 * vms_lock guards the count.
 */

/* Give up one hold on a template; NULL: nothing. vms_lock is held. */
void template_put(struct vm *template);

/* Give up the template's name: it is not cloned again. vms_lock is held. */
void template_give_up(struct vm *template);

/* Give up the names of all templates. Those that have clones stay until these have ended. */
void template_release_all(void);
