/* SPDX-License-Identifier: BSD-2-Clause */
/* -bios: firmware for a processor that starts as after a reset. See also firmware.c. */
#include "hv/config/vm_bios.h"

#include "hv/backends/suggest.h"
#include "hv/config/vm_files.h"
#include "hv/config/vm_reader.h"
#include "hv/lib/string.h"
#include "hv/loader/bios.h"

/* NULL: it can be started. */
static const char *why_not(const struct vm_reader *reader)
{
	if (reader->plain != NULL)
		return "-bios and cpu-num of -device loader exclude each other";
	return NULL;
}

/* Firmware starts, and its option ROM finds the kernel in fw_cfg. */
static void hand_kernel_over(struct vm_config *vm)
{
	vm->firmware_kernel = (struct firmware_kernel){
		.kernel = vm->kernel,
		.initrd = vm->initrd,
		.append = vm->append,
		.kernel_place = vm->kernel_place,
		.initrd_place = vm->initrd_place,
	};
	vm->initrd = vm->append = NULL;
}

void vm_resolve_bios(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	const char *why;

	if (reader->bios == NULL) {
		if (vm->option_roms != NULL)
			diag_error(reader->diag, vm->option_roms->place,
				   "-option-rom needs -bios: only firmware starts option ROMs");
		return;
	}
	why = why_not(reader);
	if (why != NULL) {
		diag_error(reader->diag, word_place(reader->bios, 0), "%s", why);
		return;
	}
	hand_kernel_over(vm);
	vm->kernel = reader->bios->text;
	vm->kernel_place = word_place(reader->bios, 0);
	vm->kernel_kind = LOADER_BIOS;
}

static void fail(const struct vm_config *vm, const char *why, struct diag *diag)
{
	diag_error(diag, vm->kernel_place, "could not load PC BIOS '%s': %s", vm->kernel, why);
}

static const char *check_size(uint64_t size)
{
	if (size == 0 || !is_aligned(size, BIOS_ALIGN))
		return "its size is not a multiple of 64 KiB";
	return size <= BIOS_MAX ? NULL : "it is larger than 16 MiB";
}

void vm_open_bios(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	struct image *image = NULL;
	const char *why;

	if (vm->kernel_kind != LOADER_BIOS)
		return;
	why = vm_find_file(images, vm->kernel, &image);
	if (why != NULL)
		return; /* vm_open_kernel() reports it */
	why = check_size(image->size);
	if (why == NULL && image_align(images, image) != OK)
		why = image_error_text(IMAGE_NO_MEMORY);
	if (why != NULL) {
		fail(vm, why, diag);
		return;
	}
	vm->bios = (struct backend){
		.id = "bios",
		.type = BACKEND_FILE,
		.mem_path = vm->kernel,
		.size = image->size,
		.kind = MEM_COW,
		.image = image,
		.merge = vm->mem_merge,
		.dump = vm->dump_guest_core,
		.readonly = true,
		.place = vm->kernel_place,
	};
}
