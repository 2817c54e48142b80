/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -fw_cfg: texts and files of the ramdisk that a guest reads from fw_cfg. Checks, their order and
 * words are QEMU's. A file is used in place, not copied, and therefore found after all backends are
 * open, which may move it.
 */
#include "hv/config/vm_fw_cfg.h"

#include "hv/config/vm_files.h"
#include "hv/config/vm_reader.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"

#define OWN_PREFIX     "opt/stencil/"
#define USER_FILES_MAX 27 /* the number that hv/devices/fw_cfg.h has room for */

struct argument {
	const char *name, *file, *string, *gen_id; /* NULL: none, or empty */
};

static const char *find_text(struct options *options, const char *key)
{
	const struct option *option = options_find(options, key);

	return option != NULL && option->value[0] != '\0' ? option->value : NULL;
}

static enum status split(struct vm_reader *reader, const struct word *word,
			 struct argument *argument)
{
	struct options options;

	TRY(options_split(word, &(struct option_syntax){.implied = "name"}, reader->arena,
			  reader->diag, &options));
	*argument = (struct argument){
		.name = find_text(&options, "name"),
		.file = find_text(&options, "file"),
		.string = find_text(&options, "string"),
		.gen_id = find_text(&options, "gen_id"),
	};
	return options_check_known(&options, "file gen_id name string", reader->diag);
}

static bool check_needed(const struct argument *argument, struct diag_place place,
			 struct diag *diag)
{
	unsigned n =
		(argument->file != NULL) + (argument->string != NULL) + (argument->gen_id != NULL);

	if (argument->name == NULL || n != 1)
		diag_error(diag, place,
			   "name, plus exactly one of file, string and gen_id, are needed");
	else if (strlen(argument->name) > FW_CFG_NAME_MAX)
		diag_error(diag, place, "name too long (max. %d char)", FW_CFG_NAME_MAX);
	else if (argument->gen_id != NULL)
		diag_error(diag, place, "gen_id is not supported, only file and string");
	else
		return true;
	return false;
}

struct fw_cfg_config *vm_find_fw_cfg(const struct vm_config *vm, const char *name)
{
	struct fw_cfg_config *one = vm->fw_cfg;

	while (one != NULL && strcmp(one->file.name, name) != 0)
		one = one->next;
	return one;
}

void vm_add_fw_cfg(struct vm_config *vm, struct fw_cfg_config *one)
{
	struct fw_cfg_config **tail = &vm->fw_cfg, *last = NULL;

	while (*tail != NULL) {
		last = *tail;
		tail = &last->next;
	}
	*tail = one;
	if (last != NULL)
		last->file.next = &one->file;
}

/* Check the name against those of the files before. */
static bool check_name(const struct vm_config *vm, const char *name, struct diag_place place,
		       struct diag *diag)
{
	unsigned n = 0;

	if (strncmp(name, "opt/", 4) != 0)
		diag_warning(diag, place,
			     "externally provided fw_cfg item names should be prefixed with "
			     "\"opt/\"");
	if (strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0) {
		diag_error(diag, place, "fw_cfg file names below \"%s\" are reserved for Stencil",
			   OWN_PREFIX);
		return false;
	}
	if (vm_find_fw_cfg(vm, name) != NULL) {
		diag_error(diag, place, "duplicate fw_cfg file name: %s", name);
		return false;
	}
	for (const struct fw_cfg_config *one = vm->fw_cfg; one != NULL; one = one->next)
		n++;
	if (n < USER_FILES_MAX)
		return true;
	diag_error(diag, place, "more than %d fw_cfg files are not possible", USER_FILES_MAX);
	return false;
}

static enum status add(struct vm_reader *reader, const struct argument *argument,
		       struct diag_place place)
{
	struct fw_cfg_config *one = arena_alloc(reader->arena, sizeof(*one));

	if (one == NULL)
		return ERR_NOMEM;
	*one = (struct fw_cfg_config){.path = argument->file, .place = place};
	one->file.name = argument->name;
	if (argument->string != NULL) {
		one->file.data = argument->string;
		one->file.len = (uint32_t)strlen(argument->string);
	}
	vm_add_fw_cfg(reader->vm, one);
	return OK;
}

enum status vm_read_fw_cfg(struct vm_reader *reader, const struct word *word)
{
	struct diag_place place = word_place(word, 0);
	struct argument argument;

	TRY(split(reader, word, &argument));
	if (!check_needed(&argument, place, reader->diag) ||
	    !check_name(reader->vm, argument.name, place, reader->diag))
		return ERR_INVAL;
	return add(reader, &argument, place);
}

/* NULL: found, else the reason. */
static const char *find_file(struct image_list *images, const char *path, struct image **ret)
{
	const char *why = vm_find_file(images, path, ret);

	return why == NULL && (*ret)->size > UINT32_MAX ? "File too large" : why;
}

enum status vm_open_fw_cfg(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	enum status status = OK;

	for (struct fw_cfg_config *one = vm->fw_cfg; one != NULL; one = one->next) {
		struct image *image = NULL;
		const char *why;

		if (one->path == NULL)
			continue;
		why = find_file(images, one->path, &image);
		if (why != NULL) {
			diag_error(diag, one->place,
				   "can't load %s: Failed to open file \"%s\": %s", one->path,
				   one->path, why);
			status = ERR_INVAL;
			continue;
		}
		one->file.data = phys_to_virt(image->base);
		one->file.len = (uint32_t)image->size;
	}
	return status;
}
