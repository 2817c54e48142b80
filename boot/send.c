/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run's files to the server. The archive is made in memory first: a server must be told its
 * length, and a transfer that fails is repeated.
 */
#include "boot/send.h"

#include <efilib.h>

#include "boot/archive.h"
#include "boot/firmware.h"
#include "boot/ramdisk_parts.h"
#include "boot/transfer.h"

#define N_TRIES	 3
#define PAUSE_US 5000000

/* A place in memory for the archive; NULL: its bytes are only counted. */
struct memory {
	struct archive_sink sink;
	char *end;
};

static EFI_STATUS append(struct archive_sink *sink, const void *data, uint64_t size)
{
	struct memory *memory = (struct memory *)sink;

	if (memory->end != NULL) {
		CopyMem(memory->end, (void *)data, size);
		memory->end += size;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS make_archive(const struct parcel *parcel, const struct parcel_file *table,
			       void **ret, uint64_t *ret_size)
{
	struct memory memory = {.sink = {append}};
	EFI_STATUS status = archive_write(parcel, table, &memory.sink, ret_size);

	if (!EFI_ERROR(status))
		status = firmware_alloc(L"the last run's files", *ret_size, ret);
	if (EFI_ERROR(status))
		return status;
	memory.end = *ret;
	status = archive_write(parcel, table, &memory.sink, ret_size);
	if (EFI_ERROR(status))
		firmware_free(*ret);
	return status;
}

static EFI_STATUS find_name(const struct net *net, char ret_url[URL_SIZE])
{
	char name[URL_OWN_SIZE + RAMDISK_PART_NAME_SIZE];
	UINTN folder_len = strlena((const CHAR8 *)net->own_folder);
	EFI_STATUS status = EFI_SUCCESS;
	uint64_t size;

	CopyMem(name, (void *)net->own_folder, folder_len);
	for (unsigned i = 0; i < RAMDISK_PARTS_MAX && !EFI_ERROR(status); i++) {
		ramdisk_part_name("handover", i, name + folder_len);
		if (!url_join(&net->url, name, ret_url))
			return firmware_fail(EFI_INVALID_PARAMETER,
					     L"%a: the URL of host -fetch is too long",
					     net->url.folder);
		status = transfer_measure(net, ret_url, &size);
	}
	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(status))
		return status;
	return firmware_fail(EFI_VOLUME_FULL, L"%a: this and all names before it are taken",
			     ret_url);
}

static EFI_STATUS send_archive(const struct net *net, struct boot_info *info, void *archive,
			       uint64_t size)
{
	char url[URL_SIZE];
	EFI_STATUS status = find_name(net, url);

	if (!EFI_ERROR(status))
		status = transfer_write(net, url, archive, size);
	if (!EFI_ERROR(status))
		firmware_say(info, L"%a is written: %ld bytes", url, size);
	return status;
}

EFI_STATUS send_files(const struct net *net, struct boot_info *info, const struct parcel *parcel,
		      const struct parcel_file *table)
{
	EFI_STATUS status;
	uint64_t size;
	void *archive;

	firmware_say(info, L"sending the last run's files to %a%a", net->url.folder,
		     net->own_folder);
	status = make_archive(parcel, table, &archive, &size);
	if (EFI_ERROR(status))
		return status;
	status = send_archive(net, info, archive, size);
	for (unsigned i = 1; i < N_TRIES && EFI_ERROR(status); i++) {
		firmware->BootServices->Stall(PAUSE_US);
		status = send_archive(net, info, archive, size);
	}
	firmware_free(archive);
	return status;
}
