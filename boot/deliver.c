/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second half of a hand-over: files in memory to a file of the volume, by the firmware's own
 * drivers. Memory is allocated at its address before it is looked at: what the firmware uses itself
 * is refused by the firmware, and nothing overwrites what was checked. A parcel is taken once.
 */
#include "boot/deliver.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/newc.h"
#include "boot/parcel.h"
#include "boot/ramdisk_parts.h"
#include "boot/volume.h"

#define PAGE UINT64_C(4096)

/* The archive that is written. */
struct delivery {
	struct volume_file file;
	struct newc archive;
	void *zeros; /* a page of them, which the image does not hold */
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

static EFI_STATUS write(struct delivery *delivery, const void *data, uint64_t size)
{
	return volume_append(&delivery->file, data, size);
}

static EFI_STATUS write_zeros(struct delivery *delivery, uint64_t size)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (; size > PAGE && !EFI_ERROR(status); size -= PAGE)
		status = write(delivery, delivery->zeros, PAGE);
	return EFI_ERROR(status) ? status : write(delivery, delivery->zeros, size);
}

static EFI_STATUS write_file(struct delivery *delivery, const struct parcel_file *file)
{
	const char *name = file->name + 1; /* as mkramdisk writes it */
	char header[NEWC_HEADER_MAX];
	uint64_t filler = 0;
	unsigned len = newc_add_filler(&delivery->archive, name, file->size, header, &filler);
	EFI_STATUS status = write(delivery, header, len);

	if (!EFI_ERROR(status))
		status = write_zeros(delivery, filler);
	len = newc_add(&delivery->archive, name, file->size, header);
	if (!EFI_ERROR(status))
		status = write(delivery, header, len);
	if (!EFI_ERROR(status))
		status = write(delivery, (const void *)file->start, file->size);
	if (!EFI_ERROR(status))
		status = write_zeros(delivery, newc_padding(file->size));
	return status;
}

static EFI_STATUS write_archive(struct delivery *delivery, const struct parcel *parcel,
				const struct parcel_file *table)
{
	char header[NEWC_HEADER_MAX];
	EFI_STATUS status = EFI_SUCCESS;
	unsigned len;

	for (uint64_t i = 0; i < parcel->n_files && !EFI_ERROR(status); i++)
		if (table[i].size > 0)
			status = write_file(delivery, &table[i]);
	len = newc_end(&delivery->archive, header);
	if (!EFI_ERROR(status))
		status = write(delivery, header, len);
	return status;
}

/* The file exists. */
static EFI_STATUS fill(struct delivery *delivery, struct boot_info *info,
		       const struct parcel *parcel, const struct parcel_file *table)
{
	EFI_STATUS status;

	firmware_say(info, L"writing the last run's files to \\stencil\\%a", delivery->name);
	status = write_archive(delivery, parcel, table);
	if (EFI_ERROR(status)) {
		volume_delete(&delivery->file);
		return firmware_fail(status, L"cannot write the last run's files to \\stencil\\%a",
				     delivery->name);
	}
	status = volume_finish(&delivery->file);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"cannot complete \\stencil\\%a", delivery->name);
	firmware_say(info, L"\\stencil\\%a is written: %ld bytes", delivery->name,
		     delivery->archive.at);
	return EFI_SUCCESS;
}

static EFI_STATUS write_files(const EFI_LOADED_IMAGE *image, struct boot_info *info,
			      const struct parcel *parcel, const struct parcel_file *table)
{
	struct delivery delivery = {};
	EFI_STATUS status = firmware_alloc(L"zeros", PAGE, &delivery.zeros);

	if (EFI_ERROR(status))
		return status;
	ZeroMem(delivery.zeros, PAGE);
	status = create(image, &delivery);
	if (EFI_ERROR(status))
		firmware_fail(status, L"cannot create \\stencil\\%a for the last run's files",
			      delivery.name);
	else
		status = fill(&delivery, info, parcel, table);
	firmware_free(delivery.zeros);
	return status;
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
