/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of -kernel and -initrd, looked up in the ramdisk before any VM starts. The loader
 * judges what is in them; here the kernel only decides whether -initrd is one file or a list of
 * modules.
 */
#include "hv/config/vm_files.h"

#include "hv/backends/suggest.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"

#define MODE_READ 0400

const char *vm_find_file(struct image_list *images, const char *path, struct image **ret)
{
	struct image *image = NULL;
	enum image_error error = image_lookup(images->first, path, &image);

	if (error != IMAGE_OK)
		return image_error_text(error);
	if (image == NULL || image->type == IMAGE_DIRECTORY)
		return image_error_text(IMAGE_IS_DIRECTORY);
	if (image->type != IMAGE_FILE)
		return "Not a regular file";
	if (!(image->mode & MODE_READ))
		return image_error_text(IMAGE_NO_PERMISSION);
	*ret = image;
	return NULL;
}

/* A search for a file of a VM. */
struct search {
	struct image_list *images;
	const char *what;	 /* for messages */
	struct diag_place place; /* of the argument that names the file */
	struct diag *diag;
};

static enum status report(const struct search *search, const char *path, const char *why)
{
	diag_error(search->diag, search->place, "could not open %s '%s': %s", search->what, path,
		   why);
	return ERR_INVAL;
}

static enum status find(const struct search *search, const char *path, struct image **ret)
{
	const char *why = vm_find_file(search->images, path, ret);

	if (why == NULL)
		return OK;
	(void)report(search, path, why);
	if (strcmp(why, image_error_text(IMAGE_NOT_FOUND)) == 0)
		suggest_file(search->images->first, path, search->diag);
	return ERR_INVAL;
}

static size_t count_modules(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* 'line' is a module's command line, whose first word names the file. */
static enum status find_module(const struct search *search, const char *line, size_t name_len,
			       struct loader_module *ret)
{
	char *name = arena_strndup(search->images->arena, line, name_len);
	struct image *image = NULL;

	if (name == NULL)
		return report(search, line, image_error_text(IMAGE_NO_MEMORY));
	TRY(find(search, name, &image));
	*ret = (struct loader_module){phys_to_virt(image->base), image->size, line};
	return OK;
}

/* The lines lie one after the other in a single copy, no longer than the list. */
static enum status find_modules(struct vm_config *vm, const struct search *search)
{
	size_t size = strlen(vm->initrd) + 1, n_max = count_modules(vm->initrd), name_len;
	struct arena *arena = search->images->arena;
	char *line = arena_alloc(arena, size);
	const char *list = vm->initrd;
	enum status status = OK;

	vm->modules = arena_alloc(arena, n_max * sizeof(*vm->modules));
	if (line == NULL || vm->modules == NULL)
		return report(search, vm->initrd, image_error_text(IMAGE_NO_MEMORY));
	while (loader_next_module(&list, line, size, &name_len) == OK) {
		struct loader_module *module = &vm->modules[vm->n_modules];
		size_t used = strlen(line) + 1;

		if (find_module(search, line, name_len, module) == OK)
			vm->n_modules++;
		else
			status = ERR_INVAL;
		line += used;
		size -= used;
	}
	return status;
}

enum status vm_open_firmware_kernel(struct vm_config *vm, struct image_list *images,
				    struct diag *diag)
{
	struct firmware_kernel *files = &vm->firmware_kernel;
	struct search search = {images, "kernel file", files->kernel_place, diag};
	struct image *kernel = NULL, *initrd = NULL;

	if (files->kernel == NULL)
		return OK;
	TRY(find(&search, files->kernel, &kernel));
	files->kernel_image = kernel;
	if (files->initrd == NULL)
		return OK;
	search.what = "initrd";
	search.place = files->initrd_place;
	TRY(find(&search, files->initrd, &initrd));
	files->initrd_image = initrd;
	return OK;
}

enum status vm_open_kernel(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	struct search search = {images, "kernel file", vm->kernel_place, diag};
	struct image *kernel = NULL, *initrd = NULL;

	if (vm->kernel == NULL)
		return OK;
	TRY(find(&search, vm->kernel, &kernel));
	vm->kernel_image = kernel;
	if (vm->initrd == NULL)
		return OK;
	search.place = vm->initrd_place;
	if (loader_takes_modules(phys_to_virt(kernel->base), kernel->size)) {
		search.what = "module";
		return find_modules(vm, &search);
	}
	search.what = "initrd";
	TRY(find(&search, vm->initrd, &initrd));
	vm->initrd_image = initrd;
	return OK;
}
