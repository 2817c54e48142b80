/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile firmware: an EFI program in the place of BOOTX64.EFI that turns the firmware's services
 * against their caller and then starts \EFI\BOOT\STENCIL.EFI. The words of the file \gremlin say
 * how; a word is NAME or NAME=NUMBER. The firmware itself keeps working for what it does on its
 * own: only what Stencil calls or finds is changed.
 */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

#define WORDS_MAX 256

/* Whether a mischief is done before or after Stencil's image is loaded. */
enum moment { BEFORE, AFTER };

struct mischief {
	const char *name;
	EFI_STATUS (*before)(UINTN number);
	EFI_STATUS (*after)(UINTN number);
};

static EFI_STATUS no_device(UINTN number);

static const struct mischief mischiefs[] = {
	{"low-boot-services", low_boot_services, NULL},
	{"low-reserved", low_reserved, NULL},
	{"holes", holes, NULL},
	{"above-4gib", take_below_4gib, give_below_4gib},
	{"refuse-exit", refuse_exit, NULL},
	{"no-gop", no_gop, NULL},
	{"width", set_width, NULL},
	{"ram-screen", ram_screen, NULL},
	{"reset-faults", reset_faults, NULL},
	{"reset-spins", reset_spins, NULL},
	{"short-reads", NULL, short_reads},
	{"read-limit", NULL, read_limit},
	{"bad-checksums", bad_checksums, NULL},
	{"no-s5", no_s5, NULL},
	{"legacy-power", legacy_power, NULL},
	{"watchdog", arm_watchdog, NULL},
	{"no-device", NULL, no_device},
	{"no-con-out", NULL, no_con_out},
	{"la57", NULL, la57},
};

static EFI_LOADED_IMAGE *stencil;

static EFI_STATUS no_device(UINTN number)
{
	stencil->DeviceHandle = NULL;
	return EFI_SUCCESS;
}

static EFI_STATUS fail(EFI_STATUS status, const CHAR16 *what)
{
	Print(L"gremlin: %s: %r\n", what, status);
	return status;
}

static EFI_STATUS read_words(EFI_HANDLE device, CHAR8 *words)
{
	EFI_FILE_HANDLE root = LibOpenRoot(device), file;
	UINTN size = WORDS_MAX - 1;
	EFI_STATUS status;

	if (root == NULL)
		return EFI_NOT_FOUND;
	status = root->Open(root, &file, L"\\gremlin", EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (EFI_ERROR(status))
		return status;
	status = file->Read(file, &size, words);
	file->Close(file);
	words[size] = '\0';
	return status;
}

/* If the word at 'text' has that name, returns what follows the name, otherwise NULL. */
static const CHAR8 *skip_name(const CHAR8 *text, const char *name)
{
	while (*name != '\0' && *text == (CHAR8)*name)
		text++, name++;
	return *name == '\0' && (*text == '=' || *text <= ' ') ? text : NULL;
}

static UINTN read_number(const CHAR8 *text)
{
	UINTN number = 0;

	while (*++text >= '0' && *text <= '9')
		number = number * 10 + (*text - '0');
	return number;
}

static EFI_STATUS do_word(const CHAR8 *word, enum moment moment)
{
	for (UINTN i = 0; i < sizeof(mischiefs) / sizeof(mischiefs[0]); i++) {
		const struct mischief *mischief = &mischiefs[i];
		EFI_STATUS (*act)(UINTN) = moment == BEFORE ? mischief->before : mischief->after;
		const CHAR8 *rest = skip_name(word, mischief->name);

		if (rest == NULL)
			continue;
		return act ? act(*rest == '=' ? read_number(rest) : 0) : EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

static EFI_STATUS do_words(const CHAR8 *text, enum moment moment)
{
	while (*text != '\0') {
		EFI_STATUS status;

		if (*text <= ' ') {
			text++;
			continue;
		}
		status = do_word(text, moment);
		if (EFI_ERROR(status))
			return status;
		while (*text > ' ')
			text++;
	}
	return EFI_SUCCESS;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	CHAR8 words[WORDS_MAX];
	EFI_LOADED_IMAGE *self;
	EFI_DEVICE_PATH *path;
	EFI_HANDLE handle;
	EFI_STATUS status;

	InitializeLib(image, table);
	status = BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&self);
	if (!EFI_ERROR(status))
		status = read_words(self->DeviceHandle, words);
	if (EFI_ERROR(status))
		return fail(status, L"cannot read \\gremlin");
	status = do_words(words, BEFORE);
	if (EFI_ERROR(status))
		return fail(status, L"cannot do what \\gremlin says");
	path = FileDevicePath(self->DeviceHandle, L"\\EFI\\BOOT\\STENCIL.EFI");
	status = BS->LoadImage(FALSE, image, path, NULL, 0, &handle);
	if (!EFI_ERROR(status))
		status = BS->HandleProtocol(handle, &LoadedImageProtocol, (void **)&stencil);
	if (EFI_ERROR(status))
		return fail(status, L"cannot load STENCIL.EFI");
	status = do_words(words, AFTER);
	if (EFI_ERROR(status))
		return fail(status, L"cannot do what \\gremlin says");
	return BS->StartImage(handle, NULL, NULL);
}
