/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads configuration and ramdisk into memory that the hypervisor keeps. A section of the image
 * replaces the files of the volume, for each of the two separately: an image with a .config
 * section still reads the ramdisk's files. Then come a server's files, if the configuration names a
 * server, and then those that earlier runs have handed over.
 */
#include "boot/files.h"

#include <efilib.h>

#include "boot/config.h"
#include "boot/deliver.h"
#include "boot/firmware.h"
#include "boot/measure.h"
#include "boot/net.h"
#include "boot/ramdisk_parts.h"
#include "boot/source.h"
#include "boot/trust.h"

#define PAGE UINT64_C(4096)

/* The sources of the ramdisk, in order. */
struct ramdisk {
	struct ramdisk_parts parts;
	struct source source[RAMDISK_PARTS_MAX];
	char name[RAMDISK_PARTS_MAX][RAMDISK_PART_NAME_SIZE];
};

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

/* The same in a folder of the server. */
static EFI_STATUS row_fetch_from(const struct net *net, const char *folder, const char *row,
				 struct ramdisk *ramdisk, struct boot_info *info)
{
	for (unsigned i = 0; ramdisk->parts.n < RAMDISK_PARTS_MAX; i++) {
		unsigned n = ramdisk->parts.n;
		char file[RAMDISK_PART_NAME_SIZE];
		EFI_STATUS status;

		ramdisk_part_name(row, i, file);
		status = source_fetch(net, folder, file, &ramdisk->source[n], info);
		if (EFI_ERROR(status))
			return status == EFI_NOT_FOUND ? EFI_SUCCESS : status;
		if (!ramdisk_parts_add(&ramdisk->parts, ramdisk->source[n].size))
			return firmware_fail(EFI_BAD_BUFFER_SIZE, L"%a: %a has an impossible size",
					     net->url.folder, file);
	}
	return EFI_SUCCESS;
}

/* All files of a row come from the same folder: they may be parts of one archive. */
static EFI_STATUS row_fetch(const struct net *net, const char *row, struct ramdisk *ramdisk,
			    struct boot_info *info)
{
	unsigned n = ramdisk->parts.n;
	EFI_STATUS status = row_fetch_from(net, net->own_folder, row, ramdisk, info);

	if (EFI_ERROR(status) || ramdisk->parts.n > n)
		return status;
	return row_fetch_from(net, "", row, ramdisk, info);
}

/*
 * The medium's files, the server's, and those of earlier runs. An image that trusts only what it
 * knows takes nothing that a run has made.
 */
static EFI_STATUS ramdisk_open(const EFI_LOADED_IMAGE *image, const struct net *net,
			       struct ramdisk *ramdisk, struct boot_info *info)
{
	EFI_STATUS status = row_open(image, "ramdisk", ".ramdisk", ramdisk, info);

	if (!EFI_ERROR(status) && net != NULL)
		status = row_fetch(net, "ramdisk", ramdisk, info);
	if (!EFI_ERROR(status) && net != NULL)
		status = row_fetch(net, "jobs", ramdisk, info);

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
		if (!EFI_ERROR(status))
			measure(info, ramdisk->source[i].name, start, ramdisk->source[i].size);
	}
	info->ramdisk = (uintptr_t)buffer;
	info->ramdisk_len = parts->len;
	return status;
}

static EFI_STATUS ramdisk_load(const EFI_LOADED_IMAGE *image, const struct net *net,
			       struct boot_info *info)
{
	static struct ramdisk ramdisk;
	const struct source *first = &ramdisk.source[0];
	EFI_STATUS status = ramdisk_open(image, net, &ramdisk, info);

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
	static struct net net;
	EFI_STATUS status;

	trust_init(image);
	deliver(image, info);
	status = config_load(image, true, info);
	if (EFI_ERROR(status))
		return status;
	status = config_server(image, &net, info);
	if (status == EFI_NOT_FOUND)
		return ramdisk_load(image, NULL, info);
	if (!EFI_ERROR(status))
		status = config_fetch(&net, info);
	return EFI_ERROR(status) ? status : ramdisk_load(image, &net, info);
}
