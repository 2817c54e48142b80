/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's loaders, which judge kernels. They write only to RAM of the memory map that they
 * are given; nothing is kept of it.
 */
#include "guest-tools/lint/lint.h"
#include "hv/config/kernel_input.h"
#include "hv/guest/guest_memory.h"
#include "hv/loader/load.h"

enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len)
{
	return OK;
}

enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	return OK;
}

static void check_kernel(const struct vm_config *vm, struct diag *diag)
{
	struct e820_entry e820[KERNEL_E820_MAX];
	struct loader_input input = kernel_input(vm, e820);
	struct loader_state state;
	char error[256];

	if (loader_load(NULL, &input, &state, error, sizeof(error)) != OK)
		diag_error(diag, vm->kernel_place, "%s", error);
}

void lint_check_kernels(const struct config *config, struct diag *diag)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		if (vm->kernel_image != NULL)
			check_kernel(vm, diag);
}
