/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What starting the VMs would take: each VM's memory is mapped and its kernel loaded by the
 * hypervisor's own code, into frames of the simulated machine. One VM after the other gets the same
 * frames; 'taken' is what all together would hold.
 */
#include "guest-tools/lint/lint.h"
#include "hv/config/kernel_input.h"
#include "hv/config/layout.h"
#include "hv/ept/ept.h"
#include "hv/frame/frame.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/region_map.h"
#include "hv/guest/reserve.h"
#include "hv/loader/load.h"

#define LEAF_LEVELS 3

/* The machine, and what the VMs so far have taken of it. */
struct machine {
	struct diag *diag;
	uint64_t n_frames; /* that VMs can get: free at the start, within host -max-private */
	uint64_t taken;	   /* frames */
};

static uint64_t kib(uint64_t n_frames)
{
	return n_frames * (PAGE_SIZE / KIB(1));
}

static enum status map_memory(const struct vm_config *vm, struct ept *ept, struct mem_map *map)
{
	TRY(memory_layout(vm, map));
	for (size_t i = 0; i < mem_map_all(map); i++)
		TRY(region_map(ept, &map->region[i]));
	return OK;
}

/* False: reported. */
static bool load_kernel(const struct vm_config *vm, struct guest_memory *memory, struct diag *diag)
{
	struct e820_entry e820[KERNEL_E820_MAX];
	struct loader_input input = kernel_input(vm, e820);
	struct loader_state state;
	char error[256];

	if (vm->kernel_image == NULL ||
	    loader_load(memory, &input, &state, error, sizeof(error)) == OK)
		return true;
	diag_error(diag, vm->kernel_place, "%s", error);
	return false;
}

/* The frames of memory that is filled at the start. */
static uint64_t count_prealloc(const struct mem_map *map)
{
	uint64_t n = 0;

	for (size_t i = 0; i < map->n; i++) {
		const struct mem_region *region = &map->region[i];

		if (region->kind == MEM_COW && region->backend != NULL && region->backend->prealloc)
			n += region->len / PAGE_SIZE;
	}
	return n;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void check_limit(const struct vm_config *vm, uint64_t n_needed, struct diag *diag)
{
	if (vm->max_private != 0 && n_needed > vm->max_private / PAGE_SIZE)
		diag_error(diag, vm->place,
			   "%s: its -max-private is too small: it starts with at least %lu KiB",
			   vm->name, kib(n_needed));
}

static void check_room(const struct vm_config *vm, uint64_t n_needed, struct machine *machine)
{
	uint64_t n_left = machine->n_frames - machine->taken;

	if (n_needed > n_left) {
		diag_error(machine->diag, vm->place,
			   "%s: not enough memory: at its start the VM takes %lu KiB, %lu of %lu "
			   "KiB are left",
			   vm->name, kib(n_needed), kib(n_left), kib(machine->n_frames));
		n_needed = n_left;
	}
	machine->taken += n_needed;
}

static void check_memory(const struct vm_config *vm, struct guest_memory *memory,
			 struct machine *machine)
{
	uint64_t n_before = frame_available(), n_filled;

	if (map_memory(vm, memory->ept, memory->map) != OK) {
		diag_error(machine->diag, vm->place, "%s: not enough memory in this machine",
			   vm->name);
		return;
	}
	if (reserve_memory(memory->ept, memory->map, vm->name) != OK) {
		machine->diag->n_errors++; /* reported without a place, as by the machine */
		return;
	}
	if (!load_kernel(vm, memory, machine->diag))
		return;
	n_filled = count_prealloc(memory->map);
	check_limit(vm, larger(memory->ept->n_owned, n_filled), machine->diag);
	check_room(vm, larger(n_before - frame_available(), n_filled), machine);
}

static void check_vm(const struct vm_config *vm, struct machine *machine)
{
	static struct mem_map map;
	struct ept ept;
	struct guest_memory memory = {.ept = &ept, .map = &map};

	map.n = map.n_hidden = 0;
	if (ept_init(&ept, LEAF_LEVELS, EPT_UNLIMITED) != OK)
		return;
	check_memory(vm, &memory, machine);
	reserve_end(&map);
	ept_destroy(&ept);
}

/* A clone has a frame of its own; more when it writes. */
static void check_clones(const struct clone_config *line, const struct machine *machine)
{
	uint64_t n_left = machine->n_frames - machine->taken;
	unsigned n = line->count < line->parallel ? line->count : line->parallel;

	if (n <= n_left)
		return;
	diag_warning(machine->diag, line->place,
		     "%u clones at a time take at least %lu KiB, %lu KiB are left: the others "
		     "start when some have ended",
		     n, kib(n), kib(n_left));
}

void lint_check_start(const struct config *config, struct diag *diag)
{
	uint64_t budget = config->host.max_private / PAGE_SIZE;
	struct machine machine = {.diag = diag, .n_frames = frame_available()};

	if (budget != 0 && budget < machine.n_frames)
		machine.n_frames = budget;
	if (ept_setup() != OK)
		return;
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		check_vm(vm, &machine);
	for (const struct clone_config *line = config->clones; line != NULL; line = line->next)
		check_clones(line, &machine);
}
