/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM goes on where it was saved, perhaps on another machine, in another year. */
#include "hv/vm/vm_load.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/vcpu/start_state.h"
#include "hv/vm/state.h"
#include "hv/vm/vm_identity.h"

enum status vm_load_state(struct vm *vm, struct cpuid_model *model)
{
	const struct image *image = vm->config->incoming_image;
	uint64_t now = rdtsc();
	struct vm_state_host host = {&vcpu_shared.cpuid, tsc_hz, now, tsc_unix_ns(now)};
	char why[STATE_WHY_MAX];
	enum status status =
		vm_state_read(vm, &host, phys_to_virt(image->base), image->size, model, why);

	if (status != OK) {
		log_error("VM %s: '%s' %s", vm->name, vm->config->incoming, why);
		return status;
	}
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_choose_controls(&vm->vcpu[i]);
	vm->n_starts = 1;
	if (vm->config->is_template)
		return OK;
	status = vm_identity_tell(vm);
	if (status != OK)
		log_error("VM %s: no memory left for the generation counter", vm->name);
	return status;
}
