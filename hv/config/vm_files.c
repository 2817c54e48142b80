/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of -kernel and -initrd, looked up in the ramdisk before any VM starts. What is in them
 * is the loader's affair, but for this: whether -initrd is one file or Multiboot's modules.
 */
#include "hv/config/vm_files.h"

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

static enum status say(struct diag *diag, struct diag_place place, const char *what,
		       const char *path, const char *why)
{
	diag_error(diag, place, "could not open %s '%s': %s", what, path, why);
	return ERR_INVAL;
}

static enum status find(struct image_list *images, const char *path, const char *what,
			struct diag_place place, struct diag *diag, struct image **ret)
{
	const char *why = vm_find_file(images, path, ret);

	return why == NULL ? OK : say(diag, place, what, path, why);
}

static size_t count_modules(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* 'line' is a module's command line, whose first word names the file. */
static enum status find_module(struct vm_config *vm, struct image_list *images, const char *line,
			       size_t name_len, struct diag *diag, struct loader_module *ret)
{
	char *name = arena_strndup(images->arena, line, name_len);
	struct image *image = NULL;

	if (name == NULL)
		return say(diag, vm->initrd_place, "module", line,
			   image_error_text(IMAGE_NO_MEMORY));
	TRY(find(images, name, "module", vm->initrd_place, diag, &image));
	*ret = (struct loader_module){phys_to_virt(image->base), image->size, line};
	return OK;
}

/* The lines lie behind each other in one copy, no longer than the list. */
static enum status find_modules(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	size_t size = strlen(vm->initrd) + 1, n_max = count_modules(vm->initrd), name_len;
	char *line = arena_alloc(images->arena, size);
	const char *list = vm->initrd;
	enum status status = OK;

	vm->modules = arena_alloc(images->arena, n_max * sizeof(*vm->modules));
	if (line == NULL || vm->modules == NULL)
		return say(diag, vm->initrd_place, "modules", vm->initrd,
			   image_error_text(IMAGE_NO_MEMORY));
	while (loader_next_module(&list, line, size, &name_len) == OK) {
		struct loader_module *module = &vm->modules[vm->n_modules];
		size_t used = strlen(line) + 1;

		if (find_module(vm, images, line, name_len, diag, module) == OK)
			vm->n_modules++;
		else
			status = ERR_INVAL;
		line += used;
		size -= used;
	}
	return status;
}

enum status vm_open_kernel(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	struct image *kernel = NULL, *initrd = NULL;

	if (vm->kernel == NULL)
		return OK;
	TRY(find(images, vm->kernel, "kernel file", vm->kernel_place, diag, &kernel));
	vm->kernel_image = kernel;
	if (vm->initrd == NULL)
		return OK;
	if (loader_takes_modules(phys_to_virt(kernel->base), kernel->size))
		return find_modules(vm, images, diag);
	TRY(find(images, vm->initrd, "initrd", vm->initrd_place, diag, &initrd));
	vm->initrd_image = initrd;
	return OK;
}
