/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration and ramdisk, wherever they lie. The contents are not looked at. */
#include "boot/source.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/pe.h"
#include "boot/transfer.h"
#include "boot/trust.h"

#define FOLDER "\\stencil\\"

_Static_assert(sizeof(SOURCE_FETCHED) - 1 + URL_OWN_SIZE + 17 <= SOURCE_NAME_SIZE, "");

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

static char *append(char *out, const char *text)
{
	while (*text != '\0')
		*out++ = *text++;
	*out = '\0';
	return out;
}

/* The path or URL of the file. False: the URL is too long. */
static bool find_place(const struct source *source, char ret[URL_SIZE])
{
	if (source->net != NULL)
		return url_join(&source->net->url, source->name + sizeof(SOURCE_FETCHED) - 1, ret);
	append(append(ret, FOLDER), source->name);
	return true;
}

/* Look for the file, unless an image that is locked to other files would refuse it. */
static EFI_STATUS find_file(struct source *source, struct boot_info *info)
{
	char place[URL_SIZE];
	EFI_STATUS status;

	if (trust_skips(source->name))
		return EFI_NOT_FOUND;
	if (!find_place(source, place))
		return firmware_fail(EFI_INVALID_PARAMETER,
				     L"%a: the URL of host -fetch is too long for %a",
				     source->net->url.folder, source->name);
	status = transfer_measure(source->net, place, &source->size);
	if (!EFI_ERROR(status))
		firmware_say(info, L"%a: %ld bytes", place, source->size);
	if (status == EFI_NOT_FOUND && trust_requires(source->name))
		return firmware_fail(EFI_SECURITY_VIOLATION,
				     L"%a: is not there, and this image is locked to it", place);
	return status;
}

EFI_STATUS source_fetch(const struct net *net, const char *folder, const char *file,
			struct source *source, struct boot_info *info)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	EFI_STATUS status;

	append(append(append(source->fetched, SOURCE_FETCHED), folder), file);
	source->name = source->fetched;
	source->net = net;
	status = find_file(source, info);
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
	return status;
}

static EFI_STATUS read_file(const struct source *source, const char *place, void *buffer)
{
	EFI_STATUS status;

	if (source->net != NULL)
		return transfer_read(source->net, place, buffer, source->size);
	status = volume_read(&source->file, source->name, buffer);
	return EFI_ERROR(status) ? firmware_fail(status, L"cannot read %a", place) : EFI_SUCCESS;
}

EFI_STATUS source_read(const struct source *source, void *buffer, struct boot_info *info)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	char place[URL_SIZE];
	struct trust_file file = {.name = source->name, .place = place};
	EFI_STATUS status;

	if (source->section) {
		firmware->BootServices->CopyMem(buffer, (void *)source->section, source->size);
		return EFI_SUCCESS;
	}
	(void)find_place(source, place); /* it was opened */
	status = read_file(source, place, buffer);
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
	return EFI_ERROR(status) ? status : trust_check(info, &file, buffer, source->size);
}

void source_close(const struct source *source)
{
	volume_close(&source->file);
}
