/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU checks when it opens and maps a backing file, in its order. The ramdisk
 * stands for the file system and we for an ordinary user who owns all of it: the owner's
 * permission bits count. Nothing is created or grown in this version.
 */
#include "hv/backends/backend.h"

#include "hv/backends/backend_text.h"
#include "hv/frame.h"

/* The largest alignment that a host address can have: half of Linux's 47 bits. */
#define ALIGN_MAX BIT(46)

#define MODE_READ  0400U
#define MODE_WRITE 0200U

/* How the open went; QEMU's later checks come before our own refusals. */
struct opened {
	struct image *image; /* NULL: there is none yet */
	const char *refusal; /* QEMU goes on where we do not */
};

static enum status fail_open(const struct backend *backend, const char *reason, struct diag *diag)
{
	diag_error(diag, backend->mem_path_place, "can't open backing store %s for guest RAM: %s",
		   backend->mem_path, reason);
	return ERR_INVAL;
}

static enum status fail_map(const struct backend *backend, const char *reason, struct diag *diag)
{
	diag_error(diag, backend->mem_path_place, "unable to map backing store for guest RAM: %s",
		   reason);
	return ERR_INVAL;
}

static enum status check_permission(const struct backend *backend, const struct image *image,
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

static enum status open_missing(const struct backend *backend, struct image *images,
				struct diag *diag, struct opened *ret)
{
	enum image_error error = image_lookup_parent(images, backend->mem_path);

	if (backend->readonly || error != IMAGE_OK)
		return fail_open(backend,
				 image_error_text(error != IMAGE_OK ? error : IMAGE_NOT_FOUND),
				 diag);
	ret->refusal = "creating the backing store is not supported yet";
	return OK;
}

static enum status open_file(const struct backend *backend, struct image *images, struct diag *diag,
			     struct opened *ret)
{
	struct image *image = NULL;
	enum image_error error = image_lookup(images, backend->mem_path, &image);

	*ret = (struct opened){0};
	if (error == IMAGE_NOT_FOUND)
		return open_missing(backend, images, diag, ret);
	if (error != IMAGE_OK)
		return fail_open(backend, image_error_text(error), diag);
	if (image == NULL || image->type == IMAGE_DIRECTORY) {
		if (backend->readonly)
			return fail_open(backend, "Is a directory", diag);
		ret->refusal = "a directory as backing store is not supported yet";
		return OK;
	}
	TRY(check_permission(backend, image, diag));
	if (image->size == 0 && !backend->readonly)
		ret->refusal = "growing an empty backing store is not supported yet";
	ret->image = image;
	return OK;
}

static enum status say_too_small(struct backend *backend, uint64_t file_size, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, "size"),
		   "%s backing store size 0x%llx is too small for 'size' option 0x%llx plus "
		   "'offset' option 0x%llx",
		   backend->id, (unsigned long long)file_size,
		   (unsigned long long)align_up(backend->size, PAGE_SIZE),
		   (unsigned long long)backend->offset);
	return ERR_INVAL;
}

/* QEMU computes modulo 2^64 here; check_map() finds what slips through. */
static enum status check_file_size(struct backend *backend, const struct image *image,
				   struct diag *diag)
{
	uint64_t need = backend->offset + align_up(backend->size, PAGE_SIZE);

	if (image == NULL || image->size == 0 || image->size >= need)
		return OK;
	return say_too_small(backend, image->size, diag);
}

static enum status check_alignment(struct backend *backend, struct diag *diag)
{
	unsigned long long align = backend->align, offset = backend->offset;

	if (!is_aligned(align, PAGE_SIZE)) {
		diag_error(diag, backend_option_place(backend, "align"),
			   "alignment 0x%llx must be multiples of page size 0x%llx", align,
			   (unsigned long long)PAGE_SIZE);
		return ERR_INVAL;
	}
	if ((align & (align - 1)) != 0) {
		diag_error(diag, backend_option_place(backend, "align"),
			   "alignment 0x%llx must be a power of two", align);
		return ERR_INVAL;
	}
	if (!is_aligned(offset, PAGE_SIZE)) {
		diag_error(diag, backend_option_place(backend, "offset"),
			   "offset 0x%llx must be multiples of page size 0x%llx", offset,
			   (unsigned long long)PAGE_SIZE);
		return ERR_INVAL;
	}
	return OK;
}

static enum status check_map(const struct backend *backend, const struct image *image,
			     struct diag *diag)
{
	uint64_t end;

	if (__builtin_add_overflow(backend->offset, backend->size, &end) || end > INT64_MAX)
		return fail_map(backend, "Value too large for defined data type", diag);
	if (backend->align > ALIGN_MAX)
		return fail_map(backend, "Cannot allocate memory", diag);
	if (image != NULL && image->type == IMAGE_SPECIAL)
		return fail_map(backend, "No such device", diag);
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
	return OK;
}

/* Everything that QEMU would accept and this version does not. */
static enum status refuse_unsupported(struct backend *backend, struct diag *diag)
{
	enum status status = OK;

	for (const struct option *o = backend->options.first; o != NULL; o = o->next) {
		if (!o->refused)
			continue;
		diag_error(diag, option_key_place(&backend->options, o),
			   "option '%s' of %s is not supported yet", o->key,
			   backend_type_name(backend->type));
		status = ERR_INVAL;
	}
	return status;
}

/* Linux refuses what can never fit, and hands out the rest on demand; so do we. */
static enum status open_ram(struct backend *backend, struct diag *diag)
{
	if (backend->size > frame_total() * PAGE_SIZE) {
		diag_error(diag, backend_option_place(backend, "size"),
			   "cannot set up guest memory '%s': Cannot allocate memory", backend->id);
		return ERR_INVAL;
	}
	TRY(check_policy(backend, diag));
	return refuse_unsupported(backend, diag);
}

static enum status open_backing_store(struct backend *backend, struct image *images,
				      struct diag *diag)
{
	struct opened opened;

	TRY(open_file(backend, images, diag, &opened));
	TRY(check_file_size(backend, opened.image, diag));
	TRY(check_alignment(backend, diag));
	TRY(check_map(backend, opened.image, diag));
	TRY(check_whole_pages(backend, diag));
	TRY(check_policy(backend, diag));
	TRY(refuse_unsupported(backend, diag));
	if (opened.refusal != NULL) {
		diag_error(diag, backend->mem_path_place, "%s: %s", backend->mem_path,
			   opened.refusal);
		return ERR_INVAL;
	}
	if (opened.image->size == 0) /* QEMU accepts it, and dies when the guest touches it */
		return say_too_small(backend, 0, diag);
	if (image_align(opened.image) != OK)
		return fail_map(backend, "Cannot allocate memory", diag);
	backend->image = opened.image;
	return OK;
}

enum status backend_open(struct backend *backend, struct image *images, struct diag *diag)
{
	enum status status;

	if (backend->broken)
		return ERR_INVAL;
	if (backend->type == BACKEND_RAM)
		status = open_ram(backend, diag);
	else
		status = open_backing_store(backend, images, diag);
	backend->broken = status != OK;
	return status;
}
