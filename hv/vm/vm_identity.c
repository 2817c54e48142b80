/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives VMs their identities. A clone gets another one at each revert: a guest that resumes with
 * the same random numbers would repeat what it did with them.
 */
#include "hv/vm/vm_identity.h"

#include "hv/devices/identity.h"
#include "hv/host/random.h"
#include "hv/lib/string.h"

static void make_guid(const struct vm *vm, uint8_t guid[16])
{
	uint8_t random[16];

	if (vm->config->has_guid && vm->template == NULL) {
		memcpy(guid, vm->config->guid, sizeof(random));
		return;
	}
	random_fill(random, sizeof(random));
	identity_make_guid(random, guid);
}

/* Draw the random parts. */
static void draw(struct vm *vm)
{
	struct identity *identity = &vm->platform.fw_cfg.identity;

	random_fill(identity->seed, sizeof(identity->seed));
	if (vm->config->has_vmgenid)
		make_guid(vm, identity->guid);
}

void vm_identity_make(struct vm *vm)
{
	struct identity *identity = &vm->platform.fw_cfg.identity;

	identity->name = vm->name;
	identity->template = vm->template ? vm->template->name : NULL;
	identity->number = vm->number;
	identity_make_mac(random_machine(), vm->index, identity->mac);
	draw(vm);
}

enum status vm_identity_write(struct vm *vm)
{
	const struct identity *identity = &vm->platform.fw_cfg.identity;

	if (!vm->config->has_vmgenid)
		return OK;
	return guest_write(&vm->memory, (gpa_t){VMGENID_GPA}, identity->guid,
			   sizeof(identity->guid));
}

enum status vm_identity_tell(struct vm *vm)
{
	enum status status;

	if (!vm->config->has_vmgenid)
		return OK;
	lock_acquire(&vm->lock);
	status = vm_identity_write(vm);
	lock_release(&vm->lock);
	/* The guest then asks its event device what has happened. */
	irqchip_signal(&vm->platform.irqchip, VMGENID_GSI);
	return status;
}

enum status vm_identity_renew(struct vm *vm)
{
	draw(vm);
	return vm_identity_tell(vm);
}
