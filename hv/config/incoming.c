/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state a VM goes on from, as far as it can be judged without the machine it is to go on on:
 * its head and its checksum.
 */
#include "hv/config/incoming.h"

#include "hv/config/vm_reader.h"
#include "hv/frame/phys.h"
#include "hv/lib/state_file.h"
#include "hv/lib/string.h"

#define FILE_PREFIX "file:"

enum status incoming_read(struct vm_config *vm, const struct word *argument, struct diag *diag)
{
	size_t len = strlen(FILE_PREFIX);

	if (strncmp(argument->text, FILE_PREFIX, len) != 0) {
		diag_error(diag, word_place(argument, 0),
			   "option '-incoming %s' is not supported, only '-incoming template:NAME' "
			   "of a vm, and '-incoming file:PATH'",
			   argument->text);
		vm->incoming_is_bad = true;
		return ERR_INVAL;
	}
	vm->incoming = argument->text + len;
	vm->incoming_place = word_place(argument, len);
	return OK;
}

enum status incoming_open(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	char why[STATE_WHY_MAX];
	struct image *image = NULL;
	const char *error;

	if (vm->incoming == NULL)
		return OK;
	error = vm_find_file(images, vm->incoming, &image);
	if (error != NULL) {
		diag_error(diag, vm->incoming_place, "could not open '%s': %s", vm->incoming,
			   error);
		return ERR_INVAL;
	}
	if (state_check(phys_to_virt(image->base), image->size, why) != OK) {
		diag_error(diag, vm->incoming_place, "'%s' %s", vm->incoming, why);
		return ERR_INVAL;
	}
	vm->incoming_image = image;
	return OK;
}
