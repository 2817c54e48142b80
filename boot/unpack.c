/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacks what boot/pack has packed: all of the image except boot/ and gnu-efi. Nothing of it runs
 * on the firmware's page tables, so that the firmware may map its memory as data that cannot be
 * executed. The stream lies at the end of the memory that it unpacks to; boot/pack has made sure
 * that each of its bytes is read before it is written over.
 *
 * Runs before relocations are applied and while variables have no values yet: uses no table of
 * pointers, and writes a variable only at the end.
 */
#include "boot/unpack.h"

#include "boot/lzma.h"
#include "boot/pe.h"

#define STALL_US 15000000

/* What the section .packed begins with. The stream is at the section's end. */
struct packed {
	uint32_t len, unpacked_len; /* bytes of the stream, and of what it becomes */
	uint32_t crc;		    /* CRC-32 of the stream */
};

/* From boot/efi.lds. */
extern char image_base[], packed_start[], packed_end[], image_end[];

uint64_t unpack_tsc;

static EFI_STATUS fail(EFI_SYSTEM_TABLE *table, EFI_STATUS status)
{
	static const CHAR16 text[] = L"stencil: BOOTX64.EFI is damaged: copy it again\r\n";

	if (table->ConOut != NULL)
		table->ConOut->OutputString(table->ConOut, (CHAR16 *)text);
	table->BootServices->Stall(STALL_US);
	return status;
}

EFI_STATUS unpack(EFI_SYSTEM_TABLE *table)
{
	uint64_t begin = __builtin_ia32_rdtsc(), offset, size;
	uint64_t image_len = (uintptr_t)image_end - (uintptr_t)image_base;
	uint64_t unpacked_len = (uintptr_t)packed_end - (uintptr_t)packed_start;
	struct packed packed;
	uint8_t *stream;
	UINT32 crc;

	if (!pe_find_section(image_base, image_len, ".packed", &offset, &size) ||
	    size < sizeof(packed))
		return fail(table, EFI_LOAD_ERROR);
	packed = *(const struct packed *)(image_base + offset);
	if (packed.len > size - sizeof(packed) || packed.unpacked_len != unpacked_len)
		return fail(table, EFI_LOAD_ERROR);
	stream = (uint8_t *)image_base + offset + size - packed.len;
	if (EFI_ERROR(table->BootServices->CalculateCrc32(stream, packed.len, &crc)) ||
	    crc != packed.crc)
		return fail(table, EFI_CRC_ERROR);
	if (!lzma_unpack(stream, packed.len, (uint8_t *)packed_start, unpacked_len))
		return fail(table, EFI_LOAD_ERROR);
	unpack_tsc = __builtin_ia32_rdtsc() - begin;
	return EFI_SUCCESS;
}
