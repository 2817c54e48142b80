/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that use and save templates: "clone" and "save", and -incoming of a VM. Clones have the
 * options of their template. Existing files are not overwritten: they may be a VM's memory. Of a
 * saved state only the head and the checksum are checked, not whether this machine can load it.
 */
#include "hv/config/template_lines.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/vm_files.h"
#include "hv/frame/phys.h"
#include "hv/lib/memory_part.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define TEMPLATE_PREFIX "template:"
#define FILE_PREFIX	"file:"
#define STATE_SUFFIX	".state"

enum status clone_add(struct config *config, const struct clone_config *clone, struct arena *arena)
{
	struct clone_config **tail = &config->clones;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	**tail = *clone;
	return OK;
}

static enum status read_number(const struct word *word, const char *key, struct diag *diag,
			       unsigned *ret)
{
	size_t len = strlen(key) + 1;
	bool negative;
	uint64_t n;

	if (parse_integer(word->text + len, &n, &negative) == OK && !negative && n > 0 &&
	    n <= UINT32_MAX) {
		*ret = (unsigned)n;
		return OK;
	}
	diag_error(diag, word_place(word, len), "Parameter '%s' expects a number of at least 1",
		   key);
	return ERR_INVAL;
}

static enum status read_switch(const struct word *word, const char *key, struct diag *diag,
			       bool *ret)
{
	const char *value = word->text + strlen(key) + 1;

	*ret = strcmp(value, "on") == 0;
	if (*ret || strcmp(value, "off") == 0)
		return OK;
	diag_error(diag, word_place(word, strlen(key) + 1), "Parameter '%s' expects 'on' or 'off'",
		   key);
	return ERR_INVAL;
}

static bool has_key(const struct word *word, const char *key)
{
	return strncmp(word->text, key, strlen(key)) == 0 && word->text[strlen(key)] == '=';
}

static enum status refuse_parameter(const struct word *word, struct diag *diag)
{
	const char *value = strchr(word->text, '=');
	struct suggestion near =
		suggest(word->text, value != NULL ? (size_t)(value - word->text) : word->len);

	diag_error(diag, word_place(word, 0), "clone: Invalid parameter '%s'", word->text);
	suggest_list(&near, "count parallel paused max-private precopy");
	if (near.distance > 0) /* 0: it lacks a value */
		suggest_tell(&near, "", diag);
	diag_advice(diag, "parameters: count=N parallel=N paused=on max-private=SIZE precopy=on");
	return ERR_INVAL;
}

static enum status read_parameter(const struct word *word, struct clone_config *clone,
				  struct diag *diag)
{
	if (has_key(word, "count"))
		return read_number(word, "count", diag, &clone->count);
	if (has_key(word, "parallel"))
		return read_number(word, "parallel", diag, &clone->parallel);
	if (has_key(word, "paused"))
		return read_switch(word, "paused", diag, &clone->paused);
	if (has_key(word, "max-private"))
		return parse_limit(word, strlen("max-private="), "max-private", diag,
				   &clone->max_private);
	if (has_key(word, "precopy"))
		return read_switch(word, "precopy", diag, &clone->precopy);
	return refuse_parameter(word, diag);
}

/* "-count 3", as options of a VM are written: one mistake. */
static bool is_option_with_value(const struct word *word)
{
	return word->text[0] == '-' && word->next != NULL && strchr(word->next->text, '=') == NULL;
}

enum status clone_read(struct config *config, const struct word *keyword, struct arena *arena,
		       struct diag *diag)
{
	struct clone_config clone = {.count = 1, .parallel = UINT32_MAX};
	const struct word *word = keyword->next;
	enum status status = OK;

	if (word == NULL) {
		diag_error(diag, word_place(keyword, 0), "'clone' needs the name of a template");
		return OK;
	}
	clone.template = word->text;
	clone.place = word_place(word, 0);
	while ((word = word->next) != NULL) {
		if (read_parameter(word, &clone, diag) == OK)
			continue;
		status = ERR_INVAL;
		if (is_option_with_value(word))
			word = word->next;
	}
	return status == OK ? clone_add(config, &clone, arena) : OK;
}

static bool is_incoming(const struct word *word)
{
	const struct word *from = word->next;

	return (strcmp(word->text, "-incoming") == 0 || strcmp(word->text, "--incoming") == 0) &&
	       from != NULL && strncmp(from->text, TEMPLATE_PREFIX, strlen(TEMPLATE_PREFIX)) == 0;
}

const struct word *clone_find_incoming(const struct word *words)
{
	while (words != NULL && !is_incoming(words))
		words = words->next;
	return words;
}

enum status clone_read_incoming(struct config *config, const struct word *name, struct arena *arena,
				struct diag *diag)
{
	const struct word *option = clone_find_incoming(name->next), *from = option->next;
	struct clone_config clone = {.name = name->text, .count = 1, .parallel = 1};

	if (option != name->next || from->next != NULL) {
		diag_error(diag, word_place(option == name->next ? from->next : name->next, 0),
			   "a VM with -incoming has the options of its template, and no others");
		return OK;
	}
	clone.template = from->text + strlen(TEMPLATE_PREFIX);
	clone.place = word_place(from, strlen(TEMPLATE_PREFIX));
	return clone_add(config, &clone, arena);
}

/* Whether a clone of the line has this name: the line's own, or TEMPLATE-NUMBER. */
static bool makes(const struct clone_config *clone, const char *name)
{
	size_t len = strlen(clone->template);
	bool negative;
	uint64_t n;

	if (clone->name != NULL)
		return strcmp(clone->name, name) == 0;
	return strncmp(name, clone->template, len) == 0 && name[len] == '-' &&
	       parse_integer(name + len + 1, &n, &negative) == OK && !negative;
}

/* Whether a VM or a clone of a line other than 'wanted' has this name. */
static bool exists(const struct config *config, const char *name, const struct clone_config *wanted)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		if (strcmp(vm->name, name) == 0)
			return true;
	for (const struct clone_config *clone = config->clones; clone != NULL; clone = clone->next)
		if (clone != wanted && makes(clone, name))
			return true;
	return false;
}

static void check_template(const struct config *config, const char *template,
			   struct diag_place place, const struct clone_config *wanted,
			   struct diag *diag)
{
	struct suggestion near = suggest(template, strlen(template));

	if (exists(config, template, wanted))
		return;
	diag_error(diag, place, "there is no VM '%s' that could be a template", template);
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next)
		suggest_name(&near, vm->name);
	if (near.name == NULL && config->vms != NULL && config->vms->next == NULL)
		diag_advice(diag, "the only VM is '%s'", config->vms->name);
	suggest_tell(&near, "", diag);
}

void template_lines_check(const struct config *config, struct diag *diag)
{
	for (const struct clone_config *clone = config->clones; clone != NULL; clone = clone->next)
		check_template(config, clone->template, clone->place, clone, diag);
	for (const struct save_config *save = config->saves; save != NULL; save = save->next)
		check_template(config, save->template, save->place, NULL, diag);
}

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

static enum status fail_incoming(const struct vm_config *vm, const char *path, const char *why,
				 struct diag *diag)
{
	diag_error(diag, vm->incoming_place, "could not open '%s': %s", path, why);
	return ERR_INVAL;
}

/* The parts are beside the state: PATH.mem.0 and so on for PATH.state. NULL: no memory. */
static const char *part_path(const struct vm_config *vm, unsigned number, struct arena *arena)
{
	size_t len = strlen(vm->incoming) - strlen(STATE_SUFFIX), size = len + 20;
	char *path = arena_alloc(arena, size);

	if (path != NULL)
		format(path, size, "%.*s.mem.%u", (int)len, vm->incoming, number);
	return path;
}

/* Find one part and put it where '*tail' is. */
static enum status open_part(struct vm_config *vm, unsigned number, struct saved_part **tail,
			     struct image_list *images, struct diag *diag)
{
	const char *path = part_path(vm, number, images->arena), *error;
	struct saved_part *part = arena_alloc(images->arena, sizeof(*part));
	struct image *image = NULL;

	if (path == NULL || part == NULL)
		return fail_incoming(vm, vm->incoming, image_error_text(IMAGE_NO_MEMORY), diag);
	error = vm_find_file(images, path, &image);
	if (error != NULL)
		return fail_incoming(vm, path, error, diag);
	*part = (struct saved_part){.path = path, .image = image};
	*tail = part;
	return OK;
}

static bool has_state_suffix(const char *path)
{
	size_t len = strlen(path), n = strlen(STATE_SUFFIX);

	return len > n && strcmp(path + len - n, STATE_SUFFIX) == 0;
}

/* Find all parts. They are read when the VM is made. */
static enum status open_parts(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	struct saved_part *part = NULL, **tail = &part;
	bool is_last = false;

	if (!has_state_suffix(vm->incoming)) {
		diag_error(diag, vm->incoming_place,
			   "'%s' has its memory in files of the same name, and must end in '%s'",
			   vm->incoming, STATE_SUFFIX);
		return ERR_INVAL;
	}
	for (unsigned number = 0; !is_last; number++) {
		TRY(open_part(vm, number, tail, images, diag));
		is_last = part_seems_last(phys_to_virt((*tail)->image->base), (*tail)->image->size);
		tail = &(*tail)->next;
	}
	vm->parts = part;
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
	if (error != NULL)
		return fail_incoming(vm, vm->incoming, error, diag);
	if (saved_head_read(phys_to_virt(image->base), image->size, &vm->saved, why) != OK) {
		diag_error(diag, vm->incoming_place, "'%s' %s", vm->incoming, why);
		return ERR_INVAL;
	}
	if (vm->saved.has_parts)
		TRY(open_parts(vm, images, diag));
	vm->incoming_image = image;
	return OK;
}

static enum status add_save(struct config *config, const struct save_config *save,
			    struct arena *arena)
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

/* Take one option from before the name. False: it is none. */
static bool take_how(const struct word *word, struct save_how *how)
{
	if (strcmp(word->text, "-s") == 0)
		how->is_sent = true;
	else if (strcmp(word->text, "-z") == 0)
		how->is_packed = true;
	else if (strcmp(word->text, "-i") == 0)
		how->is_packed = how->is_layer = true;
	else
		return false;
	return true;
}

enum status save_read(struct config *config, const struct word *keyword, struct arena *arena,
		      struct diag *diag)
{
	const struct word *name = keyword->next, *path;
	struct save_config save = {0};

	while (name != NULL && take_how(name, &save.how))
		name = name->next;
	path = name != NULL ? name->next : NULL;
	if (path == NULL) {
		diag_error(diag, word_place(keyword, 0),
			   "'save' needs the name of a template and a name for the files");
		return OK;
	}
	if (path->next != NULL) {
		diag_error(diag, word_place(path->next, 0), "save: Invalid parameter '%s'",
			   path->next->text);
		return OK;
	}
	if (path->text[0] == '\0' || path->len > SAVE_PATH_MAX) {
		diag_error(diag, word_place(path, 0),
			   "save: the name of the files is empty or too long");
		return OK;
	}
	save.template = name->text;
	save.place = word_place(name, 0);
	save.path = path->text;
	save.path_place = word_place(path, 0);
	return add_save(config, &save, arena);
}

/* Report that the folder of 'path' does not exist. */
static void check_folder(const char *path, struct diag_place place, const char *keyword,
			 const struct image_list *images, struct diag *diag)
{
	char folder[SAVE_PATH_MAX + 1] = "/";
	size_t len = strlen(path);
	struct image *image = NULL;
	enum image_error error;

	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len > 0) {
		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	error = image_lookup(images->first, folder, &image);
	if (error != IMAGE_OK)
		diag_error(diag, place, "%s: no folder '%s': %s", keyword, folder,
			   image_error_text(error));
}

void file_check_new(const char *path, struct diag_place place, const char *keyword,
		    const struct image_list *images, struct diag *diag)
{
	struct image *image = NULL;

	check_folder(path, place, keyword, images, diag);
	if (image_lookup(images->first, path, &image) == IMAGE_OK)
		diag_error(diag, place, "%s: failed to open '%s': File exists", keyword, path);
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
		if (save->how.is_sent)
			continue;
		check_folder(save->path, save->path_place, "save", images, diag);
		check_path(save, STATE_SUFFIX, images, diag);
		check_path(save, save->how.is_packed ? ".mem.0" : ".mem", images, diag);
	}
}
