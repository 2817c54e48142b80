/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second half of a hand-over: files in memory to a file of the volume or of a server, by the
 * firmware's own drivers. Memory is allocated at its address before it is looked at: what the
 * firmware uses itself is refused by the firmware, and nothing overwrites what was checked. A
 * parcel is taken once.
 */
#include "boot/deliver.h"

#include <efilib.h>

#include "boot/archive.h"
#include "boot/config.h"
#include "boot/firmware.h"
#include "boot/net.h"
#include "boot/parcel.h"
#include "boot/ramdisk_parts.h"
#include "boot/send.h"
#include "boot/volume.h"

#define PAGE UINT64_C(4096)

/* The archive that is written to the disk. */
struct delivery {
	struct archive_sink sink;
	struct volume_file file;
	char name[RAMDISK_PART_NAME_SIZE];
};

static EFI_STATUS claim(uint64_t start, uint64_t size)
{
	EFI_PHYSICAL_ADDRESS address = start;

	return firmware->BootServices->AllocatePages(AllocateAddress, EfiLoaderData,
						     size / PAGE + (size % PAGE != 0), &address);
}

static void release(uint64_t start, uint64_t size)
{
	firmware->BootServices->FreePages(start, size / PAGE + (size % PAGE != 0));
}

/* Take the head out of its frame; false if there is none. */
static bool take_head(struct boot_info *info, struct parcel *ret)
{
	struct parcel *head = (struct parcel *)PARCEL_FRAME;
	bool is_sound = false, is_there;

	if (EFI_ERROR(claim(PARCEL_FRAME, PAGE)))
		return false;
	is_there = head->magic == PARCEL_MAGIC;
	if (is_there) {
		*ret = *head;
		is_sound = parcel_is_sound(head);
		head->magic = 0;
	}
	release(PARCEL_FRAME, PAGE);
	if (is_there && !is_sound)
		firmware_say(info, L"the files of the last run are lost: their list has changed");
	return is_sound;
}

/* NULL: the file is as it was; its memory is claimed. */
static const CHAR16 *claim_file(const struct parcel_file *file)
{
	if (EFI_ERROR(claim(file->start, file->size)))
		return L"the firmware uses its memory";
	if (parcel_checksum((const void *)file->start, file->size) == file->checksum)
		return NULL;
	release(file->start, file->size);
	return L"its memory has changed";
}

/* Set the size of files that are lost to 0; returns the size of the others. */
static uint64_t claim_files(struct boot_info *info, const struct parcel *parcel,
			    struct parcel_file *table)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < parcel->n_files; i++) {
		const CHAR16 *loss = claim_file(&table[i]);

		if (loss != NULL) {
			firmware_say(info, L"%a of the last run is lost: %s", table[i].name, loss);
			table[i].size = 0;
		}
		sum += table[i].size;
	}
	return sum;
}

static void release_files(const struct parcel *parcel, const struct parcel_file *table)
{
	for (uint64_t i = 0; i < parcel->n_files; i++)
		if (table[i].size > 0)
			release(table[i].start, table[i].size);
}

/* The first name that is free. */
static EFI_STATUS create(const EFI_LOADED_IMAGE *image, struct delivery *delivery)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (unsigned i = 0; i < RAMDISK_PARTS_MAX && !EFI_ERROR(status); i++) {
		struct volume_file existing = {};

		ramdisk_part_name("handover", i, delivery->name);
		status = volume_open(image->DeviceHandle, delivery->name, &existing);
		volume_close(&existing);
	}
	if (status != EFI_NOT_FOUND)
		return EFI_ERROR(status) ? status : EFI_VOLUME_FULL;
	return volume_create(image->DeviceHandle, delivery->name, &delivery->file);
}

static EFI_STATUS append(struct archive_sink *sink, const void *data, uint64_t size)
{
	return volume_append(&((struct delivery *)sink)->file, data, size);
}

/* The file exists. */
static EFI_STATUS fill(struct delivery *delivery, struct boot_info *info,
		       const struct parcel *parcel, const struct parcel_file *table)
{
	EFI_STATUS status;
	uint64_t size;

	firmware_say(info, L"writing the last run's files to \\stencil\\%a", delivery->name);
	status = archive_write(parcel, table, &delivery->sink, &size);
	if (EFI_ERROR(status)) {
		volume_delete(&delivery->file);
		return firmware_fail(status, L"cannot write the last run's files to \\stencil\\%a",
				     delivery->name);
	}
	status = volume_finish(&delivery->file);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"cannot complete \\stencil\\%a", delivery->name);
	firmware_say(info, L"\\stencil\\%a is written: %ld bytes", delivery->name, size);
	return EFI_SUCCESS;
}

static EFI_STATUS write_to_disk(const EFI_LOADED_IMAGE *image, struct boot_info *info,
				const struct parcel *parcel, const struct parcel_file *table)
{
	struct delivery delivery = {.sink = {append}};
	EFI_STATUS status = create(image, &delivery);

	if (EFI_ERROR(status))
		return firmware_fail(status,
				     L"cannot create \\stencil\\%a for the last run's files",
				     delivery.name);
	return fill(&delivery, info, parcel, table);
}

/* The server that the configuration names, if it does. */
static EFI_STATUS find_server(const EFI_LOADED_IMAGE *image, struct net *net,
			      struct boot_info *info)
{
	EFI_STATUS status = config_load(image, false, info);

	if (EFI_ERROR(status))
		return status;
	status = config_server(image, net, info);
	firmware_free((void *)info->config);
	return status;
}

/* To the server, if there is one, and to the disk if there is none, or it does not take them. */
static EFI_STATUS write_files(const EFI_LOADED_IMAGE *image, struct boot_info *info,
			      const struct parcel *parcel, const struct parcel_file *table)
{
	static struct net net;
	EFI_STATUS status = find_server(image, &net, info);

	if (!EFI_ERROR(status))
		status = send_files(&net, info, parcel, table);
	return EFI_ERROR(status) ? write_to_disk(image, info, parcel, table) : status;
}

static EFI_STATUS deliver_table(const EFI_LOADED_IMAGE *image, struct boot_info *info,
				const struct parcel *parcel, struct parcel_file *table)
{
	EFI_STATUS status = EFI_COMPROMISED_DATA;

	if (!parcel_table_is_sound(parcel, table)) {
		firmware_say(info, L"the files of the last run are lost: their table has changed");
		return status;
	}
	if (claim_files(info, parcel, table) > 0)
		status = write_files(image, info, parcel, table);
	release_files(parcel, table);
	return status;
}

/* After a failure, leave its line on the screen until it can be read. */
static void switch_off(struct boot_info *info, EFI_STATUS status)
{
	if (EFI_ERROR(status))
		firmware_wait_for_key(info, L"switch off");
	firmware->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
}

void deliver(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	uint64_t begin = __builtin_ia32_rdtsc(), size;
	EFI_STATUS status;
	struct parcel parcel;

	if (!take_head(info, &parcel))
		return;
	size = parcel.n_files * sizeof(struct parcel_file);
	status = claim(parcel.table, size);
	if (EFI_ERROR(status)) {
		firmware_say(info, L"the files of the last run are lost: the firmware uses the "
				   L"memory of their table");
	} else {
		status = deliver_table(image, info, &parcel, (struct parcel_file *)parcel.table);
		release(parcel.table, size);
	}
	if (parcel.after == PARCEL_SWITCH_OFF)
		switch_off(info, status);
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
}
