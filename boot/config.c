/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: that of the medium, or the one of the server that it names. Files that earlier
 * runs have handed over to the disk may choose another one of the medium.
 */
#include "boot/config.h"

#include <efilib.h>

#include "boot/fetch_line.h"
#include "boot/firmware.h"
#include "boot/measure.h"
#include "boot/ramdisk_parts.h"
#include "boot/source.h"
#include "boot/trust.h"

#define MAX_CONFIG_SIZE (UINT64_C(1) << 20)

/* objcopy pads a section with zeros, which text does not contain. */
static uint64_t trim_zeros(const char *text, uint64_t len)
{
	while (len > 0 && text[len - 1] == '\0')
		len--;
	return len;
}

static EFI_STATUS read(const struct source *source, bool measures, struct boot_info *info)
{
	EFI_STATUS status;
	void *buffer;
	char *text;

	if (source->size > MAX_CONFIG_SIZE)
		return firmware_fail(EFI_BAD_BUFFER_SIZE,
				     L"the configuration has %ld bytes, the limit is %ld",
				     source->size, MAX_CONFIG_SIZE);
	status = firmware_alloc(L"the configuration", source->size + 1, &buffer);
	if (EFI_ERROR(status))
		return status;
	status = source_read(source, buffer, info);
	if (EFI_ERROR(status)) {
		firmware_free(buffer);
		return status;
	}
	if (measures)
		measure(info, source->name, buffer, source->size);
	text = buffer;
	info->config_len = source->section ? trim_zeros(text, source->size) : source->size;
	text[info->config_len] = '\0';
	info->config = text;
	return EFI_SUCCESS;
}

static bool exists(const EFI_LOADED_IMAGE *image, const char *name, struct boot_info *info)
{
	struct source source = {.name = name};
	EFI_STATUS status = source_open(image, NULL, &source, info);

	source_close(&source);
	return !EFI_ERROR(status);
}

static const char *local_name(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	char first[RAMDISK_PART_NAME_SIZE];

	ramdisk_part_name("handover", 0, first);
	return trust_takes_any() && exists(image, first, info) &&
			       exists(image, "handover.conf", info)
		       ? "handover.conf"
		       : "stencil.conf";
}

EFI_STATUS config_load(const EFI_LOADED_IMAGE *image, bool measures, struct boot_info *info)
{
	struct source source = {.name = local_name(image, info)};
	EFI_STATUS status = source_open(image, ".config", &source, info);

	info->config_name = source.section ? "stencil.conf" : source.name;
	if (EFI_ERROR(status))
		return firmware_fail(status,
				     L"cannot open the configuration \\stencil\\%a on the volume "
				     L"this was started from; put it there, or into a section "
				     L".config",
				     source.name);
	status = read(&source, measures, info);
	source_close(&source);
	return status;
}

EFI_STATUS config_server(const EFI_LOADED_IMAGE *image, struct net *net, struct boot_info *info)
{
	struct fetch_line line = fetch_line_find(info->config, info->config_len);
	const char *wrong;

	if (line.url == NULL)
		return EFI_NOT_FOUND;
	wrong = url_read(line.url, line.len, &net->url);
	if (wrong != NULL)
		return firmware_fail(EFI_INVALID_PARAMETER, L"%a: the URL of host -fetch %a",
				     info->config_name, wrong);
	return net_start(image, net, info);
}

EFI_STATUS config_fetch(const struct net *net, struct boot_info *info)
{
	static struct source source; /* whose name stays in use */
	EFI_STATUS status = source_fetch(net, net->own_folder, "stencil.conf", &source, info);

	if (status == EFI_NOT_FOUND)
		status = source_fetch(net, "", "stencil.conf", &source, info);
	if (status == EFI_NOT_FOUND)
		return firmware_fail(status,
				     L"%a: has neither %astencil.conf nor stencil.conf; put one "
				     L"there, or correct the URL of host -fetch",
				     net->url.folder, net->own_folder);
	if (EFI_ERROR(status))
		return status;
	firmware_free((void *)info->config);
	info->config_name = source.name + sizeof(SOURCE_FETCHED) - 1;
	return read(&source, true, info);
}
