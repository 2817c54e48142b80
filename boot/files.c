/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads configuration and ramdisk into memory that the hypervisor keeps. A section of the image
 * replaces the file of the volume, for each of the two separately: an image with a .config
 * section still reads the ramdisk's file. Files are read in large pieces, because a firmware's
 * cost is mostly a cost per call. The contents are not checked.
 */
#include "boot/files.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/pe.h"

#define PAGE		UINT64_C(4096)
#define SIZE_2MIB	(UINT64_C(1) << 21)
#define CHUNK		(UINT64_C(16) << 20)
#define MAX_CONFIG_SIZE (UINT64_C(1) << 20)
#define CONFIG_PATH	L"\\stencil\\stencil.conf"
#define RAMDISK_PATH	L"\\stencil\\ramdisk.cpio"

/* A file of the volume, or a section of the image. */
struct source {
	const CHAR16 *path; /* for messages */
	EFI_FILE_HANDLE file;
	const char *section; /* NULL: a file */
	uint64_t size;
	uint64_t io_tsc; /* ticks spent in the firmware's file functions */
};

static bool find_section(const EFI_LOADED_IMAGE *image, const char *name, struct source *ret)
{
	uint64_t offset;

	if (!pe_find_section(image->ImageBase, image->ImageSize, name, &offset, &ret->size))
		return false;
	ret->path = L"the section embedded in this image";
	ret->section = (const char *)image->ImageBase + offset;
	return true;
}

static EFI_STATUS volume_open(EFI_HANDLE device, EFI_FILE_HANDLE *ret_root)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_FILE_IO_INTERFACE *volume;
	void *protocol;
	EFI_STATUS status = firmware->BootServices->HandleProtocol(device, &guid, &protocol);

	if (EFI_ERROR(status))
		return status;
	volume = protocol;
	return volume->OpenVolume(volume, ret_root);
}

/* Open the file and seek to its end, which gives the size without a buffer. */
static EFI_STATUS file_open(EFI_HANDLE device, struct source *ret)
{
	EFI_FILE_HANDLE root, file;
	EFI_STATUS status = volume_open(device, &root);

	if (EFI_ERROR(status))
		return status;
	status = root->Open(root, &file, (CHAR16 *)ret->path, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (EFI_ERROR(status))
		return status;
	status = file->SetPosition(file, UINT64_MAX);
	if (!EFI_ERROR(status))
		status = file->GetPosition(file, &ret->size);
	if (!EFI_ERROR(status))
		status = file->SetPosition(file, 0);
	if (EFI_ERROR(status))
		file->Close(file);
	else
		ret->file = file;
	return status;
}

static EFI_STATUS source_open(EFI_LOADED_IMAGE *image, const char *section, struct source *ret)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	EFI_STATUS status;

	if (find_section(image, section, ret))
		return EFI_SUCCESS;
	status = file_open(image->DeviceHandle, ret);
	ret->io_tsc += __builtin_ia32_rdtsc() - begin;
	return status;
}

static EFI_STATUS file_read(EFI_FILE_HANDLE file, char *buffer, uint64_t size)
{
	while (size > 0) {
		UINTN n = size < CHUNK ? size : CHUNK;
		EFI_STATUS status = file->Read(file, &n, buffer);

		if (EFI_ERROR(status))
			return status;
		if (n == 0)
			return EFI_END_OF_FILE;
		buffer += n;
		size -= n;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS source_read(struct source *source, void *buffer)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	EFI_STATUS status;

	if (source->section) {
		firmware->BootServices->CopyMem(buffer, (void *)source->section, source->size);
		return EFI_SUCCESS;
	}
	status = file_read(source->file, buffer, source->size);
	source->io_tsc += __builtin_ia32_rdtsc() - begin;
	if (EFI_ERROR(status))
		return firmware_fail(status, L"cannot read %s", source->path);
	return EFI_SUCCESS;
}

static void source_close(const struct source *source)
{
	if (source->file)
		source->file->Close(source->file);
}

/* objcopy pads a section with zeros, which text does not contain. */
static uint64_t trim_zeros(const char *text, uint64_t len)
{
	while (len > 0 && text[len - 1] == '\0')
		len--;
	return len;
}

static EFI_STATUS config_read(struct source *source, struct boot_info *info)
{
	EFI_STATUS status;
	void *buffer;
	char *text;

	if (source->size > MAX_CONFIG_SIZE)
		return firmware_fail(EFI_BAD_BUFFER_SIZE, L"%s has %ld bytes, the limit is %ld",
				     source->path, source->size, MAX_CONFIG_SIZE);
	status = firmware_alloc(L"the configuration", source->size + 1, &buffer);
	if (EFI_ERROR(status))
		return status;
	status = source_read(source, buffer);
	if (EFI_ERROR(status))
		return status;
	text = buffer;
	info->config_len = source->section ? trim_zeros(text, source->size) : source->size;
	text[info->config_len] = '\0';
	info->config = text;
	return EFI_SUCCESS;
}

static EFI_STATUS config_load(EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	struct source source = {.path = CONFIG_PATH};
	EFI_STATUS status = source_open(image, ".config", &source);

	if (EFI_ERROR(status))
		return firmware_fail(status,
				     L"cannot open the configuration %s on the volume this was "
				     L"started from; put it there, or into a section .config",
				     source.path);
	status = config_read(&source, info);
	source_close(&source);
	info->firmware_io_tsc += source.io_tsc;
	return status;
}

static EFI_STATUS ramdisk_read(struct source *source, struct boot_info *info)
{
	uint64_t capacity = (source->size + SIZE_2MIB - 1) & -SIZE_2MIB;
	EFI_STATUS status;
	void *buffer;

	if (source->size > UINT64_MAX / 2)
		return firmware_fail(EFI_BAD_BUFFER_SIZE, L"%s has an impossible size",
				     source->path);
	status = firmware_alloc_2mib(source->path, capacity, &buffer);
	if (EFI_ERROR(status))
		return status;
	status = source_read(source, buffer);
	if (EFI_ERROR(status))
		return status;
	info->ramdisk = (uintptr_t)buffer;
	info->ramdisk_len = source->size;
	info->ramdisk_capacity = capacity;
	return EFI_SUCCESS;
}

/* A section on whole pages stays in place, if the rest of its last page is ours. */
static bool ramdisk_stays(const EFI_LOADED_IMAGE *image, const struct source *source)
{
	uint64_t start = (uintptr_t)source->section;
	uint64_t image_end = (uintptr_t)image->ImageBase + image->ImageSize;

	return start % PAGE == 0 && -source->size % PAGE <= image_end - start - source->size;
}

static EFI_STATUS ramdisk_load(EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	struct source source = {.path = RAMDISK_PATH};
	EFI_STATUS status = source_open(image, ".ramdisk", &source);

	info->firmware_io_tsc += source.io_tsc;
	/* Whether there is no file, or no volume. */
	if (status == EFI_NOT_FOUND || status == EFI_UNSUPPORTED)
		return EFI_SUCCESS;
	if (EFI_ERROR(status))
		return firmware_fail(status, L"cannot open the ramdisk %s", source.path);
	source.io_tsc = 0;
	if (source.size == 0) {
		status = EFI_SUCCESS;
	} else if (source.section && ramdisk_stays(image, &source)) {
		info->ramdisk = (uintptr_t)source.section;
		info->ramdisk_len = source.size;
		info->ramdisk_capacity = (source.size + PAGE - 1) & -PAGE;
	} else {
		status = ramdisk_read(&source, info);
	}
	source_close(&source);
	info->firmware_io_tsc += source.io_tsc;
	return status;
}

EFI_STATUS files_load(EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	EFI_STATUS status = config_load(image, info);

	return EFI_ERROR(status) ? status : ramdisk_load(image, info);
}
