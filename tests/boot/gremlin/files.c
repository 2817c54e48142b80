/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are read only in part, or not at all. */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

static EFI_VOLUME_OPEN open_volume;
static EFI_FILE_OPEN open_file;
static EFI_FILE_READ read_file;
static UINTN limit; /* bytes; longer reads fail; 0: reads are short instead */

static EFI_STATUS EFIAPI read_badly(EFI_FILE_HANDLE file, UINTN *size, VOID *buffer)
{
	if (limit == 0)
		*size = (*size + 1) / 2;
	else if (*size > limit)
		return EFI_DEVICE_ERROR;
	return read_file(file, size, buffer);
}

/* All files of a driver have the same functions. */
static EFI_STATUS EFIAPI open_badly(EFI_FILE_HANDLE folder, EFI_FILE_HANDLE *ret, CHAR16 *name,
				    UINT64 mode, UINT64 attributes)
{
	EFI_STATUS status = open_file(folder, ret, name, mode, attributes);

	if (EFI_ERROR(status))
		return status;
	read_file = (*ret)->Read;
	(*ret)->Read = read_badly;
	return status;
}

static EFI_STATUS EFIAPI open_volume_badly(EFI_FILE_IO_INTERFACE *volume, EFI_FILE_HANDLE *ret)
{
	EFI_STATUS status = open_volume(volume, ret);

	if (EFI_ERROR(status))
		return status;
	if ((*ret)->Open != open_badly)
		open_file = (*ret)->Open;
	(*ret)->Open = open_badly;
	return status;
}

/* The medium has one volume. */
static EFI_STATUS spoil_volume(void)
{
	EFI_FILE_IO_INTERFACE *volume;
	EFI_STATUS status = LibLocateProtocol(&FileSystemProtocol, (void **)&volume);

	if (EFI_ERROR(status))
		return status;
	open_volume = volume->OpenVolume;
	volume->OpenVolume = open_volume_badly;
	return EFI_SUCCESS;
}

/* A read returns half of what was asked for. */
EFI_STATUS short_reads(UINTN number)
{
	limit = 0;
	return spoil_volume();
}

/* A read of more than that many bytes fails. */
EFI_STATUS read_limit(UINTN number)
{
	limit = number;
	return spoil_volume();
}
