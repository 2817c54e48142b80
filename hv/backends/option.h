/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/json.h"
#include "hv/backends/word.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The two ways to write an argument of QEMU's -object and -device: "key=value,key=value", with
 * a comma inside a value written twice, and a JSON object. Errors and warnings
 * have QEMU's words, which differ between the two. Nothing here knows what an option means.
 */

struct option {
	struct option *next;
	const char *key;
	const char *value;	 /* JSON: the string's text; what is no string as written */
	size_t key_at, value_at; /* into the word; value_at is key_at for a short form */
	const struct json *json; /* NULL: not written as JSON */
	bool seen;		 /* asked for by one of the getters below */
};

struct options {
	const struct word *word;
	struct option *first; /* in the order written */
	const char *id;	      /* the first id=, in JSON if it is a string; NULL if there is none */
	size_t id_at;	      /* into the word */
	bool is_json;
};

/* How the argument of an option is written. */
struct option_syntax {
	const char *implied; /* the key of a first item without '='; NULL: there is none */
	bool no_flags;	     /* "key" alone is an error; else key=on, with a warning */
};

/*
 * Split 'word' into options. The word must outlive the result. ERR_INVAL: reported; ERR_NOMEM: the
 * arena is full, not reported.
 */
enum status options_split(const struct word *word, const struct option_syntax *syntax,
			  struct arena *arena, struct diag *diag, struct options *ret);
/*
 * The same for an argument that may also be JSON, which begins with '{'. The getters then want
 * JSON's types, not text, for numbers and booleans.
 */
enum status options_read(const struct word *word, const struct option_syntax *syntax,
			 struct arena *arena, struct diag *diag, struct options *ret);
/* QEMU's rule for ids, asked before any other option is looked at; no id is fine. */
enum status options_check_id(const struct options *options, struct diag *diag);
/* The first option that no getter asked for; NULL: there is none. */
struct option *options_first_unseen(const struct options *options);
/* An error if there is one; one if 'key' was not written. */
enum status options_check_known(const struct options *options, struct diag *diag);
enum status options_check_given(struct options *options, const char *key, struct diag *diag);
/* For the properties of a -device: an error in the words that QEMU has for those of 'driver'. */
enum status options_check_properties(const struct options *options, const char *driver,
				     struct diag *diag);

struct diag_place option_key_place(const struct options *options, const struct option *option);
/* Where the value of the first id= stands; there is one. */
struct diag_place options_id_place(const struct options *options);
struct diag_place option_value_place(const struct options *options, const struct option *option);

/* Where the value of the last option of that key was written; the whole argument if none was. */
struct diag_place options_place(struct options *options, const char *key);

/* Last option of that key, NULL if there is none. Marks all of them seen. */
struct option *options_find(struct options *options, const char *key);

/*
 * Typed getters: the last option of that key counts, earlier ones are not even
 * validated. Without one '*value' keeps what the caller put there.
 */
enum status options_get_bool(struct options *options, const char *key, struct diag *diag,
			     bool *value);
enum status options_get_string(struct options *options, const char *key, struct diag *diag,
			       const char **value);
enum status options_get_size(struct options *options, const char *key, struct diag *diag,
			     uint64_t *value);
/*
 * What an integer may be; else "Parameter 'key' expects NAME". With 'min' 0 negative numbers
 * wrap before they are compared with 'max', as in QEMU.
 */
struct integer_type {
	const char *name;
	int64_t min;
	uint64_t max;
};
enum status options_get_integer(struct options *options, const char *key,
				const struct integer_type *type, struct diag *diag, int64_t *value);
/* An unsigned number of 32 bits; negative ones are refused. */
enum status options_get_uint32(struct options *options, const char *key, struct diag *diag,
			       uint32_t *value);
/*
 * A set of numbers below 65536: a list in JSON, else one number or range for each time the
 * key is written. 'bits' holds those below 'limit', which is at most OPTION_SET_MAX.
 */
#define OPTION_SET_MAX 256
struct option_set {
	unsigned limit; /* the caller's */
	bool is_given, is_empty;
	bool has_more; /* numbers that are not below 'limit' */
	uint64_t more; /* the first of them */
	uint64_t bits[OPTION_SET_MAX / 64];
};
enum status options_get_set(struct options *options, const char *key, struct diag *diag,
			    struct option_set *set);
/* 'names' ends with NULL; '*value' is an index into it. */
enum status options_get_enum(struct options *options, const char *key, const char *const *names,
			     struct diag *diag, unsigned *value);
