/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's services except files: memory, messages, and information about the machine. A
 * short list of the allocations is kept, so that a refusal to start returns all memory.
 */
#include "boot/firmware.h"

#include <efilib.h>

#include "boot/calendar.h"
#include "boot/framebuffer.h"
#include "boot/mp_services.h"

#define PAGE	      UINT64_C(4096)
#define SIZE_2MIB     (UINT64_C(1) << 21)
#define N_ALLOCATIONS 16
#define WAIT_TENTHS   150
#define TENTH_US      100000

EFI_SYSTEM_TABLE *firmware;

static struct {
	EFI_PHYSICAL_ADDRESS start;
	UINTN n_pages;
} allocations[N_ALLOCATIONS];

static bool line_is_open; /* of progress */

/* Print "stencil: TEXT" on a new line, if the firmware has a console. */
static void begin_line(const CHAR16 *format, va_list args)
{
	if (line_is_open)
		Print(L"\n");
	line_is_open = false;
	Print(L"stencil: ");
	VPrint(format, args);
}

EFI_STATUS firmware_fail(EFI_STATUS status, const CHAR16 *format, ...)
{
	va_list args;

	if (firmware->ConOut == NULL)
		return status;
	va_start(args, format);
	begin_line(format, args);
	va_end(args);
	Print(L": %r\n", status);
	return status;
}

void firmware_say(struct boot_info *info, const CHAR16 *format, ...)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	va_list args;

	if (firmware->ConOut == NULL)
		return;
	va_start(args, format);
	begin_line(format, args);
	va_end(args);
	Print(L"\n");
	info->firmware_io_tsc += __builtin_ia32_rdtsc() - begin;
}

void firmware_show_progress(const CHAR16 *doing, const char *what, uint64_t done, uint64_t total)
{
	if (firmware->ConOut == NULL)
		return;
	Print(L"\rstencil: %s %a: %ld %%", doing, what, done * 100 / total);
	line_is_open = done < total;
	if (!line_is_open)
		Print(L"\n");
}

void firmware_wait_for_key(struct boot_info *info, const CHAR16 *purpose)
{
	SIMPLE_INPUT_INTERFACE *in = firmware->ConIn;
	EFI_INPUT_KEY key;

	firmware_say(info, L"press a key to %s; without a key this happens in %d seconds", purpose,
		     WAIT_TENTHS / 10);
	if (in != NULL)
		in->Reset(in, FALSE); /* what was typed before does not count */
	for (unsigned i = 0; i < WAIT_TENTHS; i++) {
		if (in != NULL && !EFI_ERROR(in->ReadKeyStroke(in, &key)))
			return;
		firmware->BootServices->Stall(TENTH_US);
	}
}

/* Allocate, and record the allocation for firmware_free_all(). */
static EFI_STATUS allocate(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE use, UINTN n_pages,
			   EFI_PHYSICAL_ADDRESS *addr)
{
	UINTN i = 0;
	EFI_STATUS status;

	while (i < N_ALLOCATIONS && allocations[i].n_pages > 0)
		i++;
	if (i == N_ALLOCATIONS)
		return EFI_OUT_OF_RESOURCES;
	status = firmware->BootServices->AllocatePages(type, use, n_pages, addr);
	if (EFI_ERROR(status))
		return status;
	allocations[i].start = *addr;
	allocations[i].n_pages = n_pages;
	return EFI_SUCCESS;
}

static EFI_STATUS allocate_any(const CHAR16 *what, EFI_MEMORY_TYPE use, uint64_t size,
			       EFI_PHYSICAL_ADDRESS *addr)
{
	UINTN n_pages = size / PAGE + (size % PAGE != 0);
	EFI_STATUS status = allocate(AllocateAnyPages, use, n_pages, addr);

	if (EFI_ERROR(status))
		return firmware_fail(status, L"no memory for %s, %ld bytes", what, size);
	return EFI_SUCCESS;
}

EFI_STATUS firmware_alloc(const CHAR16 *what, uint64_t size, void **ret)
{
	EFI_PHYSICAL_ADDRESS addr = 0;
	EFI_STATUS status = allocate_any(what, EfiLoaderData, size, &addr);

	if (!EFI_ERROR(status))
		*ret = (void *)addr;
	return status;
}

EFI_STATUS firmware_alloc_below(const CHAR16 *what, uint64_t size, uint64_t limit, void **ret)
{
	EFI_PHYSICAL_ADDRESS addr = limit - 1;
	EFI_STATUS status =
		allocate(AllocateMaxAddress, EfiLoaderData, (size + PAGE - 1) / PAGE, &addr);

	if (EFI_ERROR(status))
		return firmware_fail(status, L"no memory below %lx for %s, %ld bytes", limit, what,
				     size);
	*ret = (void *)addr;
	return EFI_SUCCESS;
}

/*
 * Allocate more than needed, because the firmware only aligns to pages. Do not free the excess:
 * some firmware fills freed memory, which takes long.
 */
EFI_STATUS firmware_alloc_2mib(const CHAR16 *what, uint64_t size, void **ret)
{
	EFI_PHYSICAL_ADDRESS addr = 0;
	EFI_STATUS status = allocate_any(what, EfiBootServicesData, size + SIZE_2MIB - PAGE, &addr);

	if (!EFI_ERROR(status))
		*ret = (void *)((addr + SIZE_2MIB - 1) & -SIZE_2MIB);
	return status;
}

static void free_allocation(UINTN i)
{
	if (allocations[i].n_pages > 0)
		firmware->BootServices->FreePages(allocations[i].start, allocations[i].n_pages);
	allocations[i].n_pages = 0;
}

void firmware_free(void *start)
{
	for (UINTN i = 0; i < N_ALLOCATIONS; i++) {
		if (allocations[i].start == (uintptr_t)start)
			free_allocation(i);
	}
}

void firmware_free_all(void)
{
	for (UINTN i = 0; i < N_ALLOCATIONS; i++)
		free_allocation(i);
}

static uint64_t find_table(EFI_GUID guid)
{
	for (UINTN i = 0; i < firmware->NumberOfTableEntries; i++) {
		EFI_CONFIGURATION_TABLE *table = &firmware->ConfigurationTable[i];

		if (CompareGuid(&table->VendorGuid, &guid) == 0)
			return (uintptr_t)table->VendorTable;
	}
	return 0;
}

static uint64_t find_rsdp(void)
{
	uint64_t rsdp = find_table((EFI_GUID)ACPI_20_TABLE_GUID);

	return rsdp != 0 ? rsdp : find_table((EFI_GUID)ACPI_TABLE_GUID);
}

static void *find_protocol(EFI_GUID guid)
{
	void *protocol;
	EFI_STATUS status = firmware->BootServices->LocateProtocol(&guid, NULL, &protocol);

	return EFI_ERROR(status) ? NULL : protocol;
}

/* Compute the shifts of whole bytes in 32-bit pixels; false for any other layout. */
static bool describe_pixels(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode,
			    struct boot_framebuffer *ret)
{
	const EFI_PIXEL_BITMASK *mask = &mode->PixelInformation;
	UINT32 all = mask->RedMask | mask->GreenMask | mask->BlueMask | mask->ReservedMask;

	ret->green_shift = 8;
	switch (mode->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		ret->blue_shift = 16;
		return true;
	case PixelBlueGreenRedReserved8BitPerColor:
		ret->red_shift = 16;
		return true;
	case PixelBitMask:
		break;
	default:
		return false;
	}
	if (all < 1u << 24 || mask->RedMask == 0 || mask->GreenMask == 0 || mask->BlueMask == 0)
		return false;
	ret->red_shift = (uint8_t)__builtin_ctz(mask->RedMask);
	ret->green_shift = (uint8_t)__builtin_ctz(mask->GreenMask);
	ret->blue_shift = (uint8_t)__builtin_ctz(mask->BlueMask);
	return mask->RedMask >> ret->red_shift == 0xff &&
	       mask->GreenMask >> ret->green_shift == 0xff &&
	       mask->BlueMask >> ret->blue_shift == 0xff;
}

/* A screen that shows nothing yet may have an address only once its mode is set. */
static void wake_screen(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	if (gop->Mode->FrameBufferBase == 0 && gop->Mode->Info->PixelFormat < PixelBltOnly)
		gop->SetMode(gop, gop->Mode->Mode);
}

static void add_screen(EFI_HANDLE handle, struct boot_info *info)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	struct boot_framebuffer fb = {};
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
	void *protocol;

	if (EFI_ERROR(firmware->BootServices->HandleProtocol(handle, &guid, &protocol)))
		return;
	gop = protocol;
	if (gop->Mode == NULL || gop->Mode->Info == NULL)
		return;
	wake_screen(gop);
	mode = gop->Mode->Info;
	if (!describe_pixels(mode, &fb))
		return;
	fb.base = gop->Mode->FrameBufferBase;
	fb.width = mode->HorizontalResolution;
	fb.height = mode->VerticalResolution;
	fb.pitch = mode->PixelsPerScanLine * 4;
	(void)framebuffer_add(info, &fb);
}

static void find_screens(struct boot_info *info)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_HANDLE *handles;
	UINTN n = 0;
	EFI_STATUS status =
		firmware->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &n, &handles);

	for (UINTN i = 0; !EFI_ERROR(status) && i < n; i++)
		add_screen(handles[i], info);
	if (!EFI_ERROR(status))
		firmware->BootServices->FreePool(handles);
	if (info->n_framebuffers == 0)
		firmware_say(info, L"the firmware offers no frame buffer: messages go to the "
				   L"serial port only");
}

static void read_clock(struct boot_info *info)
{
	EFI_TIME time;

	if (EFI_ERROR(firmware->RuntimeServices->GetTime(&time, NULL)))
		return;
	info->unix_time_tsc = __builtin_ia32_rdtsc();
	info->unix_time = calendar_to_unix(&(struct calendar_time){
		.year = time.Year,
		.month = time.Month,
		.day = time.Day,
		.hour = time.Hour,
		.minute = time.Minute,
		.second = time.Second,
		.minutes_behind_utc = time.TimeZone,
	});
}

void firmware_describe(struct boot_info *info)
{
	info->acpi_rsdp = find_rsdp();
	info->efi_reset_system = (uintptr_t)firmware->RuntimeServices->ResetSystem;
	find_screens(info);
	read_clock(info);
}

static EFI_STATUS read_cpus(struct mp_services *mp, UINTN n, struct boot_info *info)
{
	for (UINTN i = 0; i < n; i++) {
		struct mp_processor processor = {};
		EFI_STATUS status = mp->get_info(mp, i, &processor);

		if (EFI_ERROR(status))
			return firmware_fail(status, L"the firmware does not report processor %ld",
					     i);
		if (!(processor.flags & MP_PROCESSOR_IS_ENABLED))
			continue;
		info->cpu[info->n_cpus++] = (struct boot_cpu){
			.apic_id = (uint32_t)processor.id,
			.bsp = (processor.flags & MP_PROCESSOR_IS_BSP) != 0,
		};
	}
	return EFI_SUCCESS;
}

static EFI_STATUS list_cpus(struct mp_services *mp, struct boot_info *info)
{
	UINTN n, n_enabled;
	EFI_STATUS status;
	void *list;

	status = mp->get_count(mp, &n, &n_enabled);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"the firmware does not count its processors");
	status = firmware_alloc(L"the list of processors", n * sizeof(*info->cpu), &list);
	if (EFI_ERROR(status))
		return status;
	info->cpu = list;
	status = read_cpus(mp, n, info);
	if (EFI_ERROR(status))
		info->n_cpus = 0;
	return status;
}

EFI_STATUS firmware_list_cpus(struct boot_info *info)
{
	struct mp_services *mp = find_protocol((EFI_GUID)MP_SERVICES_GUID);
	EFI_STATUS status = mp ? list_cpus(mp, info) : EFI_UNSUPPORTED;

	if (info->acpi_rsdp != 0)
		return EFI_SUCCESS;
	if (mp == NULL)
		return firmware_fail(
			status, L"neither ACPI tables nor EFI MP services list the processors");
	return status;
}
