/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Templates and clones. A template is a VM that has stopped for ever, between two instructions: an
 * immutable layer of memory (hv/ept/ept.h), and the structs of its devices and vCPUs. A clone is a
 * copy of the structs over the same layer. Templates and clones form a tree. hv/vm/hold.h says when
 * a template is freed.
 */

/*
 * Make 'vm', whose vCPUs have all been put away, a template, and start the clones that the
 * configuration asks for. False: a large VM freezes in pieces, and this is to be called again while
 * template_is_freezing(); or it is not possible, which is logged: the VM resumes, and its request
 * is answered CONTROL_REFUSED.
 */
bool template_freeze(struct vm *vm);
/*
 * Of a VM that is not a template. Only template_freeze() may touch its memory. A VM that is to end
 * becomes a template all the same, and is given up: what frees templates frees large ones in
 * pieces.
 */
static inline bool template_is_freezing(const struct vm *vm)
{
	return vm->layer != NULL;
}

/* Whether a template is half made, or not freed yet. No lock. */
bool template_is_changing(void);

/* Make a VM that was loaded from a state, and never runs, a template. After an error it ends. */
void template_adopt(struct vm *vm);

/* The number of the template's next clone. Any processor. */
static inline uint32_t template_next_number(struct vm *template)
{
	return __atomic_fetch_add(&template->next_number, 1, __ATOMIC_RELAXED);
}

/*
 * Make a clone, which runs after vm_start(). It gets the template's next number and a name after
 * it (hv/devices/clone_name.h), or 'name', which must last, if that is not NULL; and copies of the
 * pages that another clone has written, if a line with precopy=on has left a list of them. The
 * caller holds the template until vm_start(). NULL: not enough memory.
 */
struct vm *template_clone(struct vm *template, const char *name);

/* Make a clone what it was at first. All its vCPUs have been put away. */
void template_revert(struct vm *clone);
/* The same for a clone whose only vCPU is loaded here: see vcpu_copy_loaded(). */
void template_revert_loaded(struct vm *clone);

/* A VM has ended; it still has its memory. */
void template_vm_ends(struct vm *vm);

/*
 * A VM has ended, and vm_release() has freed what it held. Free its struct, give up its hold on
 * its template, and let the next clone start that the configuration asks for.
 */
void template_vm_gone(struct vm *vm);

/*
 * Keep the numbers of n clones for a map. False: clones have, or had, numbers from 'first' on. The
 * caller holds the template.
 */
bool template_keep_numbers(struct vm *template, uint32_t first, uint32_t n);
/* Add a line that the operator gave, and start its clones. The caller holds the template. */
void template_start_line(struct vm *template, struct clone_config *line);

/* One of clone_lines() may wait for memory; atomic. */
extern bool template_lines_wait;
void template_retry_waiting(void);
/* Memory has come free: start the clones that have waited for it. */
static inline void template_retry_lines(void)
{
	if (__atomic_load_n(&template_lines_wait, __ATOMIC_RELAXED))
		template_retry_waiting();
}

/* After the last VM has ended: log the lines that still wait for memory. True: there are none. */
bool template_lines_are_done(void);

/* Set what to clone. Once, before the first VM starts. */
void template_set_config(struct clone_config *clones);
