/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/save_queue.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/hold.h"

static struct save_config *save_configs; /* 'vm' and 'is_done' are guarded by vms_lock */
static unsigned n_failed;		 /* guarded by vms_lock */
static unsigned n_wanted;		 /* lines whose template waits; atomic */

void save_queue_set_config(struct save_config *saves)
{
	save_configs = saves;
}

void save_queue_note(struct vm *vm)
{
	vms_acquire();
	for (struct save_config *save = save_configs; save; save = save->next) {
		if (save->vm || save->is_done || strcmp(save->template, vm_name(vm)) != 0)
			continue;
		save->vm = vm;
		template_hold(vm);
		__atomic_fetch_add(&n_wanted, 1, __ATOMIC_RELAXED);
	}
	lock_release(&vms_lock);
}

struct save_config *save_queue_next(void)
{
	struct save_config *save;

	if (!save_queue_is_wanted())
		return NULL;
	vms_acquire();
	save = save_configs;
	while (save && save->vm == NULL)
		save = save->next;
	lock_release(&vms_lock);
	return save;
}

void save_queue_done(struct save_config *save, bool well)
{
	struct vm *vm = save->vm;

	vms_acquire();
	n_failed += !well;
	save->vm = NULL;
	save->is_done = true;
	template_put(vm);
	lock_release(&vms_lock);
	__atomic_fetch_sub(&n_wanted, 1, __ATOMIC_RELAXED);
}

bool save_queue_is_wanted(void)
{
	return __atomic_load_n(&n_wanted, __ATOMIC_RELAXED) > 0;
}

bool save_queue_end(void)
{
	for (const struct save_config *save = save_configs; save; save = save->next) {
		if (save->is_done)
			continue;
		log_error("VM %s: did not become a template, and was not saved", save->template);
		n_failed++;
	}
	return n_failed == 0;
}
