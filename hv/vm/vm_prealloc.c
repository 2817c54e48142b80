/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prealloc=on: which memory is filled, and by which processors. A VM's memory is filled while the
 * boot processor makes the VM. The other processors help until all VMs are made.
 */
#include "hv/vm/vm_prealloc.h"

#include "hv/frame/numa.h"
#include "hv/guest/prealloc.h"
#include "hv/host/cpu.h"
#include "hv/host/watchdog.h"
#include "hv/lib/print.h"

static struct prealloc_cpu number_of(const struct cpu *cpu)
{
	return (struct prealloc_cpu){.index = cpu->index,
				     .node = numa_node_of_cpu(&numa, cpu->apic_id)};
}

static bool allows_any(const struct thread_context *context)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (prealloc_allows(context, number_of(cpus[i])))
			return true;
	return false;
}

static enum status fill_region(struct vm *vm, const struct mem_region *region)
{
	const struct backend *backend = region->backend;
	struct prealloc work = {
		.lock = &vm->lock,
		.ept = &vm->ept,
		.region = region,
		.policy = backend_frame_policy(backend),
		.first_page = memory_backend_offset(region) / PAGE_SIZE,
		.n_cpus = backend->prealloc_threads,
		.context = backend->context,
		.progress = watchdog_feed,
	};

	if (!allows_any(work.context)) {
		log_warning("%s: %s: no processor of prealloc-context '%s' is running: "
			    "another one fills the memory",
			    vm_name(vm), backend->id, work.context->id);
		work.context = NULL;
	}
	return prealloc_fill(&work, number_of(this_cpu()));
}

enum status vm_prealloc(struct vm *vm)
{
	for (size_t i = 0; i < vm->mem->n; i++) {
		const struct mem_region *region = &vm->mem->region[i];

		if (region->kind != MEM_COW || region->backend == NULL ||
		    !region->backend->prealloc)
			continue;
		enum status status = fill_region(vm, region);

		if (status == ERR_NOMEM)
			log_error("%s: qemu_prealloc_mem: preallocating memory failed: Cannot "
				  "allocate memory",
				  vm_name(vm));
		if (status != OK)
			return status;
	}
	return OK;
}

void vm_prealloc_serve(const struct cpu *cpu)
{
	prealloc_serve(number_of(cpu));
}

void vm_prealloc_end(void)
{
	prealloc_end();
}
