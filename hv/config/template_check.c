/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes that only show when all VMs are compared. QEMU silently accepts each of them: a clone
 * that writes into its template, a clone without rom=off that loses its writes, a clone that starts
 * as zeros. What users of QEMU do on purpose stays allowed: any mix of ROM, private and shared
 * memory over a file that is not a template.
 */
#include "hv/config/template_check.h"

#include "hv/config/drive.h"
#include "hv/lib/string.h"

/* Private memory that starts as a file; 'readonly': as a clone of a VM template declares it. */
static bool is_private(const struct backend *backend, bool readonly)
{
	return !backend->broken && backend->image != NULL && backend->kind == MEM_COW &&
	       backend->readonly == readonly;
}

static bool overlap(const struct backend *a, const struct backend *b)
{
	return a->image == b->image && a->offset < b->offset + b->size &&
	       b->offset < a->offset + a->size;
}

struct user {
	const struct vm_config *vm;
	const struct backend *backend; /* NULL: there is none */
};

static bool is_hurt(const struct backend *backend, const struct backend *writer, bool readonly)
{
	return is_private(backend, readonly) && overlap(backend, writer);
}

/* Memory, firmware or a disk of the VM that starts as some of the same bytes; NULL: none. */
static const struct backend *find_in_vm(const struct vm_config *vm, const struct backend *writer,
					bool readonly)
{
	for (const struct backend *b = vm->backends; b != NULL; b = b->next)
		if (is_hurt(b, writer, readonly))
			return b;
	if (is_hurt(&vm->bios, writer, readonly))
		return &vm->bios;
	for (const struct drive_config *drive = vm->drives; drive != NULL; drive = drive->next)
		if (drive->is_open && is_hurt(&drive->backend, writer, readonly))
			return &drive->backend;
	return NULL;
}

/* What another VM has privately of the same bytes. */
static struct user find_user(const struct config *config, const struct user *writer, bool readonly)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		const struct backend *found =
			vm != writer->vm ? find_in_vm(vm, writer->backend, readonly) : NULL;

		if (found != NULL)
			return (struct user){vm, found};
	}
	return (struct user){NULL, NULL};
}

static struct diag_place share_place(const struct backend *backend)
{
	for (const struct option *o = backend->options.first; o != NULL; o = o->next) {
		if (strcmp(o->key, "share") == 0)
			return option_value_place(&backend->options, o);
	}
	return backend->place;
}

/* Check shared memory of a file. A VM may write into its own private memory. */
static void check_writer(const struct config *config, const struct user *writer, struct diag *diag)
{
	const struct backend *backend = writer->backend;
	struct user clone = find_user(config, writer, true);

	if (clone.backend != NULL) {
		diag_error(diag, share_place(backend),
			   "backing store %s is in use as a template by '%s' of vm '%s', "
			   "'share=on' would write into it",
			   backend->mem_path, clone.backend->id, clone.vm->name);
		diag_hint(diag, "For another clone write share=off,readonly=on,rom=off instead.");
		return;
	}
	clone = find_user(config, writer, false);
	if (clone.backend == NULL)
		return;
	diag_warning(diag, share_place(backend),
		     "backing store %s is private memory of '%s' of vm '%s', which sees what "
		     "'share=on' writes into it",
		     backend->mem_path, clone.backend->id, clone.vm->name);
	diag_hint(diag, "For another private copy write share=off, for a template "
			"share=off,readonly=on,rom=off.");
}

/* The last of several rom= counts. */
static bool is_rom_on_purpose(const struct backend *backend)
{
	bool on = false;

	for (const struct option *o = backend->options.first; o != NULL; o = o->next) {
		if (strcmp(o->key, "rom") == 0)
			on = strcmp(o->value, "on") == 0;
	}
	return on;
}

/* Warn of ROM where a guest expects RAM. */
static void check_rom(const struct backend *backend, const char *use, struct diag *diag)
{
	if (backend == NULL || backend->broken || backend->kind != MEM_ROM)
		return;
	diag_warning(diag, backend->place,
		     "%s '%s' is ROM: nothing that the guest writes will stick", use, backend->id);
	diag_hint(diag,
		  "For memory that begins as the backing store, a template's clone, write %s"
		  "readonly=on,rom=off.",
		  backend->share ? "share=off," : "");
}

static void check_roms(const struct vm_config *vm, struct diag *diag)
{
	check_rom(vm->memory_backend, "main memory", diag);
	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL; node = node->next)
		check_rom(node->backend, "main memory", diag);
	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next) {
		/* An NVDIMM tells the guest. An explicit rom=on of a module is intended. */
		if (dimm->backend && !dimm->is_nvdimm && !is_rom_on_purpose(dimm->backend))
			check_rom(dimm->backend, "memory module", diag);
	}
}

/* A clone with the same id and size, as the clones of one template have. */
static struct user find_namesake(const struct config *config, const struct backend *backend)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		for (const struct backend *b = vm->backends; b != NULL; b = b->next) {
			if (is_private(b, true) && b->size == backend->size &&
			    strcmp(b->id, backend->id) == 0)
				return (struct user){vm, b};
		}
	}
	return (struct user){NULL, NULL};
}

/* There is no template: RAM, or a file that was missing. */
static bool begins_as_zeros(const struct backend *backend)
{
	return backend->kind == MEM_COW && (backend->image == NULL || backend->image->grown);
}

/* Warn of memory of zeros where others of the same id start as a template. */
static void check_zeros(const struct config *config, const struct backend *backend,
			struct diag *diag)
{
	struct user clone = find_namesake(config, backend);

	if (clone.backend == NULL)
		return;
	diag_warning(diag, backend->place,
		     "memory '%s' begins as zeros, not as %s like '%s' of vm '%s'", backend->id,
		     clone.backend->mem_path, clone.backend->id, clone.vm->name);
	diag_hint(diag,
		  "For a clone of that template write memory-backend-file,mem-path=%s,"
		  "readonly=on,rom=off.",
		  clone.backend->mem_path);
}

static void check_backend(const struct config *config, const struct user *user, struct diag *diag)
{
	const struct backend *backend = user->backend;

	if (backend->broken)
		return;
	if (begins_as_zeros(backend))
		check_zeros(config, backend, diag);
	else if (backend->kind == MEM_SHARED && backend->type == BACKEND_FILE)
		check_writer(config, user, diag);
}

void config_check_sharing(const struct config *config, struct diag *diag)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		for (const struct backend *b = vm->backends; b != NULL; b = b->next)
			check_backend(config, &(struct user){vm, b}, diag);
		check_roms(vm, diag);
	}
}
