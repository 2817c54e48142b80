/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures what the image runs into the TPM, as Linux's boot loaders measure a kernel's command
 * line. A secret that is sealed to PCR 12 is then released for this configuration and ramdisk only.
 * A failure does not stop the machine: PCR 12 then has another value than the sealed one.
 */
#include "boot/measure.h"

#include "boot/firmware.h"
#include "boot/tcg2.h"

#define PCR	 12
#define NAME_MAX 64 /* bytes */

/* NULL: the machine has no TPM 2.0. */
static struct tcg2 *find_tpm(void)
{
	EFI_GUID guid = TCG2_GUID;
	struct tcg2_capability capability = {.size = sizeof(capability)};
	struct tcg2 *tcg2;
	void *protocol;

	if (EFI_ERROR(firmware->BootServices->LocateProtocol(&guid, NULL, &protocol)))
		return NULL;
	tcg2 = protocol;
	if (EFI_ERROR(tcg2->get_capability(tcg2, &capability)) || !capability.tpm_present)
		return NULL;
	return tcg2;
}

void measure(struct boot_info *info, const char *name, const void *data, uint64_t size)
{
	struct tcg2 *tpm = find_tpm();
	struct {
		struct tcg2_event event;
		char name[NAME_MAX];
	} entry = {
		.event = {.size = sizeof(entry.event),
			  .header_size = sizeof(entry.event) - sizeof(entry.event.size),
			  .header_version = TCG2_EVENT_HEADER_VERSION,
			  .pcr = PCR,
			  .type = TCG2_EV_IPL},
	};
	EFI_STATUS status;

	if (tpm == NULL)
		return;
	if (size >= LARGE_FILE)
		firmware_say(info, L"measuring %a", name);
	for (unsigned i = 0; i < NAME_MAX && name[i] != '\0'; i++, entry.event.size++)
		entry.name[i] = name[i];
	status = tpm->hash_log_extend(tpm, 0, (uintptr_t)data, size, &entry.event);
	/* A full log does not keep the PCR from being extended. */
	if (EFI_ERROR(status) && status != EFI_VOLUME_FULL)
		firmware_fail(status, L"cannot measure %a into the TPM", name);
}
