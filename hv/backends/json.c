/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read JSON. Like QEMU, first take tokens until the brackets balance, then parse them: this decides
 * which of several errors is reported. Open containers are kept in a list, not on the stack.
 */
#include "hv/backends/json.h"

#include "hv/backends/parse.h"
#include "hv/backends/utf8.h"
#include "hv/lib/string.h"

enum token_type {
	TOKEN_END,
	TOKEN_STRAY, /* cannot begin or continue a token */
	TOKEN_PUNCTUATION,
	TOKEN_INTEGER,
	TOKEN_FLOAT,
	TOKEN_STRING,
	TOKEN_KEYWORD,
};

struct token {
	enum token_type type;
	size_t at, len;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the digits at 'at'. */
static size_t skip_digits(const char *text, size_t at)
{
	while (is_digit(text[at]))
		at++;
	return at;
}

/* A stray token has all bytes up to the one at '*end', and that one unless the text ends there. */
static enum token_type stray(const char *text, size_t *end)
{
	*end += text[*end] != '\0';
	return TOKEN_STRAY;
}

/* '*end' is after the 'e'. */
static enum token_type lex_exponent(const char *text, size_t *end)
{
	if (text[*end] == '+' || text[*end] == '-')
		(*end)++;
	if (!is_digit(text[*end]))
		return stray(text, end);
	*end = skip_digits(text, *end);
	return TOKEN_FLOAT;
}

/* '*end' is after the '.'. */
static enum token_type lex_fraction(const char *text, size_t *end)
{
	if (!is_digit(text[*end]))
		return stray(text, end);
	*end = skip_digits(text, *end);
	if (text[*end] != 'e' && text[*end] != 'E')
		return TOKEN_FLOAT;
	(*end)++;
	return lex_exponent(text, end);
}

static enum token_type lex_number(const char *text, size_t *end)
{
	bool zero;

	if (text[*end] == '-')
		(*end)++;
	if (!is_digit(text[*end]))
		return stray(text, end);
	zero = text[*end] == '0';
	if (zero && is_digit(text[*end + 1])) {
		(*end)++;
		return stray(text, end);
	}
	*end = skip_digits(text, *end);
	if (text[*end] == '.') {
		(*end)++;
		return lex_fraction(text, end);
	}
	if (zero || (text[*end] != 'e' && text[*end] != 'E'))
		return TOKEN_INTEGER;
	(*end)++;
	return lex_exponent(text, end);
}

static bool may_be_in_string(char c)
{
	return (uint8_t)c >= 0x20 && (uint8_t)c <= 0xfd;
}

static enum token_type lex_string(const char *text, size_t *end)
{
	char quote = text[(*end)++];

	for (; text[*end] != quote; (*end)++) {
		if (text[*end] == '\\')
			(*end)++;
		if (!may_be_in_string(text[*end]))
			return stray(text, end);
	}
	(*end)++;
	return TOKEN_STRING;
}

static enum token_type lex_keyword(const char *text, size_t *end)
{
	while (text[*end] >= 'a' && text[*end] <= 'z')
		(*end)++;
	return TOKEN_KEYWORD;
}

/* Read the token at '*end', which is not a blank; '*end' moves past it. */
static enum token_type lex_token(const char *text, size_t *end)
{
	char c = text[*end];

	if (c == '\0')
		return TOKEN_END;
	if (c == '"' || c == '\'')
		return lex_string(text, end);
	if (c == '-' || is_digit(c))
		return lex_number(text, end);
	if (c >= 'a' && c <= 'z')
		return lex_keyword(text, end);
	(*end)++;
	return strchr("{}[],:", c) != NULL ? TOKEN_PUNCTUATION : TOKEN_STRAY;
}

/* The next token at or after 'at'. */
static struct token lex(const char *text, size_t at)
{
	struct token token;
	size_t end;

	while (is_blank(text[at]))
		at++;
	end = at;
	token.at = at;
	token.type = lex_token(text, &end);
	token.len = end - at;
	return token;
}

/* An array or object that is not closed yet. */
struct open {
	struct open *up;
	struct json *json;
	struct json *key; /* of an object: the key whose value comes next; NULL: a key comes next */
	struct json **tail;
};

struct reader {
	const struct word *word;
	struct token next; /* the next one to take */
	size_t end;	   /* where the brackets balance */
	struct arena *arena;
	struct diag *diag;
	struct open *open; /* the innermost one; NULL: none */
};

static enum status report(const struct reader *reader, size_t at, const char *message)
{
	diag_error(reader->diag, word_place(reader->word, at), "JSON parse error, %s", message);
	return ERR_INVAL;
}

static bool is_punctuation(const struct reader *reader, struct token token, char c)
{
	return token.type == TOKEN_PUNCTUATION && reader->word->text[token.at] == c;
}

static void find_token(struct reader *reader, size_t at)
{
	if (at >= reader->end)
		reader->next = (struct token){.type = TOKEN_END, .at = reader->end};
	else
		reader->next = lex(reader->word->text, at);
}

static struct token take_token(struct reader *reader)
{
	struct token token = reader->next;

	find_token(reader, token.at + token.len);
	return token;
}

/* Four hexadecimal digits. False: there are fewer. */
static bool read_hex(const char *text, unsigned *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < 4; i++) {
		unsigned digit = parse_hex_digit(text[i]);

		if (digit == 16)
			return false;
		*ret = *ret << 4 | digit;
	}
	return true;
}

static bool is_character(unsigned code)
{
	if (code >= 0xd800 && code <= 0xdfff)
		return false;
	return code <= 0x10ffff && (code < 0xfdd0 || code > 0xfdef) && (code & 0xfffe) != 0xfffe;
}

/* UTF-8, except that U+0000 takes two bytes. */
static char *put_character(char *out, unsigned code)
{
	if (code >= 1 && code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* The source of a string, from 'in' to 'end', and where its text goes. */
struct unescape {
	const char *in, *end;
	char *out;
};

/* "\uXXXX", or two of them that make one character. */
static enum status unescape_unicode(const struct reader *reader, struct unescape *u)
{
	const char *start = u->in;
	size_t len = 6, left = (size_t)(u->end - start) + 1; /* with the closing quote */
	unsigned code, second;
	bool valid = read_hex(start + 2, &code);

	if (valid && code >= 0xd800 && code <= 0xdbff && start[6] == '\\' && start[7] == 'u') {
		valid = read_hex(start + 8, &second) && second >= 0xdc00 && second <= 0xdfff;
		code = 0x10000 + ((code & 0x3ff) << 10 | (second & 0x3ff));
		len = valid ? 12 : 6;
	}
	if (!valid || !is_character(code)) {
		diag_error(reader->diag,
			   word_place(reader->word, (size_t)(start - reader->word->text)),
			   "JSON parse error, %.*s is not a valid Unicode character",
			   (int)(len < left ? len : left), start);
		return ERR_INVAL;
	}
	u->in += len;
	u->out = put_character(u->out, code);
	return OK;
}

static enum status unescape(const struct reader *reader, struct unescape *u)
{
	static const char escapes[] = "\"'\\/bfnrt", values[] = "\"'\\/\b\f\n\r\t";
	const char *escape;

	if (u->in[1] == 'u')
		return unescape_unicode(reader, u);
	escape = strchr(escapes, u->in[1]);
	if (escape == NULL)
		return report(reader, (size_t)(u->in - reader->word->text),
			      "invalid escape sequence in string");
	*u->out++ = values[escape - escapes];
	u->in += 2;
	return OK;
}

/* U+FDD0 to U+FDEF, and the last two of each plane; 'text' is UTF-8. */
static bool is_noncharacter(const char *text, size_t len)
{
	static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned code = (uint8_t)text[0] & lead_mask[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((uint8_t)text[i] & 0x3f);
	return !is_character(code);
}

static enum status copy_character(const struct reader *reader, struct unescape *u)
{
	size_t len = utf8_printable(u->in, (size_t)(u->end - u->in));

	if (len == 0 || is_noncharacter(u->in, len))
		return report(reader, (size_t)(u->in - reader->word->text),
			      "invalid UTF-8 sequence in string");
	memcpy(u->out, u->in, len);
	u->out += len;
	u->in += len;
	return OK;
}

/* Copy printable ASCII without escapes, which most texts are. */
static void copy_plain(struct unescape *u)
{
	const char *in = u->in;
	char *out = u->out;

	while (in < u->end && *in >= ' ' && *in <= '~' && *in != '\\')
		*out++ = *in++;
	u->in = in;
	u->out = out;
}

/* The text is never longer than its source. */
static enum status read_string(const struct reader *reader, struct token token, struct json *json)
{
	const char *start = reader->word->text + token.at;
	char *text = arena_alloc(reader->arena, token.len);
	struct unescape u = {.in = start + 1, .end = start + token.len - 1, .out = text};

	if (text == NULL)
		return ERR_NOMEM;
	for (copy_plain(&u); u.in < u.end; copy_plain(&u)) {
		if (*u.in == '\\')
			TRY(unescape(reader, &u));
		else
			TRY(copy_character(reader, &u));
	}
	json->type = JSON_STRING;
	json->text = text;
	return OK;
}

/* A number that does not fit is a float, as in QEMU. */
static void read_integer(const struct reader *reader, struct token token, struct json *json)
{
	const char *p = reader->word->text + token.at, *end = p + token.len;
	bool fits = true;

	json->negative = *p == '-';
	p += json->negative;
	for (; p < end; p++) {
		if (__builtin_mul_overflow(json->number, UINT64_C(10), &json->number) ||
		    __builtin_add_overflow(json->number, (uint64_t)(*p - '0'), &json->number))
			fits = false;
	}
	if (json->negative && json->number > BIT(63))
		fits = false;
	json->type = fits ? JSON_INTEGER : JSON_FLOAT;
	json->number = json->negative ? 0 - json->number : json->number;
}

static enum status read_keyword(const struct reader *reader, struct token token, struct json *json)
{
	static const char *const words[] = {"false", "true", "null"};
	const char *text = reader->word->text + token.at;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) != token.len || memcmp(text, words[i], token.len) != 0)
			continue;
		json->type = i < 2 ? JSON_BOOL : JSON_NULL;
		json->number = i & 1;
		return OK;
	}
	diag_error(reader->diag, word_place(reader->word, token.at),
		   "JSON parse error, invalid keyword '%.*s'", (int)token.len, text);
	return ERR_INVAL;
}

static enum status open_container(struct reader *reader, struct json *json, enum json_type type)
{
	struct open *open = arena_alloc(reader->arena, sizeof(*open));

	if (open == NULL)
		return ERR_NOMEM;
	json->type = type;
	*open = (struct open){.up = reader->open, .json = json, .tail = &json->first};
	reader->open = open;
	return OK;
}

/* Read a scalar, or open a container. */
static enum status read_value(struct reader *reader, struct token token, struct json *json)
{
	switch (token.type) {
	case TOKEN_STRING:
		return read_string(reader, token, json);
	case TOKEN_INTEGER:
		read_integer(reader, token, json);
		return OK;
	case TOKEN_FLOAT:
		json->type = JSON_FLOAT;
		return OK;
	case TOKEN_KEYWORD:
		return read_keyword(reader, token, json);
	case TOKEN_END:
		return report(reader, token.at, "premature EOI");
	default:
		break;
	}
	if (is_punctuation(reader, token, '{'))
		return open_container(reader, json, JSON_OBJECT);
	if (is_punctuation(reader, token, '['))
		return open_container(reader, json, JSON_ARRAY);
	return report(reader, token.at, "expecting value");
}

/* The value is a key: take the colon after it. */
static enum status take_key(struct reader *reader, struct json *json)
{
	struct token token;

	if (json->type != JSON_STRING)
		return report(reader, json->at, "key is not a string in object");
	token = take_token(reader);
	if (token.type == TOKEN_END)
		return report(reader, token.at, "premature EOI");
	if (!is_punctuation(reader, token, ':'))
		return report(reader, token.at, "missing : in object pair");
	reader->open->key = json;
	return OK;
}

/* Append the value to the innermost container. */
static enum status append(struct reader *reader, struct json *json)
{
	struct open *open = reader->open;

	if (open->key != NULL) {
		json->key = open->key->text;
		json->key_at = open->key->at;
		open->key = NULL;
		for (const struct json *j = open->json->first; j != NULL; j = j->next) {
			if (strcmp(j->key, json->key) == 0)
				return report(reader, json->key_at, "duplicate key");
		}
	}
	*open->tail = json;
	open->tail = &json->next;
	return OK;
}

static bool closes(const struct reader *reader, struct token token)
{
	return is_punctuation(reader, token, reader->open->json->type == JSON_OBJECT ? '}' : ']');
}

/* Take the end of the innermost container, which is then a complete value. */
static struct json *close_container(struct reader *reader)
{
	struct json *json = reader->open->json;

	json->len = take_token(reader).at + 1 - json->at;
	reader->open = reader->open->up;
	return json;
}

/*
 * Add a complete value to its container, which is itself complete if it is closed here. After that
 * another value follows, or reader->open is NULL.
 */
static enum status complete(struct reader *reader, struct json *json)
{
	while (reader->open != NULL) {
		bool object = reader->open->json->type == JSON_OBJECT;
		struct token token;

		if (object && reader->open->key == NULL)
			return take_key(reader, json);
		TRY(append(reader, json));
		token = reader->next;
		if (token.type == TOKEN_END)
			return report(reader, token.at, "premature EOI");
		if (!closes(reader, token)) {
			if (!is_punctuation(reader, token, ','))
				return report(reader, token.at,
					      object ? "expected separator in dict"
						     : "expected separator in list");
			take_token(reader);
			return OK;
		}
		json = close_container(reader);
	}
	return OK;
}

static enum status read_values(struct reader *reader, struct json **ret)
{
	struct json *root = NULL;

	do {
		struct json *json = arena_alloc(reader->arena, sizeof(*json));
		struct open *outer = reader->open;
		struct token token = take_token(reader);

		if (json == NULL)
			return ERR_NOMEM;
		if (root == NULL)
			root = json;
		json->at = token.at;
		json->len = token.len;
		TRY(read_value(reader, token, json));
		if (reader->open != outer) {
			if (!closes(reader, reader->next))
				continue;
			json = close_container(reader);
		}
		TRY(complete(reader, json));
	} while (reader->open != NULL);
	*ret = root;
	return OK;
}

/* Find where the brackets balance, or where one is closed that is not open. */
static enum status find_end(struct reader *reader)
{
	const char *text = reader->word->text;
	int braces = 0, brackets = 0;

	do {
		struct token token = lex(text, reader->end);
		char c = '\0';

		if (token.type == TOKEN_END)
			return OK;
		if (token.type == TOKEN_STRAY) {
			diag_error(reader->diag, word_place(reader->word, token.at),
				   "JSON parse error, stray '%.*s'", (int)token.len,
				   text + token.at);
			return ERR_INVAL;
		}
		if (token.type == TOKEN_PUNCTUATION)
			c = text[token.at];
		braces += (c == '{') - (c == '}');
		brackets += (c == '[') - (c == ']');
		if (braces + brackets > JSON_DEPTH_MAX) {
			diag_error(reader->diag, word_place(reader->word, token.at),
				   "JSON nesting depth limit exceeded");
			return ERR_INVAL;
		}
		reader->end = token.at + token.len;
	} while (braces >= 0 && brackets >= 0 && (braces > 0 || brackets > 0));
	return OK;
}

enum status json_read(const struct word *word, struct arena *arena, struct diag *diag,
		      struct json **ret)
{
	struct reader reader = {.word = word, .arena = arena, .diag = diag};
	struct token rest;

	TRY(find_end(&reader));
	if (reader.end == 0) {
		diag_error(diag, word_place(word, 0), "Expecting a JSON value");
		return ERR_INVAL;
	}
	find_token(&reader, 0);
	TRY(read_values(&reader, ret));
	rest = lex(word->text, reader.end);
	if (rest.type == TOKEN_END)
		return OK;
	diag_error(diag, word_place(word, rest.at), "Expecting at most one JSON value");
	return ERR_INVAL;
}
