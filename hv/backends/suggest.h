/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/image.h"

/*
 * "Did you mean": the nearest of several names to a word that is none of them. Near is what two
 * or three slips of a typist make of a name, or one slip of a short name: a character too
 * many, too few, wrong, or two of them swapped. Upper and lower case are alike.
 */
struct suggestion {
	const char *word;
	size_t word_len;
	const char *name; /* so far; NULL: none is near. Not NUL-terminated */
	size_t len;	  /* of the name */
	unsigned distance;
};

/* Begin a search. The 'len' bytes of 'word' must outlive it. */
struct suggestion suggest(const char *word, size_t len);
/* Offer a name, which must outlive the suggestion. */
void suggest_name(struct suggestion *suggestion, const char *name);
/* Offer all names of a list with blanks between them, as of is_listed(). */
void suggest_list(struct suggestion *suggestion, const char *names);
/* Whether 'name' is the one that is suggested. */
bool suggest_is(const struct suggestion *suggestion, const char *name);
/* Tell the name, if there is one, after the message about the word. 'prefix' is "-" or "". */
void suggest_tell(const struct suggestion *suggestion, const char *prefix, struct diag *diag);
/* All of it for one list. If no name is near, the list is told. */
void suggest_from(const char *names, const char *word, struct diag *diag);
/* The same for the values of an enumeration, which end with NULL; all of them are listed. */
void suggest_value(const char *const *values, const char *word, struct diag *diag);
/*
 * A file of the ramdisk with a near name, in any folder, after the message that 'path' is missing;
 * else that only the ramdisk has files.
 */
void suggest_file(const struct image *images, const char *path, struct diag *diag);
