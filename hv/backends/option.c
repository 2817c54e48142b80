/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's option lists: split first, typed on request. The words of messages are QEMU's.
 * Numbers are in parse.c.
 */
#include "hv/backends/option.h"

#include "hv/backends/parse.h"
#include "hv/string.h"

/* Length of the value at 'text': up to a comma that is not doubled. */
static size_t value_length(const char *text)
{
	const char *p = text;

	while (*p != '\0' && (*p != ',' || p[1] == ','))
		p += *p == ',' ? 2 : 1;
	return (size_t)(p - text);
}

/* A copy of 'len' bytes with each ",," made one comma. */
static char *copy_value(struct arena *arena, const char *text, size_t len)
{
	char *value = arena_strndup(arena, text, len), *out = value;

	if (value == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ',')
			i++;
		*out++ = text[i];
	}
	*out = '\0';
	return value;
}

struct splitter {
	struct options options; /* so far */
	size_t at;		/* of the next item */
	const char *implied;	/* key of an item without '='; NULL: none */
	enum option_flags flags;
	struct arena *arena;
	struct diag *diag;
};

/* A key without a value, 'len' long: "share" is share=on, "noshare" is share=off. */
static enum status split_short_form(struct splitter *splitter, struct option *option, size_t len)
{
	const char *text = splitter->options.word->text + option->key_at;
	size_t skip = len >= 2 && memcmp(text, "no", 2) == 0 ? 2 : 0;
	char *key = arena_strndup(splitter->arena, text, len);
	struct diag *diag = splitter->diag;

	if (key == NULL)
		return ERR_NOMEM;
	option->key = key + skip;
	option->value = skip ? "off" : "on";
	option->value_at = option->key_at;
	if (strcmp(key, "help") == 0 || strcmp(key, "?") == 0) {
		diag_error(diag, option_key_place(&splitter->options, option),
			   "there is no help in a configuration");
		return ERR_INVAL;
	}
	if (splitter->flags == OPTION_NO_FLAG) {
		diag_error(diag, option_key_place(&splitter->options, option),
			   "Expected '=' after parameter '%s'", key);
		return ERR_INVAL;
	}
	diag_warning(diag, option_key_place(&splitter->options, option),
		     "short-form boolean option '%s' deprecated", key);
	diag_hint(diag, "Please use %s=%s instead", option->key, option->value);
	return OK;
}

/* The value at option->value_at; 'at' moves behind it. */
static enum status split_value(struct splitter *splitter, struct option *option)
{
	const char *text = splitter->options.word->text + option->value_at;
	size_t len = value_length(text);

	splitter->at = option->value_at + len;
	option->value = copy_value(splitter->arena, text, len);
	return option->value != NULL ? OK : ERR_NOMEM;
}

static enum status split_item(struct splitter *splitter, struct option *option)
{
	const char *text = splitter->options.word->text + splitter->at;
	size_t len = 0;

	while (text[len] != '\0' && text[len] != '=' && text[len] != ',')
		len++;
	option->key_at = splitter->at;
	if (text[len] == '=') {
		option->key = arena_strndup(splitter->arena, text, len);
		option->value_at = splitter->at + len + 1;
		return option->key != NULL ? split_value(splitter, option) : ERR_NOMEM;
	}
	if (splitter->implied != NULL) {
		option->key = splitter->implied;
		option->value_at = splitter->at;
		return split_value(splitter, option);
	}
	splitter->at += len;
	return split_short_form(splitter, option, len);
}

static void note_id(struct options *options, const struct option *option)
{
	if (options->id != NULL || strcmp(option->key, "id") != 0)
		return;
	options->id = option->value;
	options->id_place = option_value_place(options, option);
}

enum status options_split(const struct word *word, const char *implied, enum option_flags flags,
			  struct arena *arena, struct diag *diag, struct options *ret)
{
	struct splitter splitter = {
		.options.word = word,
		.implied = implied,
		.flags = flags,
		.arena = arena,
		.diag = diag,
	};
	struct option **tail = &splitter.options.first;

	while (splitter.at < word->len) {
		struct option *option = arena_alloc(arena, sizeof(*option));

		if (option == NULL)
			return ERR_NOMEM;
		TRY(split_item(&splitter, option));
		note_id(&splitter.options, option);
		*tail = option;
		tail = &option->next;
		splitter.implied = NULL;
		if (splitter.at < word->len)
			splitter.at++; /* the comma */
	}
	*ret = splitter.options;
	return OK;
}

enum status options_check_id(const struct options *options, struct diag *diag)
{
	if (options->id == NULL || is_identifier(options->id))
		return OK;
	diag_error(diag, options->id_place, "Parameter 'id' expects an identifier");
	diag_hint(diag, "Identifiers consist of letters, digits, '-', '.', '_', "
			"starting with a letter.");
	return ERR_INVAL;
}

struct option *options_first_unseen(const struct options *options)
{
	struct option *option = options->first;

	while (option != NULL && option->seen)
		option = option->next;
	return option;
}

struct diag_place option_key_place(const struct options *options, const struct option *option)
{
	return word_place(options->word, option->key_at);
}

struct diag_place option_value_place(const struct options *options, const struct option *option)
{
	return word_place(options->word, option->value_at);
}

struct option *options_find(struct options *options, const char *key)
{
	struct option *last = NULL;

	for (struct option *option = options->first; option != NULL; option = option->next) {
		if (strcmp(option->key, key) != 0)
			continue;
		option->seen = true;
		last = option;
	}
	return last;
}

/* "Parameter 'key' expects what". */
static enum status say_expects(const struct options *options, const struct option *option,
			       const char *what, struct diag *diag)
{
	diag_error(diag, option_value_place(options, option), "Parameter '%s' expects %s",
		   option->key, what);
	return ERR_INVAL;
}

enum status options_get_bool(struct options *options, const char *key, struct diag *diag,
			     bool *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL || parse_bool(option->value, value))
		return OK;
	return say_expects(options, option, "'on' or 'off'", diag);
}

enum status options_get_size(struct options *options, const char *key, struct diag *diag,
			     uint64_t *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL || parse_size(option->value, value) == OK)
		return OK;
	return say_expects(options, option, "a size value", diag);
}

enum status options_get_integer(struct options *options, const char *key,
				const struct integer_type *type, struct diag *diag, int64_t *value)
{
	const struct option *option = options_find(options, key);
	bool negative;
	uint64_t bits;

	if (option == NULL)
		return OK;
	if (parse_integer(option->value, &bits, &negative) != OK)
		return say_expects(options, option, "integer", diag);
	if (negative && type->min < 0 ? (int64_t)bits < type->min : bits > type->max)
		return say_expects(options, option, type->name, diag);
	*value = (int64_t)bits;
	return OK;
}

enum status options_get_enum(struct options *options, const char *key, const char *const *names,
			     struct diag *diag, unsigned *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL)
		return OK;
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(option->value, names[i]) != 0)
			continue;
		*value = i;
		return OK;
	}
	diag_error(diag, option_value_place(options, option),
		   "Parameter '%s' does not accept value '%s'", key, option->value);
	return ERR_INVAL;
}
