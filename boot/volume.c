/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the volume that the image was started from, by the firmware's file functions, and of the
 * disc that the volume is a part of, which is only read. Some firmware refuses to read large pieces
 * at once; smaller ones cost little.
 */
#include "boot/volume.h"

#include <efilib.h>

#include "boot/firmware.h"

#define PIECE_MAX  (UINT64_C(1) << 20)
#define PIECE_MIN  (UINT64_C(1) << 12)
#define PIECE_STEP 16 /* from a piece that was refused to the next */
#define FOLDER	   L"\\stencil\\"
#define PATH_MAX   64 /* with its NUL */

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

static EFI_STATUS open_file(EFI_HANDLE device, const char *name, struct volume_file *ret)
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
	status = measure_size(file, &ret->size);
	if (EFI_ERROR(status))
		file->Close(file);
	else
		ret->handle = file;
	return status;
}

EFI_STATUS volume_open(EFI_HANDLE device, const char *name, struct volume_file *ret)
{
	EFI_STATUS status = open_file(device, name, ret);

	/* There is no such file, or no volume. */
	if (status != EFI_NOT_FOUND && status != EFI_UNSUPPORTED)
		return status;
	status = disc_open(device, name, &ret->disc);
	if (!EFI_ERROR(status))
		ret->size = ret->disc.size;
	return status;
}

static void show_progress(const char *name, uint64_t before, uint64_t done, uint64_t size)
{
	if (before / LARGE_FILE != done / LARGE_FILE || (done == size && size > LARGE_FILE))
		firmware_show_progress(L"reading", name, done, size);
}

static EFI_STATUS read_piece(const struct volume_file *file, uint64_t at, UINTN *n, char *buffer)
{
	return file->handle ? file->handle->Read(file->handle, n, buffer)
			    : disc_read(&file->disc, at, *n, buffer);
}

static EFI_STATUS seek(const struct volume_file *file, uint64_t at)
{
	return file->handle ? file->handle->SetPosition(file->handle, at) : EFI_SUCCESS;
}

EFI_STATUS volume_read(const struct volume_file *file, const char *name, char *buffer)
{
	UINTN piece = PIECE_MAX;
	uint64_t done = 0;

	while (done < file->size) {
		UINTN n = file->size - done < piece ? file->size - done : piece;
		EFI_STATUS status = read_piece(file, done, &n, buffer + done);

		if (EFI_ERROR(status)) {
			if (piece == PIECE_MIN || EFI_ERROR(seek(file, done)))
				return status;
			piece /= PIECE_STEP;
			continue;
		}
		if (n == 0)
			return EFI_END_OF_FILE;
		show_progress(name, done, done + n, file->size);
		done += n;
	}
	return EFI_SUCCESS;
}

void volume_close(const struct volume_file *file)
{
	if (file->handle)
		file->handle->Close(file->handle);
}

EFI_STATUS volume_create(EFI_HANDLE device, const char *name, struct volume_file *ret)
{
	const UINT64 mode = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
	EFI_FILE_HANDLE root, folder;
	CHAR16 path[PATH_MAX];
	EFI_STATUS status = open_root(device, &root);

	if (EFI_ERROR(status))
		return status;
	status = root->Open(root, &folder, (CHAR16 *)L"\\stencil", mode, EFI_FILE_DIRECTORY);
	if (!EFI_ERROR(status))
		folder->Close(folder);
	make_path(name, path);
	if (!EFI_ERROR(status))
		status = root->Open(root, &ret->handle, path, mode, 0);
	root->Close(root);
	ret->size = 0;
	return status;
}

EFI_STATUS volume_append(struct volume_file *file, const void *data, uint64_t size)
{
	const char *bytes = data;

	while (size > 0) {
		UINTN n = size < PIECE_MAX ? size : PIECE_MAX;
		EFI_STATUS status = file->handle->Write(file->handle, &n, (void *)bytes);

		if (EFI_ERROR(status))
			return status;
		if (n == 0)
			return EFI_VOLUME_FULL;
		bytes += n;
		size -= n;
		file->size += n;
	}
	return EFI_SUCCESS;
}

EFI_STATUS volume_finish(const struct volume_file *file)
{
	EFI_STATUS status = file->handle->Flush(file->handle);

	file->handle->Close(file->handle);
	return status;
}

void volume_delete(const struct volume_file *file)
{
	file->handle->Delete(file->handle);
}
