/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration of a running VM: objects and DIMMs come and go by the rules of its line. */
#include "hv/config/hotplug.h"

#include "hv/backends/backend_open.h"
#include "hv/backends/object.h"
#include "hv/config/device_id.h"
#include "hv/config/dimm_place.h"
#include "hv/config/vm_reader.h"
#include "hv/lib/string.h"

/*
 * A file that a VM has read-only or private, and none may write: it is write-protected if that was
 * at the start, its checksum is known, and pages that were found equal to its own may have been
 * merged with them.
 */
static enum status check_guard(const struct backend *backend, const struct image *image,
			       struct diag *diag)
{
	if (backend->kind != MEM_SHARED || image == NULL || !image->is_guarded)
		return OK;
	diag_error(
		diag, DIAG_NOWHERE,
		"the file '%s' cannot be shared: a VM has it read-only or private, and relies on "
		"its bytes",
		backend->mem_path);
	return ERR_INVAL;
}

static enum status open(struct backend *backend, struct image_list *images, struct diag *diag)
{
	struct image *image = NULL;

	if (backend->type == BACKEND_FILE &&
	    image_lookup(images->first, backend->mem_path, &image) == IMAGE_OK)
		TRY(check_guard(backend, image, diag));
	TRY(backend_open(backend, images, diag));
	if (backend->kind != MEM_SHARED && backend->image != NULL && !backend->image->is_written)
		backend->image->is_guarded = true;
	return OK;
}

enum status hotplug_read_object(const struct vm_config *vm, const struct word *argument,
				struct image_list *images, struct diag *diag, struct backend **ret)
{
	const struct backend_defaults defaults = {
		.merge = vm->mem_merge,
		.dump = vm->dump_guest_core,
		.prealloc = vm->mem_prealloc,
		.prealloc_threads = vm->topology.n_cpus,
	};

	TRY(object_read_added(argument, images->unnamed, diag, ret));
	TRY(object_resolve_added(*ret, vm->backends, vm->thread_contexts, &defaults, diag));
	return open(*ret, images, diag);
}

/* Only DIMMs can be added: other devices have ports, tables or labels from the start. */
static enum status read_driver(struct vm_reader *reader, struct options *options)
{
	const struct option *driver = options_find(options, "driver");

	if (driver == NULL || (driver->json != NULL && driver->json->type != JSON_STRING)) {
		diag_error(reader->diag, DIAG_NOWHERE, "Parameter 'driver' is missing");
		return ERR_INVAL;
	}
	if (strcmp(driver->value, "pc-dimm") == 0)
		return vm_read_pc_dimm(reader, options);
	diag_error(reader->diag, DIAG_NOWHERE, "Device '%s' can not be hotplugged on this machine",
		   driver->value);
	return ERR_INVAL;
}

static enum status read_options(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {.implied = "driver", .no_flags = true};
	struct options options;

	TRY(options_read(argument, &syntax, reader->arena, reader->diag, &options));
	(void)options_find(&options, "vm"); /* QMP's, not the device's */
	TRY(device_id_note(reader->vm, &options, reader->arena, reader->diag));
	return read_driver(reader, &options);
}

static enum status resolve(const struct vm_config *vm, struct dimm_config *dimm, struct diag *diag)
{
	if (dimm->memdev == NULL)
		return OK;
	dimm->backend = backend_find(vm->backends, dimm->memdev);
	if (dimm->backend != NULL)
		return OK;
	diag_error(diag, DIAG_NOWHERE, "Device '%s' not found", dimm->memdev);
	return ERR_INVAL;
}

static struct dimm_config **end_of(struct vm_config *vm)
{
	struct dimm_config **tail = &vm->dimms;

	while (*tail != NULL)
		tail = &(*tail)->next;
	return tail;
}

enum status hotplug_read_device(struct vm_config *vm, const struct word *argument,
				unsigned phys_bits, struct arena *arena, struct diag *diag)
{
	struct vm_reader reader = {.vm = vm, .arena = arena, .diag = diag};
	struct device_id *ids = vm->device_ids;
	struct dimm_config **tail = end_of(vm), *dimm;
	enum status status = read_options(&reader, argument);

	dimm = *tail;
	if (status == OK)
		status = resolve(vm, dimm, diag);
	if (status == OK)
		status = config_place_dimm(vm, dimm, phys_bits, diag);
	if (status == OK) {
		dimm->is_added = true;
		return OK;
	}
	*tail = NULL;
	vm->device_ids = ids;
	return status;
}

struct dimm_config *hotplug_last_dimm(const struct vm_config *vm)
{
	struct dimm_config *dimm = vm->dimms;

	while (dimm->next != NULL)
		dimm = dimm->next;
	return dimm;
}

struct dimm_config *hotplug_find_dimm(const struct vm_config *vm, const char *id)
{
	struct dimm_config *dimm = vm->dimms;

	while (dimm != NULL && (dimm->id == NULL || strcmp(dimm->id, id) != 0))
		dimm = dimm->next;
	return dimm;
}

static void drop_id(struct vm_config *vm, const char *id)
{
	struct device_id **link = &vm->device_ids;

	while (strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	*link = (*link)->next;
}

void hotplug_drop_dimm(struct vm_config *vm, struct dimm_config *dimm)
{
	struct dimm_config **link = &vm->dimms;

	while (*link != dimm)
		link = &(*link)->next;
	*link = dimm->next;
	if (dimm->id != NULL)
		drop_id(vm, dimm->id);
	dimm->backend->busy = false;
}

struct backend *hotplug_find_object(const struct vm_config *vm, const char *id)
{
	struct backend *backend = vm->backends;

	while (backend != NULL && strcmp(backend->id, id) != 0)
		backend = backend->next;
	return backend;
}

void hotplug_add_object(struct vm_config *vm, struct backend *backend)
{
	struct backend **tail = &vm->backends;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = backend;
}

void hotplug_drop_object(struct vm_config *vm, const struct backend *backend)
{
	struct backend **link = &vm->backends;

	while (*link != backend)
		link = &(*link)->next;
	*link = backend->next;
}
