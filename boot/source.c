/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration and ramdisk, wherever they lie. The contents are not looked at. */
#include "boot/source.h"

#include "boot/firmware.h"
#include "boot/measure.h"
#include "boot/pe.h"
#include "boot/trust.h"

static bool find_section(const EFI_LOADED_IMAGE *image, const char *name, struct source *source)
{
	uint64_t offset;

	if (!pe_find_section(image->ImageBase, image->ImageSize, name, &offset, &source->size))
		return false;
	source->section = (const char *)image->ImageBase + offset;
	return true;
}

EFI_STATUS source_open(const EFI_LOADED_IMAGE *image, const char *section, struct source *source,
		       struct boot_info *info)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	EFI_STATUS status;

	if (section != NULL && find_section(image, section, source))
		return EFI_SUCCESS;
	status = volume_open(image->DeviceHandle, source->name, &source->file);
	source->size = source->file.size;
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
	return status;
}

EFI_STATUS source_read(const struct source *source, void *buffer, struct boot_info *info)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	EFI_STATUS status;

	if (source->section) {
		firmware->BootServices->CopyMem(buffer, (void *)source->section, source->size);
		measure(info, source->name, buffer, source->size);
		return EFI_SUCCESS;
	}
	status = volume_read(&source->file, source->name, buffer);
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
	if (EFI_ERROR(status))
		return firmware_fail(status, L"cannot read \\stencil\\%a", source->name);
	status = trust_check(info, source->name, buffer, source->size);
	if (!EFI_ERROR(status))
		measure(info, source->name, buffer, source->size);
	return status;
}

void source_close(const struct source *source)
{
	volume_close(&source->file);
}
