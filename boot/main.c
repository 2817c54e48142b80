/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EFI application, from the firmware to hv_main(), as a list of steps. If a step fails, one
 * line says why, and stays on the screen until a key is pressed or for some seconds. Then the
 * firmware continues with its next boot option.
 */
#include <efi.h>
#include <efilib.h>

#include "boot/boot_info.h"
#include "boot/files.h"
#include "boot/firmware.h"
#include "boot/handover.h"
#include "boot/unpack.h"

/* The edges of the image's parts, from boot/efi.lds. */
extern char image_base[], init_start[], init_text_end[], start_text[], start_text_end[],
	text_start[], text_end[], data_start[], data_end[], image_end[];

static struct boot_info info = {.version = BOOT_INFO_VERSION};
static struct boot_section sections[9];

static void add_section(char *start, char *end, bool write, bool exec)
{
	sections[info.n_sections++] = (struct boot_section){
		.start = (uintptr_t)start,
		.len = (uintptr_t)end - (uintptr_t)start,
		.write = write,
		.exec = exec,
	};
}

static void describe_image(void)
{
	info.section = sections;
	add_section(image_base, init_start, false, false); /* headers */
	add_section(init_start, init_text_end, false, true);
	add_section(init_text_end, start_text, false, false); /* .initro, and relocations */
	add_section(start_text, start_text_end, false, true);
	add_section(start_text_end, text_start, false, false); /* .startro */
	add_section(text_start, text_end, false, true);
	add_section(text_end, data_start, false, false); /* .rodata, and what was relocated */
	add_section(data_start, data_end, true, false);
	add_section(data_end, image_end, false, false); /* symbols */
}

static EFI_STATUS start(EFI_HANDLE image)
{
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_STATUS status;
	void *loaded;

	/* Reading a large ramdisk may take longer than the firmware's limit of five minutes. */
	firmware->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
	status = firmware->BootServices->HandleProtocol(image, &guid, &loaded);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"the firmware does not know the image it started");
	status = files_load(loaded, &info);
	if (EFI_ERROR(status))
		return status;
	describe_image();
	firmware_describe(&info);
	status = firmware_list_cpus(&info);
	return EFI_ERROR(status) ? status : handover(image, &info);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	EFI_STATUS status;

	info.efi_entry_tsc = __builtin_ia32_rdtsc();
	info.unpack_tsc = unpack_tsc;
	firmware = table;
	ST = table;
	BS = table->BootServices;
	RT = table->RuntimeServices;
	status = start(image);
	firmware_wait_for_key(&info, L"return to the firmware");
	firmware_free_all();
	return status;
}
