/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"
#include "hv/monitor/line.h"

/* What a word that is being typed may become. */
#define COMPLETION_LIST_MAX 1000

struct completion {
	const char *prefix; /* what is typed; not NUL-terminated */
	size_t prefix_len;
	unsigned n;			/* names that begin with it */
	char common[MONITOR_LINE_SIZE]; /* what all of them begin with, NUL-terminated */
	/* The names, a blank before each, NUL-terminated; "..." stands for those without room. */
	char list[COMPLETION_LIST_MAX];
	size_t list_len;
};

void completion_begin(struct completion *completion, const char *prefix, size_t prefix_len);
/* Count the name if it begins with the prefix. */
void completion_offer(struct completion *completion, const char *name);
/*
 * What to type next: the rest of the common beginning, and a blank if there is one name only.
 * Returns its length, which may be 0.
 */
size_t completion_rest(const struct completion *completion, char rest[MONITOR_LINE_SIZE + 1]);
