/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Who frees a template? template_bury(), after the last hold on the template was given up. It is
 * held
 *
 *   by its name, from template_freeze() to template_give_up(): meanwhile it can be cloned;
 *   by template_freeze() itself, and by template_retry_waiting(), while they start clones;
 *   by each clone, from vm_start() until the clone has ended and template_vm_gone() frees it,
 *   or, if the clone has become a template itself, until template_bury() has freed that;
 *   by each VM, or template, that was loaded as a layer of it, as by a clone;
 *   by its checksum, until that was taken: see hv/vm/checksum.h;
 *   by each line "save" of the configuration that names it, until save_queue_done().
 *
 * vm->n_holds counts them. The last one is given up with vms_lock held.
 */

/* One more. The caller holds the template already, or vms_lock while the template is in 'vms'. */
static inline void template_hold(struct vm *template)
{
	__atomic_fetch_add(&template->n_holds, 1, __ATOMIC_RELAXED);
}

static inline unsigned template_n_holds(const struct vm *template)
{
	return __atomic_load_n(&template->n_holds, __ATOMIC_RELAXED);
}

/* The template that a VM holds, a clone or a loaded layer; NULL: none. */
static inline struct vm *template_held_by(const struct vm *vm)
{
	return vm->template ? vm->template : vm->config->below;
}

/* The template of that name that can be cloned; NULL: there is none. vms_lock is held. */
struct vm *template_find(const char *name);

/*
 * Give up one hold. With NULL, do nothing. vms_lock is held. Without a hold the template waits for
 * template_bury().
 */
void template_put(struct vm *template);
/* The same without vms_lock, which is taken only for the last hold. */
void template_drop(struct vm *template);

/* Whether such templates wait, or one is being freed. No lock. */
bool template_has_graves(void);
/* For hv/vm/bury.c: the next of them; NULL: none waits. vms_lock is held. */
struct vm *template_take_unheld(void);
/* It was freed. */
void template_end_grave(void);

/* Give up the name's hold: the template is not cloned again. vms_lock is held. */
void template_give_up(struct vm *template);

/* Give up the names of all templates. Those that have clones stay until these have ended. */
void template_give_up_all(void);
