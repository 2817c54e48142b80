/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/hold.h"

#include "hv/guest/working_set.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/vm/build.h"

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

void template_put(struct vm *template)
{
	while (template && --template->n_holds == 0) {
		struct vm *parent = template->template;

		vm_unlist(template);
		compare_checksum(template);
		ept_layer_put(template->layer);
		working_set_free(template->working_set);
		vm_release(template);
		vm_free(template);
		template = parent;
	}
}

/* A template that still has its name; NULL: none. vms_lock is held. */
static struct vm *find_named(void)
{
	struct vm *vm = vms;

	while (vm && (vm->outcome != VM_FROZEN || vm->is_given_up))
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
}
