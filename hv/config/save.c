/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration wants saved. Files that are there are kept: they may be some VM's memory.
 */
#include "hv/config/save.h"

#include "hv/config/clone.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static enum status add(struct config *config, const struct save_config *save, struct arena *arena)
{
	struct save_config **tail = &config->saves;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	**tail = *save;
	return OK;
}

enum status save_read(struct config *config, const struct word *keyword, struct arena *arena,
		      struct diag *diag)
{
	const struct word *name = keyword->next, *path;
	struct save_config save = {0};

	save.is_sent = name != NULL && strcmp(name->text, "-s") == 0;
	if (save.is_sent)
		name = name->next;
	path = name != NULL ? name->next : NULL;
	if (path == NULL) {
		diag_error(diag, word_place(keyword, 0),
			   "'save' needs the name of a template, and that of the files to be");
		return OK;
	}
	if (path->next != NULL) {
		diag_error(diag, word_place(path->next, 0), "save: Invalid parameter '%s'",
			   path->next->text);
		return OK;
	}
	if (path->text[0] == '\0' || path->len > SAVE_PATH_MAX) {
		diag_error(diag, word_place(path, 0), "save: the files' name is empty or too long");
		return OK;
	}
	save.template = name->text;
	save.place = word_place(name, 0);
	save.path = path->text;
	save.path_place = word_place(path, 0);
	return add(config, &save, arena);
}

void save_check_templates(const struct config *config, struct diag *diag)
{
	for (const struct save_config *save = config->saves; save != NULL; save = save->next)
		if (!clone_can_be_template(config, save->template))
			diag_error(diag, save->place,
				   "there is no VM '%s' that could be a template", save->template);
}

/* The folder a file is to be made in; said if there is none. */
static void check_folder(const struct save_config *save, const struct image_list *images,
			 struct diag *diag)
{
	char folder[SAVE_PATH_MAX + 1] = "/";
	size_t len = strlen(save->path);
	struct image *image = NULL;
	enum image_error error;

	while (len > 0 && save->path[len - 1] != '/')
		len--;
	if (len > 0) {
		memcpy(folder, save->path, len);
		folder[len] = '\0';
	}
	error = image_lookup(images->first, folder, &image);
	if (error != IMAGE_OK)
		diag_error(diag, save->path_place, "save: no folder '%s': %s", folder,
			   image_error_text(error));
}

static void check_path(const struct save_config *save, const char *suffix,
		       const struct image_list *images, struct diag *diag)
{
	char path[SAVE_PATH_MAX + 10];
	struct image *image = NULL;

	format(path, sizeof(path), "%s%s", save->path, suffix);
	if (image_lookup(images->first, path, &image) == IMAGE_OK)
		diag_error(diag, save->path_place, "save: failed to open '%s': File exists", path);
}

void save_check_paths(const struct config *config, const struct image_list *images,
		      struct diag *diag)
{
	for (const struct save_config *save = config->saves; save != NULL; save = save->next) {
		if (save->is_sent)
			continue;
		check_folder(save, images, diag);
		check_path(save, ".state", images, diag);
		check_path(save, ".mem", images, diag);
	}
}
