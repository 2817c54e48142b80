/* SPDX-License-Identifier: BSD-2-Clause */
/* A screen that is memory, so that a test can read it out of the emulator. */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

/*
 * A line of pixels lies in one block of the emulator's memory, which may have its blocks in any
 * order: so after the pixels each line has these numbers, the size of the screen, and its own
 * number.
 */
#define MARK_1 0x6e656572637320aaul
#define MARK_2 0x72656d6720a5c35aul
#define BLOCK  0x20000

struct line_mark {
	UINT64 mark[2];
	UINT32 width, height, y, rest;
};

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION mode = {
	.PixelFormat = PixelBlueGreenRedReserved8BitPerColor,
};
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE current = {
	.MaxMode = 1,
	.Info = &mode,
	.SizeOfInfo = sizeof(mode),
};

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 number,
				    UINTN *ret_size, EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **ret)
{
	return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 number)
{
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI draw(EFI_GRAPHICS_OUTPUT_PROTOCOL *this,
			      EFI_GRAPHICS_OUTPUT_BLT_PIXEL *pixels,
			      EFI_GRAPHICS_OUTPUT_BLT_OPERATION operation, UINTN from_x,
			      UINTN from_y, UINTN to_x, UINTN to_y, UINTN width, UINTN height,
			      UINTN pitch)
{
	return EFI_UNSUPPORTED;
}

static EFI_GRAPHICS_OUTPUT_PROTOCOL screen = {query_mode, set_mode, draw, &current};

/* Bytes from a line to the next: a power of two, with room for a mark. */
static UINTN pitch_of(UINTN width)
{
	UINTN pitch = EFI_PAGE_SIZE;

	while (pitch < width * 4 + sizeof(struct line_mark))
		pitch *= 2;
	return pitch;
}

static void mark_lines(UINT8 *base, UINTN pitch)
{
	for (UINT32 y = 0; y < mode.VerticalResolution; y++) {
		struct line_mark *mark =
			(struct line_mark *)(base + (y + 1) * pitch - sizeof(*mark));

		*mark = (struct line_mark){
			{MARK_1, MARK_2}, mode.HorizontalResolution, mode.VerticalResolution, y, 0};
	}
}

EFI_STATUS ram_screen(UINTN number)
{
	UINTN pitch = pitch_of(number);
	EFI_PHYSICAL_ADDRESS base;
	EFI_HANDLE handle = NULL;
	EFI_STATUS status;

	mode.HorizontalResolution = (UINT32)number;
	mode.VerticalResolution = (UINT32)(number <= 1024 ? number * 3 / 4 : number * 9 / 16);
	mode.PixelsPerScanLine = (UINT32)pitch / 4;
	current.FrameBufferSize = pitch * mode.VerticalResolution;
	status = BS->AllocatePages(AllocateAnyPages, EfiReservedMemoryType,
				   EFI_SIZE_TO_PAGES(current.FrameBufferSize + BLOCK), &base);
	if (EFI_ERROR(status))
		return status;
	current.FrameBufferBase = (base + BLOCK - 1) / BLOCK * BLOCK;
	mark_lines((UINT8 *)current.FrameBufferBase, pitch);
	return BS->InstallProtocolInterface(&handle, &GraphicsOutputProtocol, EFI_NATIVE_INTERFACE,
					    &screen);
}
