/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_text.h"
#include "hv/vm/news.h"

/* News as QEMU's events, and as events of our own, with names in our own name space. */
struct qmp_event {
	const char *name;
	const char *data; /* members that are always the same */
	const char *text; /* the member that the news' text is; NULL: none */
	const char *spec; /* all members' types: see struct qmp_command */
};

/* By enum news_kind, then one that tells how many were lost. */
extern const struct qmp_event qmp_events[N_NEWS_KINDS + 1];

void qmp_put_event(struct qmp_text *to, const struct news *news);
void qmp_put_lost(struct qmp_text *to, uint64_t n);
