/* SPDX-License-Identifier: BSD-2-Clause */
/* The archive of the files that a run has handed over, piece by piece. */
#include "boot/archive.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/newc.h"

#define PAGE UINT64_C(4096)

/* The archive that is written. */
struct writer {
	struct archive_sink *sink;
	struct newc archive;
	void *zeros; /* a page of them, which the image does not hold */
};

static EFI_STATUS write(struct writer *writer, const void *data, uint64_t size)
{
	return writer->sink->append(writer->sink, data, size);
}

static EFI_STATUS write_zeros(struct writer *writer, uint64_t size)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (; size > PAGE && !EFI_ERROR(status); size -= PAGE)
		status = write(writer, writer->zeros, PAGE);
	return EFI_ERROR(status) ? status : write(writer, writer->zeros, size);
}

static EFI_STATUS write_file(struct writer *writer, const struct parcel_file *file)
{
	const char *name = file->name + 1; /* as mkramdisk writes it */
	char header[NEWC_HEADER_MAX];
	uint64_t filler = 0;
	unsigned len = newc_add_filler(&writer->archive, name, file->size, header, &filler);
	EFI_STATUS status = write(writer, header, len);

	if (!EFI_ERROR(status))
		status = write_zeros(writer, filler);
	len = newc_add(&writer->archive, name, file->size, header);
	if (!EFI_ERROR(status))
		status = write(writer, header, len);
	if (!EFI_ERROR(status))
		status = write(writer, (const void *)file->start, file->size);
	if (!EFI_ERROR(status))
		status = write_zeros(writer, newc_padding(file->size));
	return status;
}

static EFI_STATUS write_all(struct writer *writer, const struct parcel *parcel,
			    const struct parcel_file *table)
{
	char header[NEWC_HEADER_MAX];
	EFI_STATUS status = EFI_SUCCESS;
	unsigned len;

	for (uint64_t i = 0; i < parcel->n_files && !EFI_ERROR(status); i++)
		if (table[i].size > 0)
			status = write_file(writer, &table[i]);
	len = newc_end(&writer->archive, header);
	if (!EFI_ERROR(status))
		status = write(writer, header, len);
	return status;
}

EFI_STATUS archive_write(const struct parcel *parcel, const struct parcel_file *table,
			 struct archive_sink *sink, uint64_t *ret_size)
{
	struct writer writer = {.sink = sink};
	EFI_STATUS status = firmware_alloc(L"zeros", PAGE, &writer.zeros);

	if (EFI_ERROR(status))
		return status;
	ZeroMem(writer.zeros, PAGE);
	status = write_all(&writer, parcel, table);
	firmware_free(writer.zeros);
	*ret_size = writer.archive.at;
	return status;
}
