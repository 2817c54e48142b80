/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/config/device_id.h"

#include "hv/lib/string.h"

/* In JSON any string is an id; a value of another type is ignored. */
enum status device_id_note(struct vm_config *vm, struct options *options, struct arena *arena,
			   struct diag *diag)
{
	struct device_id *device;

	if (!options->is_json)
		TRY(options_check_id(options, diag));
	(void)options_find(options, "id"); /* marks it seen */
	if (options->id == NULL)
		return OK;
	for (device = vm->device_ids; device != NULL; device = device->next) {
		if (strcmp(device->id, options->id) != 0)
			continue;
		diag_error(diag, options_id_place(options),
			   options->is_json ? "Duplicate device ID '%s'"
					    : "Duplicate ID '%s' for device",
			   options->id);
		return ERR_INVAL;
	}
	device = arena_alloc(arena, sizeof(*device));
	if (device == NULL)
		return ERR_NOMEM;
	*device = (struct device_id){vm->device_ids, options->id};
	vm->device_ids = device;
	return OK;
}
