/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's option lists: split first, typed on request. The words of messages are QEMU's.
 * Numbers are in parse.c, JSON's syntax is in json.c.
 */
#include "hv/backends/option.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum { OPTION_KEY_MAX = 40 };

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
	const char *implied;	/* of the next item; NULL: none */
	bool no_flags;
	const char *(*properties)(const char *first);
	struct arena *arena;
	struct diag *diag;
};

static enum status refuse_help(const struct splitter *splitter, const struct option *option)
{
	const struct option *first = splitter->options.first;
	const char *names = NULL;

	if (splitter->properties != NULL && first != NULL)
		names = splitter->properties(first->value);
	if (splitter->options.is_keyval && names != NULL) {
		diag_error(splitter->diag, option_key_place(&splitter->options, option),
			   "%s options: %s", first->value, names);
		return ERR_INVAL;
	}
	diag_error(splitter->diag, option_key_place(&splitter->options, option),
		   "there is no help in a configuration");
	if (names != NULL)
		diag_advice(splitter->diag, "properties: %s", names);
	return ERR_INVAL;
}

/* Names of letters, digits, '-' and '_', with dots between them; the first begins with a letter. */
static bool is_key(const char *key, size_t len)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.0123456789";

	for (size_t i = 0; i < len; i++)
		if (strchr(letters, key[i]) == NULL)
			return false;
	return len > 0 && strchr(letters, key[0]) < strchr(letters, '-');
}

static enum status report_key(const struct splitter *splitter, const struct option *option,
			      const char *key)
{
	diag_error(splitter->diag, option_key_place(&splitter->options, option),
		   "Invalid parameter '%s'", key);
	return ERR_INVAL;
}

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
	if (strcmp(key, "help") == 0 || strcmp(key, "?") == 0)
		return refuse_help(splitter, option);
	if (splitter->options.is_keyval && !is_key(key, len))
		return report_key(splitter, option, key);
	if (splitter->no_flags) {
		diag_error(diag, option_key_place(&splitter->options, option),
			   "Expected '=' after parameter '%s'", key);
		return ERR_INVAL;
	}
	diag_warning(diag, option_key_place(&splitter->options, option),
		     "short-form boolean option '%s' deprecated", key);
	diag_hint(diag, "Please use %s=%s instead", option->key, option->value);
	return OK;
}

/* Read the value at option->value_at; 'at' moves past it. */
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
		if (option->key == NULL)
			return ERR_NOMEM;
		if (splitter->options.is_keyval && !is_key(option->key, len))
			return report_key(splitter, option, option->key);
		return split_value(splitter, option);
	}
	if (splitter->implied != NULL && (len > 0 || !splitter->options.is_keyval)) {
		option->key = splitter->implied;
		option->value_at = splitter->at;
		return split_value(splitter, option);
	}
	splitter->at += len;
	return split_short_form(splitter, option, len);
}

static void note_id(struct options *options, const struct option *option)
{
	if ((options->id != NULL && !options->is_keyval) || strcmp(option->key, "id") != 0)
		return;
	options->id = option->value;
	options->id_at = option->value_at;
}

enum status options_split(const struct word *word, const struct option_syntax *syntax,
			  struct arena *arena, struct diag *diag, struct options *ret)
{
	struct splitter splitter = {
		.options = {.word = word, .is_keyval = syntax->is_keyval},
		.implied = syntax->implied,
		.no_flags = syntax->no_flags,
		.properties = syntax->properties,
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
	diag_error(diag, options_id_place(options), "Parameter 'id' expects an identifier");
	diag_hint(diag, "Identifiers consist of letters, digits, '-', '.', '_', "
			"starting with a letter.");
	return ERR_INVAL;
}

/* Number, boolean or list as written. */
static const char *source_text(const struct word *word, const struct json *json,
			       struct arena *arena)
{
	return arena_strndup(arena, word->text + json->at, json->len);
}

static enum status add_member(struct options *options, const struct json *json,
			      struct option ***tail, struct arena *arena)
{
	struct option *option = arena_alloc(arena, sizeof(*option));

	if (option == NULL)
		return ERR_NOMEM;
	*option = (struct option){
		.key = json->key,
		.key_at = json->key_at,
		.value_at = json->at,
		.json = json,
	};
	if (json->type == JSON_STRING)
		option->value = json->text;
	else
		option->value = source_text(options->word, json, arena);
	if (option->value == NULL)
		return ERR_NOMEM;
	if (json->type == JSON_STRING)
		note_id(options, option);
	**tail = option;
	*tail = &option->next;
	return OK;
}

static enum status read_json(const struct word *word, struct arena *arena, struct diag *diag,
			     struct options *ret)
{
	struct options options = {.word = word, .is_json = true};
	struct option **tail = &options.first;
	struct json *json;

	TRY(json_read(word, arena, diag, &json));
	for (json = json->first; json != NULL; json = json->next)
		TRY(add_member(&options, json, &tail, arena));
	*ret = options;
	return OK;
}

enum status options_read(const struct word *word, const struct option_syntax *syntax,
			 struct arena *arena, struct diag *diag, struct options *ret)
{
	if (word->text[0] == '{')
		return read_json(word, arena, diag, ret);
	return options_split(word, syntax, arena, diag, ret);
}

struct option *options_first_unseen(const struct options *options)
{
	struct option *option = options->first;

	while (option != NULL && option->seen)
		option = option->next;
	return option;
}

enum status options_check_known(const struct options *options, const char *names, struct diag *diag)
{
	const struct option *option = options_first_unseen(options);

	if (option == NULL)
		return OK;
	diag_error(diag, option_key_place(options, option),
		   options->is_json || options->is_keyval ? "Parameter '%s' is unexpected"
							  : "Invalid parameter '%s'",
		   option->key);
	suggest_from(names, option->key, diag);
	return ERR_INVAL;
}

enum status options_check_properties(const struct options *options, const char *driver,
				     const char *names, struct diag *diag)
{
	const struct option *option = options_first_unseen(options);

	if (option == NULL)
		return OK;
	diag_error(diag, option_key_place(options, option), "Property '%s.%s' not found", driver,
		   option->key);
	suggest_from(names, option->key, diag);
	return ERR_INVAL;
}

enum status options_check_given(struct options *options, const char *key, struct diag *diag)
{
	if (options_find(options, key) != NULL)
		return OK;
	diag_error(diag, word_place(options->word, 0), "Parameter '%s' is missing", key);
	return ERR_INVAL;
}

struct diag_place option_key_place(const struct options *options, const struct option *option)
{
	return word_place(options->word, option->key_at);
}

struct diag_place options_id_place(const struct options *options)
{
	return word_place(options->word, options->id_at);
}

struct diag_place option_value_place(const struct options *options, const struct option *option)
{
	return word_place(options->word, option->value_at);
}

/* Most comparisons fail, and do so at the first byte. */
static bool has_key(const struct option *option, const char *key)
{
	return option->key[0] == key[0] && strcmp(option->key, key) == 0;
}

struct option *options_find(struct options *options, const char *key)
{
	struct option *last = NULL;

	for (struct option *option = options->first; option != NULL; option = option->next) {
		if (!has_key(option, key))
			continue;
		option->seen = true;
		last = option;
	}
	return last;
}

struct diag_place options_place(struct options *options, const char *key)
{
	const struct option *option = options_find(options, key);

	return option != NULL ? option_value_place(options, option) : word_place(options->word, 0);
}

/* "Parameter 'key' expects what". */
static enum status report_expects(const struct options *options, const struct option *option,
				  const char *what, struct diag *diag)
{
	diag_error(diag, option_value_place(options, option), "Parameter '%s' expects %s",
		   option->key, what);
	return ERR_INVAL;
}

/* The JSON value has another type. */
static enum status report_type(const struct options *options, const struct option *option,
			       const char *type, struct diag *diag)
{
	diag_error(diag, option_value_place(options, option),
		   "Invalid parameter type for '%s', expected: %s", option->key, type);
	return ERR_INVAL;
}

enum status options_get_bool(struct options *options, const char *key, struct diag *diag,
			     bool *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL)
		return OK;
	if (option->json != NULL) {
		if (option->json->type != JSON_BOOL)
			return report_type(options, option, "boolean", diag);
		*value = option->json->number != 0;
		return OK;
	}
	if (parse_bool(option->value, value))
		return OK;
	return report_expects(options, option, "'on' or 'off'", diag);
}

enum status options_get_string(struct options *options, const char *key, struct diag *diag,
			       const char **value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL)
		return OK;
	if (option->json != NULL && option->json->type != JSON_STRING)
		return report_type(options, option, "string", diag);
	*value = option->value;
	return OK;
}

/* A JSON number must be an integer; a negative one wraps, as in QEMU. */
static enum status get_json_uint64(const struct options *options, const struct option *option,
				   struct diag *diag, uint64_t *value)
{
	if (option->json->type != JSON_INTEGER)
		return report_expects(options, option, "uint64", diag);
	*value = option->json->number;
	return OK;
}

enum status options_get_size(struct options *options, const char *key, struct diag *diag,
			     uint64_t *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL)
		return OK;
	if (option->json != NULL)
		return get_json_uint64(options, option, diag, value);
	if (parse_size(option->value, value) == OK)
		return OK;
	(void)report_expects(options, option, options->is_keyval ? "size" : "a size value", diag);
	if (option->value != NULL)
		parse_advise_size(option->value, diag);
	return ERR_INVAL;
}

/* QEMU has different words for signed and for unsigned types. */
static enum status get_json_integer(const struct options *options, const struct option *option,
				    bool is_signed, struct diag *diag, uint64_t *ret)
{
	const struct json *json = option->json;

	if (is_signed &&
	    (json->type != JSON_INTEGER || (!json->negative && json->number > (uint64_t)INT64_MAX)))
		return report_type(options, option, "integer", diag);
	return get_json_uint64(options, option, diag, ret);
}

enum status options_get_integer(struct options *options, const char *key,
				const struct integer_type *type, struct diag *diag, int64_t *value)
{
	const struct option *option = options_find(options, key);
	bool negative;
	uint64_t bits;

	if (option == NULL)
		return OK;
	if (option->json != NULL) {
		TRY(get_json_integer(options, option, type->min < 0, diag, &bits));
		negative = option->json->negative;
	} else if (parse_integer(option->value, &bits, &negative) != OK) {
		return report_expects(options, option, "integer", diag);
	}
	if (negative && type->min < 0 ? (int64_t)bits < type->min : bits > type->max)
		return report_expects(options, option, type->name, diag);
	*value = (int64_t)bits;
	return OK;
}

enum status options_get_uint32(struct options *options, const char *key, struct diag *diag,
			       uint32_t *value)
{
	const struct option *option = options_find(options, key);
	uint64_t bits = 0;
	bool negative;

	if (option == NULL)
		return OK;
	if (option->json != NULL)
		TRY(get_json_uint64(options, option, diag, &bits));
	else if (parse_integer(option->value, &bits, &negative) != OK || negative)
		return report_expects(options, option,
				      options->is_keyval ? "integer" : "a uint64 value", diag);
	if (bits > UINT32_MAX)
		return report_expects(options, option, "uint32_t", diag);
	*value = (uint32_t)bits;
	return OK;
}

static void set_add(struct option_set *set, uint64_t first, uint64_t last)
{
	set->is_empty = false;
	for (uint64_t n = first; n <= last && n < set->limit; n++)
		set->bits[n / 64] |= BIT(n % 64);
	if (last < set->limit || set->has_more)
		return;
	set->has_more = true;
	set->more = first > set->limit ? first : set->limit;
}

/* QEMU does not name the parameter if a number of its list is too large. */
static enum status report_not_uint16(const struct options *options, size_t at, struct diag *diag)
{
	diag_error(diag, word_place(options->word, at), "Parameter 'null' expects uint16_t");
	return ERR_INVAL;
}

static enum status get_json_set(const struct options *options, const struct option *option,
				struct diag *diag, struct option_set *set)
{
	unsigned n = 0;

	if (option->json->type != JSON_ARRAY)
		return report_type(options, option, "array", diag);
	for (const struct json *item = option->json->first; item != NULL; item = item->next, n++) {
		if (item->type != JSON_INTEGER) {
			diag_error(diag, word_place(options->word, item->at),
				   "Parameter '%s[%u]' expects uint64", option->key, n);
			return ERR_INVAL;
		}
		if (item->number > UINT16_MAX)
			return report_not_uint16(options, item->at, diag);
		set_add(set, item->number, item->number);
	}
	return OK;
}

static enum status get_ranges(const struct options *options, const struct option *option,
			      struct diag *diag, struct option_set *set)
{
	uint64_t first, last;

	if (parse_range(option->value, &first, &last) != OK)
		return report_expects(options, option, "a uint64 value or range", diag);
	if (last > UINT16_MAX)
		return report_not_uint16(options, option->value_at, diag);
	set_add(set, first, last);
	return OK;
}

/* The elements key.0=, key.1= and so on, as JSON's integers. */
static enum status get_keyval_set(struct options *options, const char *key, struct diag *diag,
				  struct option_set *set)
{
	static const struct integer_type type = {"uint16_t", 0, UINT16_MAX};
	const struct option *whole = options_find(options, key), *last;
	char element[OPTION_KEY_MAX];
	int64_t value;

	if (whole != NULL)
		return report_type(options, whole, "array", diag);
	for (unsigned n = 0;; n++) {
		format(element, sizeof(element), "%s.%u", key, n);
		last = options_find(options, element);
		if (last == NULL)
			return OK;
		set->is_given = true;
		TRY(options_get_integer(options, element, &type, diag, &value));
		set_add(set, (uint64_t)value, (uint64_t)value);
	}
}

enum status options_get_set(struct options *options, const char *key, struct diag *diag,
			    struct option_set *set)
{
	*set = (struct option_set){.limit = set->limit, .is_empty = true};
	if (options->is_keyval)
		return get_keyval_set(options, key, diag, set);
	set->is_given = options_find(options, key) != NULL;
	for (const struct option *o = options->first; o != NULL; o = o->next) {
		if (!has_key(o, key))
			continue;
		if (o->json != NULL)
			TRY(get_json_set(options, o, diag, set));
		else
			TRY(get_ranges(options, o, diag, set));
	}
	return OK;
}

enum status options_get_enum(struct options *options, const char *key, const char *const *names,
			     struct diag *diag, unsigned *value)
{
	const struct option *option = options_find(options, key);

	if (option == NULL)
		return OK;
	if (option->json != NULL && option->json->type != JSON_STRING)
		return report_type(options, option, "string", diag);
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(option->value, names[i]) != 0)
			continue;
		*value = i;
		return OK;
	}
	diag_error(diag, option_value_place(options, option),
		   "Parameter '%s' does not accept value '%s'", key, option->value);
	suggest_value(names, option->value, diag);
	return ERR_INVAL;
}
