/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU checks when it opens and maps a backing file, in QEMU's order. The ramdisk takes the
 * place of the file system, and Stencil that of an ordinary user who owns every file: the owner's
 * permission bits count. Files are created and grown in memory only. Unlike QEMU, an object that is
 * refused leaves nothing behind.
 */
#include "hv/backends/backend_open.h"

#include "hv/backends/backend_read.h"
#include "hv/backends/suggest.h"
#include "hv/frame/numa.h"

/* The largest alignment of a host address: half of the 47-bit space that Linux has. */
#define ALIGN_MAX   BIT(46)
#define ADDRESS_MAX (UINT64_C(2) * ALIGN_MAX)

#define MODE_READ  0400U
#define MODE_WRITE 0200U
#define MODE_ENTER 0300U /* create a file in a directory */

/* What opening has found or made so far. */
struct opened {
	struct image_list *images;
	struct image *image; /* NULL: memory that only this backend sees */
	bool created;	     /* to be removed if the object is refused */
};

static struct diag_place mem_path_place(struct backend *backend)
{
	if (options_find(&backend->options, "mem-path") != NULL)
		return backend_option_place(backend, "mem-path");
	return backend->mem_path_place;
}

static enum status fail_open(struct backend *backend, const char *reason, struct diag *diag)
{
	diag_error(diag, mem_path_place(backend), "can't open backing store %s for guest RAM: %s",
		   backend->mem_path, reason);
	return ERR_INVAL;
}

static enum status fail_map(struct backend *backend, const char *reason, struct diag *diag)
{
	diag_error(diag, mem_path_place(backend), "unable to map backing store for guest RAM: %s",
		   reason);
	return ERR_INVAL;
}

static enum status check_permission(struct backend *backend, const struct image *image,
				    struct diag *diag)
{
	unsigned need = backend->readonly ? MODE_READ : MODE_READ | MODE_WRITE;

	if ((image->mode & need) == need)
		return OK;
	(void)fail_open(backend, "Permission denied", diag);
	if (!backend->readonly && !backend->share && (image->mode & MODE_READ))
		diag_hint(diag, "Consider opening the backing store read-only but still creating "
				"writable RAM using '-object memory-backend-file,readonly=on,"
				"rom=off...' (see \"VM templating\" documentation)");
	return ERR_INVAL;
}

static enum status create_file(struct backend *backend, struct diag *diag, struct opened *opened)
{
	enum image_error error = IMAGE_NOT_FOUND;

	if (!backend->readonly)
		error = image_create(opened->images, backend->mem_path, &opened->image);
	if (error == IMAGE_OK) {
		opened->created = true;
		return OK;
	}
	(void)fail_open(backend, image_error_text(error), diag);
	if (error == IMAGE_NOT_FOUND)
		suggest_file(opened->images->first, backend->mem_path, diag);
	return ERR_INVAL;
}

/* Unnamed memory in a directory, which is NULL if only paths imply it. */
static enum status open_directory(struct backend *backend, const struct image *directory,
				  struct diag *diag)
{
	if (backend->readonly)
		return fail_open(backend, "Is a directory", diag);
	if (directory != NULL && (directory->mode & MODE_ENTER) != MODE_ENTER)
		return fail_open(backend, "Permission denied", diag);
	return OK;
}

static enum status open_file(struct backend *backend, struct diag *diag, struct opened *opened)
{
	struct image *image = NULL;
	enum image_error error = image_lookup(opened->images->first, backend->mem_path, &image);

	if (error == IMAGE_NOT_FOUND)
		return create_file(backend, diag, opened);
	if (error != IMAGE_OK)
		return fail_open(backend, image_error_text(error), diag);
	if (image == NULL || image->type == IMAGE_DIRECTORY)
		return open_directory(backend, image, diag);
	TRY(check_permission(backend, image, diag));
	opened->image = image;
	return OK;
}

/* The memory's name in messages is this and the id. */
static const char *name_prefix(const struct backend *backend)
{
	return backend->canonical_name ? "/objects/" : "";
}

static enum status report_too_small(struct backend *backend, uint64_t file_size, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, "size"),
		   "%s%s backing store size 0x%lx is too small for 'size' option 0x%lx plus "
		   "'offset' option 0x%lx",
		   name_prefix(backend), backend->id, file_size, align_up(backend->size, PAGE_SIZE),
		   backend->offset);
	return ERR_INVAL;
}

/*
 * The sum wraps at 2^64, as in QEMU; check_map() refuses what slips through. Unlike QEMU, refuse an
 * empty file that cannot grow: QEMU dies when the guest touches that memory.
 */
static enum status check_file_size(struct backend *backend, const struct image *image,
				   struct diag *diag)
{
	uint64_t need = backend->offset + align_up(backend->size, PAGE_SIZE);

	if (image == NULL || image->type != IMAGE_FILE || image->size >= need)
		return OK;
	if (image->size == 0 && !backend->readonly)
		return OK;
	return report_too_small(backend, image->size, diag);
}

static enum status check_alignment(struct backend *backend, struct diag *diag)
{
	uint64_t align = backend->align, offset = backend->offset;

	if (!is_aligned(align, PAGE_SIZE)) {
		diag_error(diag, backend_option_place(backend, "align"),
			   "alignment 0x%lx must be multiples of page size 0x%lx", align,
			   PAGE_SIZE);
		return ERR_INVAL;
	}
	if ((align & (align - 1)) != 0) {
		diag_error(diag, backend_option_place(backend, "align"),
			   "alignment 0x%lx must be a power of two", align);
		return ERR_INVAL;
	}
	if (!is_aligned(offset, PAGE_SIZE)) {
		diag_error(diag, backend_option_place(backend, "offset"),
			   "offset 0x%lx must be multiples of page size 0x%lx", offset, PAGE_SIZE);
		return ERR_INVAL;
	}
	return OK;
}

static enum status check_map(struct backend *backend, const struct image *image, struct diag *diag)
{
	uint64_t end;

	if (__builtin_add_overflow(backend->offset, backend->size, &end) || end > INT64_MAX)
		return fail_map(backend, "Value too large for defined data type", diag);
	if (backend->align > ALIGN_MAX)
		return fail_map(backend, "Cannot allocate memory", diag);
	if (image != NULL && image->type == IMAGE_SPECIAL)
		return fail_map(backend, "No such device", diag);
	if ((image == NULL || image->size == 0) && end > frame_total() * PAGE_SIZE)
		return fail_map(backend, "Cannot allocate memory", diag);
	return OK;
}

static enum status check_whole_pages(struct backend *backend, struct diag *diag)
{
	if (is_aligned(backend->size, PAGE_SIZE))
		return OK;
	diag_error(diag, backend_option_place(backend, "size"),
		   "backend '%s' memory size must be multiple of 4 KiB",
		   backend_type_name(backend->type));
	return ERR_INVAL;
}

static enum status check_policy(struct backend *backend, struct diag *diag)
{
	static const char *const names[] = {"default", "preferred", "bind", "interleave"};

	if (backend->has_host_nodes && backend->policy == POLICY_DEFAULT) {
		diag_error(diag, backend_option_place(backend, "host-nodes"),
			   "host-nodes must be empty for policy default, or you should explicitly "
			   "specify a policy other than default");
		return ERR_INVAL;
	}
	if (!backend->has_host_nodes && backend->policy != POLICY_DEFAULT) {
		diag_error(diag, backend_option_place(backend, "policy"),
			   "host-nodes must be set for policy %s", names[backend->policy]);
		return ERR_INVAL;
	}
	if (backend->has_host_nodes && !numa_nodes_exist(backend->host_nodes)) {
		diag_error(diag, backend_option_place(backend, "host-nodes"),
			   "cannot bind memory to host NUMA nodes: Invalid argument");
		return ERR_INVAL;
	}
	return OK;
}

/*
 * Refuse prealloc=on for ROM: QEMU dies because it writes to each page, and there is nothing to
 * allocate.
 */
static enum status check_prealloc(struct backend *backend, struct diag *diag)
{
	if (!backend->prealloc || backend->kind != MEM_ROM)
		return OK;
	diag_error(diag, backend_option_place(backend, "prealloc"),
		   "'prealloc=on' is not supported with ROM: its pages are the backing store's");
	diag_hint(diag, "Use 'prealloc=off', or 'rom=off' for private memory that begins as the "
			"backing store.");
	return ERR_INVAL;
}

static enum status fail_ram(struct backend *backend, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, "size"),
		   "cannot set up guest memory '%s%s': Cannot allocate memory",
		   name_prefix(backend), backend->id);
	diag_advice(diag, "it takes %lu KiB, this machine has %lu KiB", backend->size / KIB(1),
		    frame_total() * PAGE_SIZE / KIB(1));
	return ERR_INVAL;
}

/*
 * Judge each mapping alone, as Linux does by default: refuse what can never fit, except with
 * reserve=off, and allocate the rest on demand.
 */
static bool can_reserve(const struct backend *backend)
{
	uint64_t max = backend->reserve || backend->share ? frame_total() * PAGE_SIZE : ADDRESS_MAX;

	return backend->size <= max;
}

static enum status open_ram(struct backend *backend, struct image_list *images, struct diag *diag)
{
	struct frame_policy policy = backend_frame_policy(backend);

	if (!can_reserve(backend))
		return fail_ram(backend, diag);
	TRY(check_policy(backend, diag));
	if (!backend->share)
		return OK;
	backend->image =
		image_create_anonymous(images, align_up(backend->size, PAGE_SIZE), &policy);
	return backend->image != NULL ? OK : fail_ram(backend, diag);
}

/* Give an empty file its bytes. This comes last, so that nothing after it can fail. */
static enum status grow_file(struct backend *backend, struct diag *diag, struct opened *opened)
{
	struct frame_policy policy = backend_frame_policy(backend);
	uint64_t size = align_up(backend->offset + backend->size, PAGE_SIZE);

	if (opened->image->size > 0)
		return OK;
	if (image_grow(opened->images, opened->image, size, &policy) != OK)
		return fail_map(backend, "Cannot allocate memory", diag);
	return OK;
}

/* Unnamed memory in a directory. Only shared memory needs an image that all backends see. */
static enum status make_unnamed(struct backend *backend, struct diag *diag, struct opened *opened)
{
	struct frame_policy policy = backend_frame_policy(backend);
	uint64_t size = align_up(backend->offset + backend->size, PAGE_SIZE);

	if (backend->kind != MEM_SHARED)
		return OK;
	opened->image = image_create_anonymous(opened->images, size, &policy);
	if (opened->image == NULL)
		return fail_map(backend, "Cannot allocate memory", diag);
	return OK;
}

/* Move the file to where the object wants it. When VMs run, one of them may use it where it is. */
static void place_file(struct backend *backend, struct diag *diag, const struct opened *opened)
{
	struct frame_policy policy = backend_frame_policy(backend);
	bool has_align = backend->align > PAGE_SIZE && backend->align <= IMAGE_ALIGN_MAX;

	if (opened->images->later == NULL)
		image_place(opened->image, backend->offset, has_align ? backend->align : PAGE_SIZE,
			    &policy);
	if (!image_is_on(opened->image, &policy))
		diag_warning(diag, backend_option_place(backend, "host-nodes"),
			     "the file of memory object '%s' stays on another node: %s",
			     backend->id,
			     opened->images->later == NULL ? "it does not fit on these nodes"
							   : "files move only at the start");
}

static enum status map_file(struct backend *backend, struct diag *diag, struct opened *opened)
{
	TRY(check_file_size(backend, opened->image, diag));
	TRY(check_alignment(backend, diag));
	TRY(check_map(backend, opened->image, diag));
	TRY(check_whole_pages(backend, diag));
	TRY(check_policy(backend, diag));
	TRY(check_prealloc(backend, diag));
	if (opened->image == NULL)
		return make_unnamed(backend, diag, opened);
	TRY(grow_file(backend, diag, opened));
	if (image_align(opened->images, opened->image) != OK)
		return fail_map(backend, "Cannot allocate memory", diag);
	if (opened->image->size > 0)
		place_file(backend, diag, opened);
	return OK;
}

static enum status open_backing_store(struct backend *backend, struct image_list *images,
				      struct diag *diag)
{
	struct opened opened = {.images = images};
	enum status status = open_file(backend, diag, &opened);

	if (status == OK)
		status = map_file(backend, diag, &opened);
	if (status == OK)
		backend->image = opened.image;
	else if (opened.created)
		image_remove(images, opened.image);
	return status;
}

enum status backend_open(struct backend *backend, struct image_list *images, struct diag *diag)
{
	enum status status;

	if (backend->broken)
		return ERR_INVAL;
	if (backend->type == BACKEND_RAM)
		status = open_ram(backend, images, diag);
	else
		status = open_backing_store(backend, images, diag);
	backend->broken = status != OK;
	if (status == OK && backend->kind == MEM_SHARED)
		backend->image->is_written = true;
	return status;
}
