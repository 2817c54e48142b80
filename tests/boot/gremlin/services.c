/* SPDX-License-Identifier: BSD-2-Clause */
/* Services and tables that are missing or wrong. */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

static EFI_LOCATE_PROTOCOL locate_protocol;
static EFI_LOCATE_HANDLE locate_handle;
static EFI_LOCATE_HANDLE_BUFFER locate_handle_buffer;

static bool is_gop(EFI_GUID *guid)
{
	return guid && CompareGuid(guid, &GraphicsOutputProtocol) == 0;
}

static EFI_STATUS EFIAPI locate_protocol_without_gop(EFI_GUID *guid, VOID *registration,
						     VOID **interface)
{
	return is_gop(guid) ? EFI_NOT_FOUND : locate_protocol(guid, registration, interface);
}

static EFI_STATUS EFIAPI locate_handle_without_gop(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid,
						   VOID *key, UINTN *size, EFI_HANDLE *handles)
{
	return is_gop(guid) ? EFI_NOT_FOUND : locate_handle(type, guid, key, size, handles);
}

static EFI_STATUS EFIAPI locate_buffer_without_gop(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid,
						   VOID *key, UINTN *n, EFI_HANDLE **handles)
{
	return is_gop(guid) ? EFI_NOT_FOUND : locate_handle_buffer(type, guid, key, n, handles);
}

/* The firmware keeps its text on the screen. */
EFI_STATUS no_gop(UINTN number)
{
	locate_protocol = BS->LocateProtocol;
	locate_handle = BS->LocateHandle;
	locate_handle_buffer = BS->LocateHandleBuffer;
	BS->LocateProtocol = locate_protocol_without_gop;
	BS->LocateHandle = locate_handle_without_gop;
	BS->LocateHandleBuffer = locate_buffer_without_gop;
	return EFI_SUCCESS;
}

/* Not hostile, but OVMF chooses no such mode itself: the first one that many pixels wide. */
EFI_STATUS set_width(UINTN number)
{
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	UINTN size;

	if (EFI_ERROR(LibLocateProtocol(&GraphicsOutputProtocol, (void **)&gop)))
		return EFI_NOT_FOUND;
	for (UINT32 i = 0; i < gop->Mode->MaxMode; i++) {
		if (EFI_ERROR(gop->QueryMode(gop, i, &size, &mode)))
			continue;
		if (mode->HorizontalResolution == number)
			return gop->SetMode(gop, i);
	}
	return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI fault(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	__builtin_trap();
}

static bool spins_without_interrupts;

static EFI_STATUS EFIAPI spin(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	if (spins_without_interrupts)
		asm volatile("cli");
	for (;;)
		__builtin_ia32_pause();
	__builtin_unreachable();
}

EFI_STATUS reset_faults(UINTN number)
{
	RT->ResetSystem = fault;
	return EFI_SUCCESS;
}

/* 1: with interrupts disabled. */
EFI_STATUS reset_spins(UINTN number)
{
	spins_without_interrupts = number;
	RT->ResetSystem = spin;
	return EFI_SUCCESS;
}

EFI_STATUS no_con_out(UINTN number)
{
	ST->ConOut = NULL;
	ST->ConsoleOutHandle = NULL;
	ST->StdErr = NULL;
	ST->StandardErrorHandle = NULL;
	return EFI_SUCCESS;
}

/* ACPI specification, "System Description Table Header". */
struct acpi_header {
	UINT32 signature, length;
	UINT8 revision, checksum;
	UINT8 rest[26];
};

static struct acpi_header *find_xsdt(void)
{
	EFI_GUID guid = ACPI_20_TABLE_GUID;
	UINT8 *rsdp;

	if (EFI_ERROR(LibGetSystemConfigurationTable(&guid, (void **)&rsdp)))
		return NULL;
	return *(struct acpi_header **)(rsdp + 24);
}

/* Falsify the checksums of the XSDT and of all tables that it lists. */
EFI_STATUS bad_checksums(UINTN number)
{
	struct acpi_header *xsdt = find_xsdt();

	if (xsdt == NULL)
		return EFI_NOT_FOUND;
	for (UINTN at = sizeof(*xsdt); at < xsdt->length; at += 8)
		(*(struct acpi_header **)((UINT8 *)xsdt + at))->checksum++;
	xsdt->checksum++;
	return EFI_SUCCESS;
}

/* The table with that signature, which the XSDT lists. */
static struct acpi_header *find_table(UINT32 signature)
{
	struct acpi_header *xsdt = find_xsdt(), *table;

	for (UINTN at = sizeof(*xsdt); xsdt != NULL && at < xsdt->length; at += 8) {
		table = *(struct acpi_header **)((UINT8 *)xsdt + at);
		if (table->signature == signature)
			return table;
	}
	return NULL;
}

/* Rename the package _S5_ of the DSDT to _S6_: ACPI cannot switch off. */
EFI_STATUS no_s5(UINTN number)
{
	struct acpi_header *fadt = find_table(EFI_SIGNATURE_32('F', 'A', 'C', 'P')), *dsdt;

	if (fadt == NULL)
		return EFI_NOT_FOUND;
	dsdt = (struct acpi_header *)(UINTN) * (UINT32 *)((UINT8 *)fadt + 40);
	for (UINT8 *name = (UINT8 *)dsdt; name + 4 <= (UINT8 *)dsdt + dsdt->length; name++) {
		if (*(UINT32 *)name != EFI_SIGNATURE_32('_', 'S', '5', '_'))
			continue;
		name[2]++;
		dsdt->checksum--;
		return EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

/* Leave ACPI mode, so that the firmware gets the events of the power button. */
EFI_STATUS legacy_power(UINTN number)
{
	UINT8 *fadt = (UINT8 *)find_table(EFI_SIGNATURE_32('F', 'A', 'C', 'P'));

	if (fadt == NULL)
		return EFI_NOT_FOUND;
	asm volatile("outb %b0, %w1" : : "a"(fadt[53]), "Nd"(*(UINT32 *)(fadt + 48)));
	return EFI_SUCCESS;
}

static void out16(UINT16 port, UINT16 value)
{
	asm volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
}

/* Start the TCO of q35's chipset, where OVMF places it, with that many ticks. */
EFI_STATUS arm_watchdog(UINTN number)
{
	enum { TCO = 0x660, RELOAD = 0, CONTROL_1 = 8, COUNT = 0x12, NO_REBOOT = 1 << 5 };
	volatile UINT32 *gcs = (UINT32 *)(UINTN)0xfed1f410;

	*gcs &= ~(UINT32)NO_REBOOT;
	out16(TCO + COUNT, (UINT16)number);
	out16(TCO + CONTROL_1, 0);
	out16(TCO + RELOAD, 1);
	return EFI_SUCCESS;
}
