/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of a whole VM: how much memory it has, and from which backend. In QEMU's order and
 * words; an error only prevents the checks that depend on it.
 */
#include "hv/config/vm_bios.h"
#include "hv/config/vm_loader.h"
#include "hv/config/vm_reader.h"

#include "hv/backends/backend_read.h"
#include "hv/backends/object.h"
#include "hv/backends/suggest.h"
#include "hv/lib/string.h"

#define RAM_DEFAULT MIB(128)
#define SLOTS_MAX   256

static bool check_maxmem(struct vm_reader *reader)
{
	const struct vm_config *vm = reader->vm;
	uint64_t max = vm->maxmem, ram = vm->ram_size;
	struct diag *diag = reader->diag;

	if (max == 0 && reader->has_slots)
		diag_error(diag, vm->memory_place, "slots specified but no max-size");
	else if (max != 0 && max < ram)
		diag_error(diag, vm->memory_place,
			   "invalid value of maxmem: maximum memory size (0x%lx) must be at least "
			   "the initial memory size (0x%lx)",
			   max, ram);
	else if (max != 0 && reader->slots != 0 && max == ram)
		diag_error(diag, vm->memory_place,
			   "invalid value of maxmem: memory slots were specified but maximum "
			   "memory size (0x%lx) is equal to the initial memory size (0x%lx)",
			   max, ram);
	else if (reader->slots > SLOTS_MAX)
		diag_error(diag, vm->memory_place, "unsupported amount of memory slots: %lu",
			   reader->slots);
	else if (!is_aligned(max, PAGE_SIZE))
		diag_error(diag, vm->memory_place,
			   "maximum memory size must by aligned to multiple of 4096 bytes");
	else
		return true;
	return false;
}

/* QEMU gives this id to its own RAM. */
static bool check_reserved_id(struct vm_reader *reader)
{
	const struct backend *backend = reader->vm->backends;

	while (backend != NULL && strcmp(backend->id, reader->default_ram_id) != 0)
		backend = backend->next;
	if (backend == NULL)
		return true;
	diag_error(reader->diag, options_id_place(&backend->options),
		   "object's id '%s' is reserved for the default RAM backend, it can't be used for "
		   "any other purposes",
		   backend->id);
	diag_hint(reader->diag,
		  "Change the object's 'id' to something else or disable automatic creation of the "
		  "default RAM backend by setting 'memory-backend=%s' with '-machine'.",
		  backend->id);
	return false;
}

/* RAM without an object of the user's is an object of QEMU's own, after all others. */
static enum status make_default_ram(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	struct backend **tail = &vm->backends, *ram;
	char *id;

	if (!check_reserved_id(reader))
		return OK;
	ram = arena_alloc(reader->arena, sizeof(*ram));
	id = arena_strndup(reader->arena, reader->default_ram_id, strlen(reader->default_ram_id));
	if (ram == NULL || id == NULL)
		return ERR_NOMEM;
	*ram = (struct backend){
		.id = id,
		.type = reader->mem_path != NULL ? BACKEND_FILE : BACKEND_RAM,
		.size = vm->ram_size,
		.merge = vm->mem_merge,
		.dump = vm->dump_guest_core,
		.prealloc = vm->mem_prealloc,
		.prealloc_threads = vm->topology.n_cpus,
		.reserve = true,
		.place = vm->has_ram_size ? vm->memory_place : vm->place,
		.broken = reader->bad_memory,
		.busy = true,
	};
	if (reader->mem_path != NULL) {
		ram->mem_path = reader->mem_path->text;
		ram->mem_path_place = word_place(reader->mem_path, 0);
	}
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = ram;
	vm->memory_backend = ram;
	return backend_resolve(ram, reader->diag) == ERR_NOMEM ? ERR_NOMEM : OK;
}

static void suggest_backend(struct vm_reader *reader, const char *id)
{
	struct suggestion near = suggest(id, strlen(id));

	for (const struct backend *b = reader->vm->backends; b != NULL; b = b->next)
		suggest_name(&near, b->id);
	suggest_tell(&near, "", reader->diag);
}

static void find_memory_backend(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;

	vm->memory_backend = backend_find(vm->backends, vm->memory_backend_id);
	if (vm->memory_backend != NULL)
		return;
	diag_error(reader->diag, vm->memory_backend_place, "Memory backend '%s' not found",
		   vm->memory_backend_id);
	suggest_backend(reader, vm->memory_backend_id);
}

static void use_memory_backend(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	struct backend *backend = vm->memory_backend;

	reader->bad_memory_backend = backend == NULL || backend->broken;
	if (backend == NULL)
		return;
	backend->busy = true;
	if (backend->broken)
		return;
	if (!vm->has_ram_size)
		vm->ram_size = backend->size;
	if (vm->ram_size == backend->size)
		return;
	reader->bad_memory_backend = true;
	diag_error(reader->diag, vm->memory_place,
		   "Machine memory size does not match the size of the memory backend");
	diag_advice(reader->diag, "-m is %lu KiB, the size of '%s' %lu KiB", vm->ram_size / KIB(1),
		    backend->id, backend->size / KIB(1));
}

static void check_mem_path(struct vm_reader *reader)
{
	if (reader->mem_path == NULL)
		return;
	if (reader->vm->memory_backend_id != NULL)
		diag_error(reader->diag, word_place(reader->mem_path, 0),
			   "'-mem-path' can't be used together with'-machine memory-backend'");
	else if (reader->has_numa_memdev)
		diag_warning(reader->diag, word_place(reader->mem_path, 0),
			     "'-mem-path' has no effect with '-numa node,memdev='");
}

/* Where the RAM comes from, in QEMU's order. */
static enum status resolve_memory(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;

	if (vm->memory_backend_id != NULL)
		find_memory_backend(reader);
	TRY(vm_read_numa_arguments(reader));
	check_mem_path(reader);
	if (vm->memory_backend_id != NULL)
		use_memory_backend(reader);
	else if (!reader->has_numa_memdev)
		TRY(make_default_ram(reader));
	return vm_complete_numa(reader);
}

static void resolve_dimms(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;

	for (struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next) {
		dimm->broken = reader->bad_memory || reader->bad_memory_backend;
		if (dimm->memdev == NULL)
			continue;
		dimm->backend = backend_find(vm->backends, dimm->memdev);
		dimm->broken = dimm->broken || dimm->backend == NULL;
		if (dimm->backend != NULL)
			continue;
		diag_error(reader->diag, dimm->place, "Device '%s' not found", dimm->memdev);
		suggest_backend(reader, dimm->memdev);
	}
}

static void check_kernel(struct vm_reader *reader)
{
	const struct vm_config *vm = reader->vm;

	if (vm->is_template && vm->incoming == NULL && !vm->incoming_is_bad)
		diag_error(reader->diag, vm->place,
			   "template '%s' has no -incoming file:PATH to be made from", vm->name);
	if (vm->kernel != NULL || reader->bad_kernel)
		return;
	if (vm->initrd != NULL)
		diag_error(reader->diag, vm->initrd_place,
			   "-initrd only allowed with -kernel option");
	if (vm->append != NULL)
		diag_error(reader->diag, vm->append_place,
			   "-append only allowed with -kernel option");
	if (vm->incoming == NULL && !vm->incoming_is_bad && !vm->is_template &&
	    reader->plain == NULL && reader->bios == NULL)
		diag_error(reader->diag, vm->place, "vm '%s' has no -kernel, and no -bios",
			   vm->name);
}

static bool is_on(const struct vm_reader *reader, enum on_off_auto value)
{
	return value == ON_OFF_AUTO_ON || (value == ON_OFF_AUTO_AUTO && reader->bios != NULL);
}

enum status vm_resolve(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	struct backend_defaults defaults = {
		.merge = vm->mem_merge,
		.dump = vm->dump_guest_core,
		.prealloc = vm->mem_prealloc,
	};

	vm_complete_smp(reader);
	defaults.prealloc_threads = vm->topology.n_cpus;
	objects_resolve(vm->backends, vm->thread_contexts, &defaults, reader->diag);
	if (!reader->has_serial && reader->nodefaults)
		vm->serial = SERIAL_NONE;
	if (!vm->has_ram_size)
		vm->ram_size = RAM_DEFAULT;
	if (!reader->bad_memory && !check_maxmem(reader))
		reader->bad_memory = true;
	if (!reader->bad_memory)
		vm->dimm_slots = (unsigned)reader->slots;
	TRY(resolve_memory(reader));
	resolve_dimms(reader);
	vm_resolve_virtio(reader);
	vm_resolve_drives(reader);
	vm_resolve_net(reader);
	vm_resolve_console(reader);
	check_kernel(reader);
	vm_resolve_bios(reader);
	vm_resolve_loader(reader);
	vm->has_pic = is_on(reader, reader->pic);
	vm->has_pit = is_on(reader, reader->pit);
	return OK;
}
