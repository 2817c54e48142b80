/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration wants cloned. The clones' options are their template's. */
#include "hv/config/clone.h"

#include "hv/backends/parse.h"
#include "hv/lib/string.h"

#define TEMPLATE_PREFIX "template:"

static enum status add(struct config *config, const struct clone_config *clone, struct arena *arena)
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
	diag_error(diag, word_place(word, len), "Parameter '%s' expects a number from 1 on", key);
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
	diag_error(diag, word_place(word, 0), "clone: Invalid parameter '%s'", word->text);
	return ERR_INVAL;
}

enum status clone_read(struct config *config, const struct word *words, struct arena *arena,
		       struct diag *diag)
{
	struct clone_config clone = {.count = 1, .parallel = UINT32_MAX};

	clone.template = words->text;
	clone.place = word_place(words, 0);
	for (words = words->next; words != NULL; words = words->next)
		if (read_parameter(words, &clone, diag) != OK)
			return OK;
	return add(config, &clone, arena);
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
			   "a VM with -incoming has its template's options, and no others");
		return OK;
	}
	clone.template = from->text + strlen(TEMPLATE_PREFIX);
	clone.place = word_place(from, strlen(TEMPLATE_PREFIX));
	return add(config, &clone, arena);
}

/* Whether 'name' is what the clones of a line are called: its own name, or TEMPLATE-NUMBER. */
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

/* By another line than 'wanted'. */
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

bool clone_can_be_template(const struct config *config, const char *name)
{
	return exists(config, name, NULL);
}

void clone_check_templates(const struct config *config, struct diag *diag)
{
	for (const struct clone_config *clone = config->clones; clone != NULL; clone = clone->next)
		if (!exists(config, clone->template, clone))
			diag_error(diag, clone->place,
				   "there is no VM '%s' that could be a template", clone->template);
}
