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

/* Any vCPU may be the first to run; those that are made later ask for it then. */
static __attribute__((noinline)) void request_telling(struct vm *vm)
{
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		vcpu_request(vm_vcpu(vm, i), VCPU_REQUEST_IDENTITY);
}

static inline void renew(struct vm *vm, struct identity *identity)
{
	identity->has_seed = identity->has_guid = identity->is_told = false;
	if (vm->config->has_vmgenid)
		request_telling(vm);
}

void vm_identity_make(struct vm *vm)
{
	struct identity *identity = &vm->platform.fw_cfg.identity;

	identity->name = vm->name;
	identity->template = vm->template ? vm->template->name : NULL; /* a template has one */
	identity->job = NULL;
	identity->number = vm->number;
	identity->index = vm->index;
	identity->has_mac = false;
	renew(vm, identity);
}

void vm_identity_renew(struct vm *vm)
{
	renew(vm, &vm->platform.fw_cfg.identity);
}

enum status vm_identity_write(struct vm *vm)
{
	struct identity *identity = &vm->platform.fw_cfg.identity;

	if (!vm->config->has_vmgenid)
		return OK;
	if (!identity->has_guid)
		make_guid(vm, identity->guid);
	TRY(guest_write(&vm->memory, (gpa_t){VMGENID_GPA}, identity->guid, sizeof(identity->guid)));
	identity->has_guid = true;
	return OK;
}

static bool is_hidden(const struct vm *vm)
{
	unsigned level;

	return !(ept_lookup(&vm->ept, (gpa_t){VMGENID_GPA}, &level) & EPT_MAPPED);
}

enum status vm_identity_tell(struct vm *vm)
{
	struct identity *identity = &vm->platform.fw_cfg.identity;

	if (identity->has_guid || identity->is_told)
		return OK;
	if (!is_hidden(vm))
		TRY(vm_identity_write(vm));
	identity->is_told = true;
	/* The guest then asks its event device what has happened. */
	irqchip_signal(&vm->platform.irqchip, VMGENID_GSI);
	return OK;
}

enum status vm_identity_hide(struct vm *vm)
{
	const struct mem_region *region = guest_region(&vm->memory, (gpa_t){VMGENID_GPA});

	if (!vm->config->has_vmgenid || region == NULL || region->kind != MEM_COW)
		return OK;
	return ept_map(&vm->ept, (gpa_t){VMGENID_GPA}, 0, PAGE_SIZE, 0);
}

enum status vm_identity_show(struct vm *vm)
{
	enum status status = vm_identity_write(vm);

	/* The page may be there already, but not the GUID. Its tables are, so that this succeeds.
	 */
	if (status != OK)
		(void)vm_identity_hide(vm);
	return status;
}
