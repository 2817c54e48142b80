/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/added.h"

#include "hv/config/hotplug.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"

#define ADDED_FRAMES 4

struct added *added_allocate(void)
{
	phys_t frames = frame_alloc_vm_run(ADDED_FRAMES);
	struct added *added;

	if (frames == 0)
		return NULL;
	added = phys_to_virt(frames);
	*added = (struct added){.arena = {.base = (char *)added,
					  .size = ADDED_FRAMES * PAGE_SIZE,
					  .used = sizeof(*added)}};
	return added;
}

void added_free(struct added *added)
{
	frame_free_vm_run(virt_to_phys(added), ADDED_FRAMES);
}

void added_keep(struct vm_config *config, struct added *added)
{
	added->next = config->added;
	config->added = added;
}

static struct added *take(struct added **link)
{
	struct added *added = *link;

	if (added)
		*link = added->next;
	return added;
}

struct added *added_take_backend(struct vm_config *config, const struct backend *backend)
{
	struct added **link = &config->added;

	while (*link && (*link)->backend != backend)
		link = &(*link)->next;
	return take(link);
}

struct added *added_take_dimm(struct vm_config *config, const struct dimm_config *dimm)
{
	struct added **link = &config->added;

	while (*link && (*link)->dimm != dimm)
		link = &(*link)->next;
	return take(link);
}

void added_free_image(const struct backend *backend)
{
	if (backend->image && backend->image->path[0] == '\0')
		image_free_anonymous(backend->image);
}

/* What was added to VMs that are gone. Guarded by vms_lock. */
static struct added *leftovers;

void added_leave(struct vm *vm)
{
	vms_acquire();
	while (vm->config->added) {
		struct added *added = take(&vm->config->added);

		added->config = vm->config;
		added->next = leftovers;
		leftovers = added;
	}
	lock_release(&vms_lock);
}

bool added_clean_up(void)
{
	struct added *added;

	vms_acquire();
	added = take(&leftovers);
	lock_release(&vms_lock);
	if (added == NULL)
		return false;
	if (added->dimm) {
		hotplug_drop_dimm(added->config, added->dimm);
	} else {
		hotplug_drop_object(added->config, added->backend);
		added_free_image(added->backend);
	}
	added_free(added);
	return true;
}
