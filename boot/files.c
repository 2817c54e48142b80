/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads configuration and ramdisk into memory that the hypervisor keeps. A section of the image
 * replaces the files of the volume, for each of the two separately: an image with a .config
 * section still reads the ramdisk's files. After the ramdisk's files come those that earlier runs
 * have handed over; once there are any, another configuration may take the first one's place.
 */
#include "boot/files.h"

#include <efilib.h>

#include "boot/deliver.h"
#include "boot/firmware.h"
#include "boot/measure.h"
#include "boot/ramdisk_parts.h"
#include "boot/source.h"
#include "boot/trust.h"

#define PAGE		UINT64_C(4096)
#define MAX_CONFIG_SIZE (UINT64_C(1) << 20)

/* The sources of the ramdisk, in order. */
struct ramdisk {
	struct ramdisk_parts parts;
	struct source source[RAMDISK_PARTS_MAX];
	char name[RAMDISK_PARTS_MAX][RAMDISK_PART_NAME_SIZE];
};

/* objcopy pads a section with zeros, which text does not contain. */
static uint64_t trim_zeros(const char *text, uint64_t len)
{
	while (len > 0 && text[len - 1] == '\0')
		len--;
	return len;
}

static EFI_STATUS config_read(const struct source *source, struct boot_info *info)
{
	EFI_STATUS status;
	void *buffer;
	char *text;

	if (source->size > MAX_CONFIG_SIZE)
		return firmware_fail(EFI_BAD_BUFFER_SIZE,
				     L"the configuration has %ld bytes, the limit is %ld",
				     source->size, MAX_CONFIG_SIZE);
	status = firmware_alloc(L"the configuration", source->size + 1, &buffer);
	if (EFI_ERROR(status))
		return status;
	status = source_read(source, buffer, info);
	if (EFI_ERROR(status))
		return status;
	text = buffer;
	info->config_len = source->section ? trim_zeros(text, source->size) : source->size;
	text[info->config_len] = '\0';
	info->config = text;
	return EFI_SUCCESS;
}

static bool exists(const EFI_LOADED_IMAGE *image, const char *name, struct boot_info *info)
{
	struct source source = {.name = name};
	EFI_STATUS status = source_open(image, NULL, &source, info);

	source_close(&source);
	return !EFI_ERROR(status);
}

static const char *config_name(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	char first[RAMDISK_PART_NAME_SIZE];

	ramdisk_part_name("handover", 0, first);
	return trust_takes_any() && exists(image, first, info) &&
			       exists(image, "handover.conf", info)
		       ? "handover.conf"
		       : "stencil.conf";
}

static EFI_STATUS config_load(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	struct source source = {.name = config_name(image, info)};
	EFI_STATUS status = source_open(image, ".config", &source, info);

	info->config_name = source.section ? "stencil.conf" : source.name;

	if (EFI_ERROR(status))
		return firmware_fail(status,
				     L"cannot open the configuration \\stencil\\%a on the volume "
				     L"this was started from; put it there, or into a section "
				     L".config",
				     source.name);
	status = config_read(&source, info);
	source_close(&source);
	return status;
}

/* Open the section, or all files of the row; the first name that is missing ends it. */
static EFI_STATUS row_open(const EFI_LOADED_IMAGE *image, const char *row, const char *section,
			   struct ramdisk *ramdisk, struct boot_info *info)
{
	for (unsigned i = 0; ramdisk->parts.n < RAMDISK_PARTS_MAX; i++) {
		unsigned n = ramdisk->parts.n;
		struct source *source = &ramdisk->source[n];
		EFI_STATUS status;

		ramdisk_part_name(row, i, ramdisk->name[n]);
		source->name = ramdisk->name[n];
		status = source_open(image, i == 0 ? section : NULL, source, info);
		if (status == EFI_NOT_FOUND && !trust_requires(source->name))
			return EFI_SUCCESS;
		if (EFI_ERROR(status))
			return firmware_fail(status, L"cannot open the ramdisk \\stencil\\%a",
					     source->name);
		if (!ramdisk_parts_add(&ramdisk->parts, source->size))
			return firmware_fail(EFI_BAD_BUFFER_SIZE,
					     L"\\stencil\\%a has an impossible size", source->name);
		if (source->section)
			return EFI_SUCCESS;
	}
	return EFI_SUCCESS;
}

/* An image that trusts only what it knows takes nothing that a run has made. */
static EFI_STATUS ramdisk_open(const EFI_LOADED_IMAGE *image, struct ramdisk *ramdisk,
			       struct boot_info *info)
{
	EFI_STATUS status = row_open(image, "ramdisk", ".ramdisk", ramdisk, info);

	if (EFI_ERROR(status) || !trust_takes_any())
		return status;
	return row_open(image, "handover", NULL, ramdisk, info);
}

/* A section on whole pages stays in place, if the rest of its last page is ours. */
static bool ramdisk_stays(const EFI_LOADED_IMAGE *image, const struct source *source)
{
	uint64_t start = (uintptr_t)source->section;
	uint64_t image_end = (uintptr_t)image->ImageBase + image->ImageSize;

	return source->section && start % PAGE == 0 &&
	       -source->size % PAGE <= image_end - start - source->size;
}

/* Read all parts to their places, with zeros between them. */
static EFI_STATUS ramdisk_read(const struct ramdisk *ramdisk, struct boot_info *info)
{
	const struct ramdisk_parts *parts = &ramdisk->parts;
	uint64_t end = 0;
	EFI_STATUS status;
	void *buffer;

	info->ramdisk_capacity =
		(parts->len + RAMDISK_PART_ALIGNMENT - 1) & -RAMDISK_PART_ALIGNMENT;
	status = firmware_alloc_2mib(L"the ramdisk", info->ramdisk_capacity, &buffer);
	for (unsigned i = 0; i < parts->n && !EFI_ERROR(status); i++) {
		char *start = (char *)buffer + parts->start[i];

		ZeroMem((char *)buffer + end, parts->start[i] - end);
		end = parts->start[i] + ramdisk->source[i].size;
		status = source_read(&ramdisk->source[i], start, info);
	}
	info->ramdisk = (uintptr_t)buffer;
	info->ramdisk_len = parts->len;
	return status;
}

static EFI_STATUS ramdisk_load(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	static struct ramdisk ramdisk;
	const struct source *first = &ramdisk.source[0];
	EFI_STATUS status = ramdisk_open(image, &ramdisk, info);

	if (!EFI_ERROR(status) && ramdisk.parts.n == 1 && ramdisk_stays(image, first)) {
		measure(info, first->name, first->section, first->size);
		info->ramdisk = (uintptr_t)first->section;
		info->ramdisk_len = first->size;
		info->ramdisk_capacity = (first->size + PAGE - 1) & -PAGE;
	} else if (!EFI_ERROR(status) && ramdisk.parts.n > 0) {
		status = ramdisk_read(&ramdisk, info);
	}
	for (unsigned i = 0; i < RAMDISK_PARTS_MAX; i++)
		source_close(&ramdisk.source[i]);
	return status;
}

EFI_STATUS files_load(EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	EFI_STATUS status;

	trust_init(image);
	deliver(image, info);
	status = config_load(image, info);
	return EFI_ERROR(status) ? status : ramdisk_load(image, info);
}
