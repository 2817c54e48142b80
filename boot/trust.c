/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file must be to be used. Without this, everyone who can write to the volume chooses what
 * a signed image runs. The bytes that are checked are those in memory that the hypervisor keeps:
 * a volume that answers differently the second time gains nothing.
 */
#include "boot/trust.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/hashes.h"
#include "boot/pe.h"

static struct {
	bool locked;
	bool secure_boot;
	struct hashes hashes;
} trust;

/* UEFI specification, "Globally Defined Variables": SecureBoot is one byte. */
static bool secure_boot_is_on(void)
{
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	uint8_t value = 0;
	UINTN size = sizeof(value);
	EFI_STATUS status = firmware->RuntimeServices->GetVariable((CHAR16 *)L"SecureBoot", &guid,
								   NULL, &size, &value);

	return !EFI_ERROR(status) && value == 1;
}

void trust_init(const EFI_LOADED_IMAGE *image)
{
	uint64_t offset;

	trust.locked = pe_find_section(image->ImageBase, image->ImageSize, ".hashes", &offset,
				       &trust.hashes.len);
	if (trust.locked)
		trust.hashes.text = (const char *)image->ImageBase + offset;
	trust.secure_boot = secure_boot_is_on();
}

bool trust_takes_any(void)
{
	return !trust.locked && !trust.secure_boot;
}

bool trust_requires(const char *name)
{
	uint8_t hash[SHA256_SIZE];

	return trust.locked && hashes_find(&trust.hashes, name, hash);
}

bool trust_skips(const char *name)
{
	uint8_t hash[SHA256_SIZE];

	return trust.locked && !hashes_find(&trust.hashes, name, hash);
}

EFI_STATUS trust_check(struct boot_info *info, const struct trust_file *file, const void *data,
		       uint64_t size)
{
	uint8_t wanted[SHA256_SIZE], found[SHA256_SIZE];

	if (trust_takes_any())
		return EFI_SUCCESS;
	if (!trust.locked)
		return firmware_fail(EFI_SECURITY_VIOLATION,
				     L"%a: Secure Boot is on, and this image has no hash "
				     L"of any file; make it with mkimage --sign",
				     file->place);
	if (!hashes_find(&trust.hashes, file->name, wanted))
		return firmware_fail(EFI_SECURITY_VIOLATION,
				     L"%a: this image is locked to other files; "
				     L"remove the file, or make the image again with it",
				     file->place);
	if (size >= LARGE_FILE)
		firmware_say(info, L"checking %a", file->name);
	sha256(data, size, found);
	if (CompareMem(wanted, found, sizeof(found)) != 0)
		return firmware_fail(EFI_SECURITY_VIOLATION,
				     L"%a: is not the file that this image is locked "
				     L"to; make the image again with it",
				     file->place);
	return EFI_SUCCESS;
}
