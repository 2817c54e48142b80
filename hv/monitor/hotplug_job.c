/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands for hot-plug, step by step. A VM's memory changes while the VM is stopped, as for a
 * dump. The VM may end between two steps: each looks for it again.
 */
#include "hv/monitor/hotplug_job.h"

#include "hv/config/hotplug.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/monitor/still.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/added.h"
#include "hv/vm/hotplug.h"
#include "hv/vm/news.h"

#define BYTES_AT_ONCE KIB(256)

static struct image_list *images;

static struct {
	unsigned index; /* of the VM */
	struct vm_config *config;
	struct added *added; /* what is being added; NULL: nothing, or the VM has it */
	struct word text;    /* the command's argument, in 'added' */
	struct image_work bytes;
	struct still still;
	struct hotplug work;
	bool has_begun;
	struct backend *backend;	/* to be deleted */
	char why[DIAG_MESSAGE_MAX + 1]; /* empty: nothing went wrong */
} job;

void hotplug_job_setup(struct image_list *ramdisk)
{
	images = ramdisk;
}

static enum job_state fail(const char *why)
{
	say("Error: %s", why);
	return JOB_IS_DONE;
}

static struct diag keep_error(void)
{
	job.why[0] = '\0';
	return (struct diag){.kept = job.why};
}

static const char *reason(enum status status)
{
	return status == ERR_INVAL ? job.why : "not enough memory for the command";
}

/*
 * The VM, unless it has ended or is about to. vms_lock is held: added_leave() waits for it, so that
 * what the VM gets now is left to the boot processor.
 */
static struct vm *find_vm(void)
{
	struct vm *vm = vm_find(job.index);

	if (vm == NULL || vm_outcome(vm) != VM_RUNNING ||
	    __atomic_load_n(&vm->is_ending, __ATOMIC_RELAXED))
		return NULL;
	return vm;
}

static bool begin(struct vm *vm, const char *text, size_t len)
{
	const char *why = hotplug_refuses(vm);

	job.index = vm->index;
	job.config = vm->config;
	job.has_begun = false;
	job.bytes = (struct image_work){0};
	job.added = why == NULL ? added_allocate() : NULL;
	if (why != NULL)
		say("Error: VM %s: %s", vm_name(vm), why);
	else if (job.added == NULL)
		say("Error: not enough memory for the command");
	if (job.added == NULL)
		return false;
	job.text = (struct word){.text = arena_strndup(&job.added->arena, text, len), .len = len};
	job.text.start = word_cursor(job.text.text, len);
	return true;
}

static void free_added(void)
{
	if (job.added == NULL)
		return;
	if (job.added->backend)
		added_free_image(job.added->backend);
	added_free(job.added);
	job.added = NULL;
}

/* Parse the object, and open its image. */
static enum status read_object(void)
{
	struct image_list list = *images;
	struct diag diag = keep_error();
	struct backend *backend;

	list.unnamed = &job.added->arena;
	list.later = &job.bytes;
	TRY(hotplug_read_object(job.config, &job.text, &list, &diag, &backend));
	images->first = list.first;
	job.added->backend = backend;
	return OK;
}

/* Its bytes are complete. */
static enum job_state add_object(void)
{
	bool is_there;

	vms_acquire();
	is_there = find_vm() != NULL;
	if (is_there) {
		added_keep(job.config, job.added);
		hotplug_add_object(job.config, job.added->backend);
		job.added = NULL;
	}
	lock_release(&vms_lock);
	return is_there ? JOB_IS_DONE : fail("the VM has ended");
}

static enum job_state step_object_add(void)
{
	enum status status;

	if (!job.has_begun) {
		job.has_begun = true;
		status = read_object();
		return status == OK ? JOB_GOES_ON : fail(reason(status));
	}
	if (image_work_some(&job.bytes, BYTES_AT_ONCE))
		return JOB_GOES_ON;
	return add_object();
}

void hotplug_job_object_add(struct vm *vm, const char *text, size_t len)
{
	static const struct job object_add = {
		.step = step_object_add, .end = free_added, .is_configured = true};

	if (begin(vm, text, len))
		job_begin(&object_add);
}

/* The VM may have ended: then everything is left to added_clean_up(). */
static enum job_state drop_object(void)
{
	struct added *added = NULL;
	bool is_there;

	vms_acquire();
	is_there = find_vm() != NULL;
	if (is_there) {
		added = added_take_backend(job.config, job.backend);
		hotplug_drop_object(job.config, job.backend);
	}
	lock_release(&vms_lock);
	if (!is_there)
		return fail("the VM has ended");
	added_free_image(job.backend);
	if (added)
		added_free(added);
	return JOB_IS_DONE;
}

static enum job_state step_object_del(void)
{
	return image_work_some(&job.bytes, BYTES_AT_ONCE) ? JOB_GOES_ON : drop_object();
}

void hotplug_job_object_del(struct vm *vm, const char *id)
{
	static const struct job object_del = {.step = step_object_del, .is_configured = true};
	struct backend *backend = hotplug_find_object(vm->config, id);
	const char *why = hotplug_refuses(vm);

	if (backend == NULL) {
		say("Error: object '%s' not found", id);
	} else if (backend->busy) {
		say("Error: object '%s' is in use, can not be deleted", id);
	} else if (why != NULL) {
		say("Error: VM %s: %s", vm_name(vm), why);
	} else {
		job.index = vm->index;
		job.config = vm->config;
		job.backend = backend;
		job.bytes = backend_discards(backend);
		job_begin(&object_del);
	}
}

/* Whether the VM's vCPUs are aside, and nothing makes them run. NULL in '*ret': it has ended. */
static bool is_still(struct vm **ret)
{
	struct vm *vm;
	bool is_aside;

	vms_acquire();
	vm = find_vm();
	is_aside = vm && vm_is_aside(vm) && __atomic_load_n(&vm->actions, __ATOMIC_RELAXED) == 0;
	lock_release(&vms_lock);
	*ret = vm;
	return is_aside;
}

/* Without its VM only the frames set aside are left of a DIMM. False: they are free. */
static bool free_reserve_some(void)
{
	struct frame_reserve *reserve = job.work.region.reserve;

	if (!job.has_begun || reserve == NULL)
		return false;
	if (!frame_reserve_free_some(reserve, BYTES_AT_ONCE / PAGE_SIZE))
		job.work.region.reserve = NULL;
	return true;
}

static enum job_state lose_vm(void)
{
	if (free_reserve_some())
		return JOB_GOES_ON;
	if (job.added && job.has_begun)
		hotplug_drop_dimm(job.config, job.work.dimm);
	return fail("the VM has ended");
}

static enum job_state begin_in(struct vm *vm)
{
	struct diag diag = keep_error();
	const char *why = hotplug_refuses(vm);
	enum status status;

	if (why != NULL) {
		say("Error: VM %s: %s", vm_name(vm), why);
		return JOB_IS_DONE;
	}
	status = hotplug_read_device(job.config, &job.text, vm->platform.phys_bits,
				     &job.added->arena, &diag);
	if (status != OK)
		return fail(reason(status));
	job.has_begun = true;
	hotplug_begin_in(&job.work, hotplug_last_dimm(job.config));
	job.why[0] = '\0';
	return JOB_GOES_ON;
}

/* It is in, or out again. */
static enum job_state end_in(void)
{
	if (job.work.stage == HOTPLUG_IS_OUT) {
		hotplug_drop_dimm(job.config, job.work.dimm);
		return fail(job.why);
	}
	job.added->dimm = job.work.dimm;
	vms_acquire();
	added_keep(job.config, job.added);
	lock_release(&vms_lock);
	job.added = NULL;
	return JOB_IS_DONE;
}

static void note_no_memory(void)
{
	bool is_prealloc = job.work.dimm->backend->prealloc;

	format(job.why, sizeof(job.why), "%s",
	       is_prealloc ? "qemu_prealloc_mem: preallocating memory failed: Cannot allocate "
			     "memory"
			   : "not enough memory for the DIMM and its tables");
}

static enum job_state step_device_add(void)
{
	struct vm *vm;

	if (!is_still(&vm))
		return vm ? JOB_WAITS : lose_vm();
	if (!job.has_begun)
		return begin_in(vm);
	if (job.work.stage == HOTPLUG_IS_IN || job.work.stage == HOTPLUG_IS_OUT)
		return end_in();
	if (hotplug_some(vm, &job.work) != OK)
		note_no_memory();
	return JOB_GOES_ON;
}

static void end_with_vm(void)
{
	free_added();
	still_end(&job.still);
}

void hotplug_job_device_add(struct vm *vm, const char *text, size_t len)
{
	static const struct job device_add = {
		.step = step_device_add, .end = end_with_vm, .is_configured = true};

	if (!begin(vm, text, len))
		return;
	still_begin(&job.still, vm);
	job_begin(&device_add);
}

void hotplug_device_del(struct vm *vm, const char *id)
{
	const struct dimm_config *dimm = hotplug_find_dimm(vm->config, id);
	const char *why = hotplug_refuses(vm);

	if (dimm == NULL)
		say("Error: Device '%s' not found", id);
	else if (dimm->is_nvdimm)
		say("Error: nvdimm device hot unplug is not supported yet.");
	else if (dimm->pmem)
		say("Error: virtio based memory devices cannot be unplugged.");
	else if (why != NULL)
		say("Error: VM %s: %s", vm_name(vm), why);
	else
		hotplug_ask(vm, dimm);
}

static enum job_state begin_out(struct vm *vm)
{
	struct dimm_config *dimm = hotplug_refuses(vm) ? NULL : hotplug_ejected(vm);

	if (dimm == NULL)
		return JOB_IS_DONE;
	job.has_begun = true;
	hotplug_begin_out(vm, &job.work, dimm);
	return JOB_GOES_ON;
}

static enum job_state end_out(struct vm *vm)
{
	struct dimm_config *dimm = job.work.dimm;

	hotplug_clear_slot(vm, (unsigned)dimm->slot);
	vm_tell_news(vm, NEWS_DEVICE_DELETED, dimm->id ? dimm->id : "");
	log_info("VM %s: DIMM %s of %lu KiB at 0x%lx is out", vm_name(vm), dimm->id ? dimm->id : "",
		 dimm->size / KIB(1), dimm->addr);
	vms_acquire();
	job.added = added_take_dimm(job.config, dimm);
	lock_release(&vms_lock);
	hotplug_drop_dimm(job.config, dimm);
	return JOB_IS_DONE;
}

static enum job_state step_eject(void)
{
	struct vm *vm;

	if (!is_still(&vm)) {
		if (vm)
			return JOB_WAITS;
		return free_reserve_some() ? JOB_GOES_ON : JOB_IS_DONE;
	}
	if (!job.has_begun)
		return begin_out(vm);
	if (job.work.stage == HOTPLUG_IS_OUT)
		return end_out(vm);
	(void)hotplug_some(vm, &job.work);
	return JOB_GOES_ON;
}

/* False: no guest has given up a DIMM. */
static bool begin_eject(void)
{
	struct vm *vm;

	vms_acquire();
	vm = hotplug_next_eject();
	if (vm) {
		job.index = vm->index;
		job.config = vm->config;
		job.has_begun = false;
		job.added = NULL;
		still_begin(&job.still, vm);
	}
	lock_release(&vms_lock);
	return vm != NULL;
}

void hotplug_job_begin_due(void)
{
	static const struct job eject = {
		.step = step_eject, .end = end_with_vm, .is_configured = true};

	if (begin_eject())
		job_begin(&eject);
	else
		(void)added_clean_up();
}
