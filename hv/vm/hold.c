/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/hold.h"

#include "hv/lib/string.h"
#include "hv/vm/usage.h"

/* Templates without holds that wait for template_bury(), linked by 'next'. Guarded by vms_lock. */
static struct vm *unheld;
static unsigned n_graves; /* those, and the one that is being freed; atomic */

void template_put(struct vm *template)
{
	/* Release and acquire: who frees the template does so after all who held it. */
	if (template == NULL || __atomic_sub_fetch(&template->n_holds, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	usage_hand_over(template);
	vm_unlist(template);
	template->next = unheld;
	unheld = template;
	__atomic_fetch_add(&n_graves, 1, __ATOMIC_RELAXED);
}

void template_drop(struct vm *template)
{
	unsigned n = template != NULL ? template_n_holds(template) : 0;

	while (n > 1)
		if (__atomic_compare_exchange_n(&template->n_holds, &n, n - 1, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return;
	if (template == NULL)
		return;
	vms_acquire();
	template_put(template);
	lock_release(&vms_lock);
}

bool template_has_graves(void)
{
	return __atomic_load_n(&n_graves, __ATOMIC_RELAXED) > 0;
}

struct vm *template_take_unheld(void)
{
	struct vm *template = unheld;

	if (template)
		unheld = template->next;
	return template;
}

void template_end_grave(void)
{
	__atomic_fetch_sub(&n_graves, 1, __ATOMIC_RELAXED);
}

static bool is_named(const struct vm *vm)
{
	/* Other VMs end meanwhile. */
	return vm_outcome(vm) == VM_FROZEN && !vm->is_given_up;
}

/* A template that still has its name; NULL: none. vms_lock is held. */
static struct vm *find_named(void)
{
	struct vm *vm = vms;

	while (vm && !is_named(vm))
		vm = vm->next;
	return vm;
}

struct vm *template_find(const char *name)
{
	struct vm *vm = vms;

	while (vm && !(is_named(vm) && strcmp(vm_name(vm), name) == 0))
		vm = vm->next;
	return vm;
}

void template_give_up(struct vm *template)
{
	__atomic_store_n(&template->is_given_up, true, __ATOMIC_RELAXED);
	template_put(template);
}

void template_give_up_all(void)
{
	struct vm *vm;

	vms_acquire();
	while ((vm = find_named()) != NULL)
		template_give_up(vm);
	lock_release(&vms_lock);
}
