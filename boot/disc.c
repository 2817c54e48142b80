/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files on an ISO 9660 disc whose El Torito image, a FAT volume, holds the running image. Most
 * firmware reads the FAT volume only, although the disc's own files are what is easy to change. The
 * disc is read through the firmware's disk functions.
 */
#include "boot/disc.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/iso9660.h"

#define MAX_DIRECTORY_SIZE (UINT64_C(1) << 20)

EFI_STATUS disc_read(const struct disc_file *file, uint64_t at, uint64_t size, void *buffer)
{
	return file->disk->ReadDisk(file->disk, file->media, file->start + at, size, buffer);
}

/*
 * Cut the nodes of partition and El Torito image off; false if the path has none. There may be
 * several: a FAT volume in an El Torito image may have a partition table of its own.
 */
static bool cut_medium(EFI_DEVICE_PATH *path)
{
	while (!IsDevicePathEnd(path) && DevicePathType(path) != MEDIA_DEVICE_PATH)
		path = NextDevicePathNode(path);
	if (IsDevicePathEnd(path))
		return false;
	SetDevicePathEndNode(path);
	return true;
}

/* The handle of the device with that path. */
static EFI_STATUS find_handle(EFI_DEVICE_PATH *path, EFI_HANDLE *ret)
{
	EFI_GUID guid = EFI_DISK_IO_PROTOCOL_GUID;
	EFI_STATUS status = firmware->BootServices->LocateDevicePath(&guid, &path, ret);

	return !EFI_ERROR(status) && !IsDevicePathEnd(path) ? EFI_NOT_FOUND : status;
}

static EFI_STATUS open_disk(EFI_HANDLE handle, struct disc_file *ret)
{
	EFI_GUID disk_guid = EFI_DISK_IO_PROTOCOL_GUID, block_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
	EFI_BLOCK_IO *block;
	void *protocol;
	EFI_STATUS status = firmware->BootServices->HandleProtocol(handle, &block_guid, &protocol);

	if (EFI_ERROR(status))
		return status;
	block = protocol;
	status = firmware->BootServices->HandleProtocol(handle, &disk_guid, &protocol);
	if (EFI_ERROR(status))
		return status;
	ret->disk = protocol;
	ret->media = block->Media->MediaId;
	return EFI_SUCCESS;
}

/* The whole disk that 'device' is a part of. */
static EFI_STATUS find_disk(EFI_HANDLE device, struct disc_file *ret)
{
	EFI_DEVICE_PATH *path = device ? DevicePathFromHandle(device) : NULL;
	EFI_STATUS status = EFI_NOT_FOUND;
	EFI_HANDLE handle;

	path = path ? DuplicateDevicePath(path) : NULL;
	if (path == NULL)
		return EFI_NOT_FOUND;
	if (cut_medium(path))
		status = find_handle(path, &handle);
	FreePool(path);
	return EFI_ERROR(status) ? status : open_disk(handle, ret);
}

/* Enter the directory that 'file' is, which makes 'file' its entry of that name. */
static bool enter(struct disc_file *file, const char *name, bool directory)
{
	uint8_t sector[ISO9660_SECTOR];
	struct iso9660_extent extent;

	if (file->size > MAX_DIRECTORY_SIZE)
		return false;
	for (uint64_t at = 0; at < file->size; at += ISO9660_SECTOR) {
		if (EFI_ERROR(disc_read(file, at, ISO9660_SECTOR, sector)))
			return false;
		if (!iso9660_find(sector, name, &extent))
			continue;
		file->start = extent.start;
		file->size = extent.size;
		return extent.directory == directory;
	}
	return false;
}

EFI_STATUS disc_open(EFI_HANDLE device, const char *name, struct disc_file *ret)
{
	uint8_t sector[ISO9660_SECTOR];
	struct iso9660_extent root;

	*ret = (struct disc_file){};
	if (EFI_ERROR(find_disk(device, ret)) ||
	    EFI_ERROR(disc_read(ret, ISO9660_DESCRIPTOR_AT, sizeof(sector), sector)) ||
	    !iso9660_root(sector, &root))
		return EFI_NOT_FOUND;
	ret->start = root.start;
	ret->size = root.size;
	return enter(ret, "stencil", true) && enter(ret, name, false) ? EFI_SUCCESS : EFI_NOT_FOUND;
}
