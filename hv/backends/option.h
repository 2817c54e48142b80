/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/arena.h"
#include "hv/backends/diag.h"
#include "hv/backends/word.h"
#include "hv/status.h"
#include "hv/types.h"

/*
 * QEMU's option grammar "key=value,key=value", the one that its -object has on the
 * command line. A comma inside a value is written twice. Errors and warnings
 * have QEMU's words. Nothing here knows what an option means.
 */

struct option {
	struct option *next;
	const char *key;
	const char *value;
	size_t key_at, value_at; /* into the word; value_at is key_at for a short form */
	bool seen;		 /* asked for by one of the getters below */
	bool refused;		 /* the caller's: known, but does not work */
};

struct options {
	const struct word *word;
	struct option *first; /* in the order written */
	const char *id;	      /* the first id=; NULL if there is none */
	struct diag_place id_place;
};

/* Bad input is said and ends in ERR_INVAL; a full arena is ERR_NOMEM and not said. */
enum option_flags {
	OPTION_WARN_FLAG = 1, /* "key" alone is key=on, with a warning: -object, -device, -m */
	OPTION_NO_FLAG = 2,   /* "key" alone is an error: -machine, -smp */
};

/*
 * Split 'word' into options; a first item without '=' gets the key 'implied' (NULL: none).
 * The word must outlive the result.
 */
enum status options_split(const struct word *word, const char *implied, enum option_flags flags,
			  struct arena *arena, struct diag *diag, struct options *ret);
/* QEMU's rule for ids, asked before any other option is looked at; no id is fine. */
enum status options_check_id(const struct options *options, struct diag *diag);
/* The first option that no getter asked for; NULL: there is none. */
struct option *options_first_unseen(const struct options *options);

struct diag_place option_key_place(const struct options *options, const struct option *option);
struct diag_place option_value_place(const struct options *options, const struct option *option);

/* Last option of that key, NULL if there is none. Marks all of them seen. */
struct option *options_find(struct options *options, const char *key);

/*
 * Typed getters: the last option of that key counts, earlier ones are not even
 * validated. Without one '*value' keeps what the caller put there.
 */
enum status options_get_bool(struct options *options, const char *key, struct diag *diag,
			     bool *value);
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
/* 'names' ends with NULL; '*value' is an index into it. */
enum status options_get_enum(struct options *options, const char *key, const char *const *names,
			     struct diag *diag, unsigned *value);
