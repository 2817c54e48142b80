/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/json.h"
#include "hv/backends/word.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The two forms of an argument of QEMU's -object and -device: "key=value,key=value", with commas in
 * a value doubled, and a JSON object. The prompt's object_add takes a third one, "keyval": as the
 * first, but "key" alone is refused, the last id= counts, and a list is written key.0=,key.1=.
 * Errors and warnings have QEMU's words, which differ between the three. Nothing here knows what an
 * option means.
 */

struct option {
	struct option *next;
	const char *key;
	const char *value;	 /* of a JSON string its text, of other JSON its source */
	size_t key_at, value_at; /* into the word; value_at is key_at for a short form */
	const struct json *json; /* NULL: not written as JSON */
	bool seen;		 /* a getter below has asked for it */
};

struct options {
	const struct word *word;
	struct option *first; /* in the order written */
	const char *id;	      /* the first id=, in JSON if it is a string; NULL if there is none */
	size_t id_at;	      /* into the word */
	bool is_json, is_keyval;
};

/* How the argument of an option is written. */
struct option_syntax {
	const char *implied; /* the key of a first item without '='; NULL: there is none */
	bool no_flags;	     /* "key" alone is an error; else key=on, with a warning */
	bool is_keyval;	     /* and no_flags */
	/* The names that exist for a first item of this value, to list them; may be NULL. */
	const char *(*properties)(const char *first);
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
/* Check the id by QEMU's rule, before any other option. No id is fine. */
enum status options_check_id(const struct options *options, struct diag *diag);
/* The first option that no getter asked for; NULL: there is none. */
struct option *options_first_unseen(const struct options *options);
/*
 * ERR_INVAL, reported: there is an option that no getter asked for. 'names' are those that exist,
 * with blanks between them, to suggest one.
 */
enum status options_check_known(const struct options *options, const char *names,
				struct diag *diag);
/* ERR_INVAL, reported: 'key' was not given. */
enum status options_check_given(struct options *options, const char *key, struct diag *diag);
/* As options_check_known(), in QEMU's words for the properties of the device 'driver'. */
enum status options_check_properties(const struct options *options, const char *driver,
				     const char *names, struct diag *diag);

struct diag_place option_key_place(const struct options *options, const struct option *option);
/* Where the value of the first id= stands. There must be one. */
struct diag_place options_id_place(const struct options *options);
struct diag_place option_value_place(const struct options *options, const struct option *option);

/* Where the value of options_find() was written; the whole argument if there is none. */
struct diag_place options_place(struct options *options, const char *key);

/* The last option of that key; NULL: there is none. Marks all of them as seen. */
struct option *options_find(struct options *options, const char *key);

/*
 * Typed getters. The last option of the key counts; earlier ones are not validated. Without one,
 * '*value' does not change. ERR_INVAL: reported.
 */
enum status options_get_bool(struct options *options, const char *key, struct diag *diag,
			     bool *value);
enum status options_get_string(struct options *options, const char *key, struct diag *diag,
			       const char **value);
enum status options_get_size(struct options *options, const char *key, struct diag *diag,
			     uint64_t *value);
/*
 * The range of an integer. Outside: "Parameter 'key' expects NAME". If 'min' is 0, negative numbers
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
 * A set of numbers below 65536: a list in JSON, else a number or range for each time the key is
 * given. 'bits' has those below 'limit', which is at most OPTION_SET_MAX.
 */
#define OPTION_SET_MAX 256
struct option_set {
	unsigned limit; /* set by the caller */
	bool is_given, is_empty;
	bool has_more; /* there are numbers that are not below 'limit' */
	uint64_t more; /* the first of them */
	uint64_t bits[OPTION_SET_MAX / 64];
};
enum status options_get_set(struct options *options, const char *key, struct diag *diag,
			    struct option_set *set);
/* 'names' ends with NULL; '*value' is an index into it. */
enum status options_get_enum(struct options *options, const char *key, const char *const *names,
			     struct diag *diag, unsigned *value);
