/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/hold.h"

#include "hv/guest/working_set.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/build.h"
#include "hv/vm/output.h"

/* The memory of a template never changes. A difference is a bug in the hypervisor. */
static void compare_checksum(const struct vm *template)
{
	uint64_t now;

	if (!template->has_checksum)
		return;
	now = ept_layer_checksum(template->layer);
	if (now != template->checksum)
		panic("template %s has changed: checksum %016lx", template->name, now);
	log_info("template %s: unchanged, checksum %016lx", template->name, now);
}

/* Templates without holds, linked by 'next'. Written with vms_lock, read without. */
static struct vm *graves;

/* One processor buries at a time: the one that has set 'is_digging' owns 'buried'. */
static bool is_digging;	  /* atomic */
static struct vm *buried; /* taken from 'graves', and its layer is being freed; atomic */

void template_put(struct vm *template)
{
	if (template == NULL || --template->n_holds > 0)
		return;
	vm_unlist(template);
	template->next = graves;
	__atomic_store_n(&graves, template, __ATOMIC_RELAXED);
}

bool template_has_graves(void)
{
	return __atomic_load_n(&graves, __ATOMIC_RELAXED) != NULL ||
	       __atomic_load_n(&buried, __ATOMIC_RELAXED) != NULL;
}

/* Its tree holds the layer, too: release that first. */
static void begin_burial(void)
{
	struct vm *template;

	lock_acquire(&vms_lock);
	template = graves;
	__atomic_store_n(&buried, template, __ATOMIC_RELAXED);
	__atomic_store_n(&graves, template->next, __ATOMIC_RELAXED);
	lock_release(&vms_lock);
	compare_checksum(template);
	working_set_free(template->working_set);
	vm_release(template);
}

static void end_burial(void)
{
	struct vm *template = buried, *parent = template->template;

	ept_layer_put(template->layer);
	vm_output_leave(template);
	vm_free(template);
	lock_acquire(&vms_lock);
	template_put(parent);
	lock_release(&vms_lock);
	__atomic_store_n(&buried, NULL, __ATOMIC_RELAXED);
}

bool template_bury(unsigned n)
{
	bool is_other = false;

	if (!template_has_graves() ||
	    !__atomic_compare_exchange_n(&is_digging, &is_other, true, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	if (buried != NULL && !ept_layer_free_some(buried->layer, n))
		end_burial();
	else if (buried == NULL && graves != NULL)
		begin_burial();
	/* Release pairs with the acquire above: the next processor sees how far this one got. */
	__atomic_store_n(&is_digging, false, __ATOMIC_RELEASE);
	return true;
}

static bool is_named(const struct vm *vm)
{
	return vm->outcome == VM_FROZEN && !vm->is_given_up;
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

	while (vm && !(is_named(vm) && strcmp(vm->name, name) == 0))
		vm = vm->next;
	return vm;
}

void template_give_up(struct vm *template)
{
	template->is_given_up = true;
	template_put(template);
}

void template_release_all(void)
{
	struct vm *vm;

	lock_acquire(&vms_lock);
	while ((vm = find_named()) != NULL)
		template_give_up(vm);
	lock_release(&vms_lock);
	while (template_has_graves())
		(void)template_bury(UINT32_MAX);
}
