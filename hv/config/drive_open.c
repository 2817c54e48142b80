/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of drives, and who may have them together. */
#include "hv/config/drive_open.h"

#include "hv/backends/suggest.h"
#include "hv/config/vm_files.h"
#include "hv/lib/string.h"

#define MODE_WRITE 0200U

/* Drives lie at multiples of this, so that large pages fit. */
#define PLACE_ALIGN GIB(1)

static void fail_open(const struct drive_config *drive, const char *why, struct diag *diag)
{
	diag_error(diag, drive->file_place, "Could not open '%s': %s", drive->backend.mem_path,
		   why);
}

/* The window, which ends with the file if no size was given, and is whole sectors. */
static bool check_window(struct drive_config *drive, const struct image *image, struct diag *diag)
{
	struct backend *backend = &drive->backend;

	if (backend->size == 0 && image->size > backend->offset)
		backend->size = image->size - backend->offset;
	if (backend->size == 0 || backend->offset > image->size ||
	    backend->size > image->size - backend->offset)
		diag_error(diag, drive->file_place,
			   "The sum of offset (%lu) and size (%lu) has to be smaller or equal to "
			   "the actual size of the containing file (%lu), and the size not 0",
			   backend->offset, backend->size, image->size);
	else if (!is_aligned(backend->size, VIRTIO_BLK_SECTOR))
		diag_error(diag, drive->file_place,
			   "'%s' has %lu bytes, which is not a multiple of %u: fill it up, or give "
			   "a size=",
			   backend->mem_path, backend->size, VIRTIO_BLK_SECTOR);
	else
		return true;
	return false;
}

/* False: reported. */
static bool open_drive(struct drive_config *drive, struct image_list *images, struct diag *diag)
{
	bool is_shared = drive_writes_file(drive);
	struct backend *backend = &drive->backend;
	struct image *image = NULL;
	const char *why = vm_find_file(images, backend->mem_path, &image);

	if (why == NULL && is_shared && !(image->mode & MODE_WRITE))
		why = image_error_text(IMAGE_NO_PERMISSION);
	if (why != NULL) {
		fail_open(drive, why, diag);
		if (strcmp(why, image_error_text(IMAGE_NOT_FOUND)) == 0)
			suggest_file(images->first, backend->mem_path, diag);
		return false;
	}
	if (!check_window(drive, image, diag))
		return false;
	if (image_align(images, image) != OK) {
		fail_open(drive, image_error_text(IMAGE_NO_MEMORY), diag);
		return false;
	}
	backend->kind = drive->readonly ? MEM_ROM : is_shared ? MEM_SHARED : MEM_COW;
	backend->image = image;
	image->is_written |= is_shared;
	return true;
}

static void complete_device(const struct drive_config *drive, uint64_t gpa)
{
	struct virtio_blk_config *device = drive->device;

	device->blocks = (gpa_t){gpa};
	device->n_sectors = align_down(drive->backend.size, device->block_size) / VIRTIO_BLK_SECTOR;
	device->is_private = drive->backend.kind == MEM_COW;
	if (!drive->readonly)
		return;
	device->base.features |= VIRTIO_BLK_F_RO;
	device->base.features &= ~(VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES);
}

void drives_open(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	uint64_t gpa = MEM_HIDDEN_START;

	for (struct drive_config *drive = vm->drives; drive != NULL; drive = drive->next) {
		drive->is_open = open_drive(drive, images, diag);
		if (!drive->is_open || drive->device == NULL)
			continue;
		complete_device(drive, gpa);
		gpa = align_up(gpa + drive->backend.size, PLACE_ALIGN);
	}
}

/* The words are those of QEMU, whose two drives are those of two processes. */
static void report_lock(const struct drive_config *drive, const struct vm_config *other,
			struct diag *diag)
{
	diag_error(diag, drive->file_place, "Failed to get %s\"write\" lock",
		   drive_writes_file(drive) ? "" : "shared ");
	diag_advice(
		diag,
		"a drive of vm '%s' has the image '%s', too, and one of them writes to it: write "
		"readonly=on or snapshot=on, or share-rw=on for both devices",
		other->name, drive->backend.mem_path);
}

static bool has_lock(const struct drive_config *drive)
{
	return drive->is_open && drive->device != NULL;
}

static bool conflict(const struct drive_config *a, const struct drive_config *b)
{
	return has_lock(a) && has_lock(b) && a->backend.image == b->backend.image &&
	       ((drive_writes_file(a) && !b->share_rw) || (drive_writes_file(b) && !a->share_rw));
}

/* Compare with the drives before this one. */
static void check_lock(const struct config *config, const struct drive_config *drive,
		       struct diag *diag)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		for (const struct drive_config *other = vm->drives; other != NULL;
		     other = other->next) {
			if (other == drive)
				return;
			if (!conflict(other, drive))
				continue;
			report_lock(drive, vm, diag);
			return;
		}
}

static void check_clones(const struct config *config, const struct clone_config *clone,
			 struct diag *diag)
{
	const struct vm_config *vm = config->vms;
	const struct drive_config *drive;

	while (vm != NULL && strcmp(vm->name, clone->template) != 0)
		vm = vm->next;
	drive = vm != NULL ? drives_find_unshared(vm) : NULL;
	if (drive == NULL)
		return;
	diag_error(diag, clone->place,
		   "vm '%s' cannot become a template: all clones would write to the file of its "
		   "drive '%s'",
		   vm->name, drive->backend.id);
	diag_advice(diag, "write snapshot=on for the drive, or share-rw=on for its device");
}

void drives_check_sharing(const struct config *config, struct diag *diag)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		for (const struct drive_config *drive = vm->drives; drive != NULL;
		     drive = drive->next)
			check_lock(config, drive, diag);
	for (const struct clone_config *clone = config->clones; clone != NULL; clone = clone->next)
		check_clones(config, clone, diag);
}
