/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the volume that the image was started from, by the firmware's file functions. Files are
 * read in large pieces, because a firmware's cost is mostly a cost per call.
 */
#include "boot/volume.h"

#include <efilib.h>

#include "boot/firmware.h"

#define CHUNK	 (UINT64_C(16) << 20)
#define FOLDER	 L"\\stencil\\"
#define PATH_MAX 64 /* with its NUL */

static EFI_STATUS open_root(EFI_HANDLE device, EFI_FILE_HANDLE *ret_root)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_FILE_IO_INTERFACE *volume;
	void *protocol;
	EFI_STATUS status;

	if (device == NULL)
		return EFI_NOT_FOUND;
	status = firmware->BootServices->HandleProtocol(device, &guid, &protocol);
	if (EFI_ERROR(status))
		return status;
	volume = protocol;
	return volume->OpenVolume(volume, ret_root);
}

static void make_path(const char *name, CHAR16 path[PATH_MAX])
{
	UINTN at = StrLen(FOLDER);

	StrCpy(path, FOLDER);
	while (*name != '\0' && at < PATH_MAX - 1)
		path[at++] = (CHAR16)*name++;
	path[at] = L'\0';
}

/* Seek to the end, which gives the size without a buffer. */
static EFI_STATUS measure_size(EFI_FILE_HANDLE file, uint64_t *ret_size)
{
	EFI_STATUS status = file->SetPosition(file, UINT64_MAX);

	if (!EFI_ERROR(status))
		status = file->GetPosition(file, ret_size);
	if (!EFI_ERROR(status))
		status = file->SetPosition(file, 0);
	return status;
}

EFI_STATUS volume_open(EFI_HANDLE device, const char *name, EFI_FILE_HANDLE *ret,
		       uint64_t *ret_size)
{
	EFI_FILE_HANDLE root, file;
	CHAR16 path[PATH_MAX];
	EFI_STATUS status = open_root(device, &root);

	if (EFI_ERROR(status))
		return status;
	make_path(name, path);
	status = root->Open(root, &file, path, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (EFI_ERROR(status))
		return status;
	status = measure_size(file, ret_size);
	if (EFI_ERROR(status))
		file->Close(file);
	else
		*ret = file;
	return status;
}

EFI_STATUS volume_read(EFI_FILE_HANDLE file, char *buffer, uint64_t size)
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
