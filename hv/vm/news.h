/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/clone_name.h"

/* What has happened to VMs, for one listener on the boot processor. */
enum news_kind {
	NEWS_STOP,
	NEWS_RESUME,
	NEWS_RESET,
	NEWS_RESET_BY_OPERATOR,
	NEWS_POWERDOWN, /* its power button was pressed */
	NEWS_WATCHDOG,	/* its watchdog's time is over */
	NEWS_PANICKED,	/* the guest says so */
	NEWS_ENDED,
	NEWS_ENDED_BY_OPERATOR,
	NEWS_FAILED,
	NEWS_FROZEN, /* it is a template now */
	NEWS_CLONED,
	NEWS_MEMORY_FULL,    /* it needs a page that it does not get */
	NEWS_DEVICE_DELETED, /* its guest has given up a DIMM */
	N_NEWS_KINDS,
};

struct news {
	enum news_kind kind;
	uint64_t tsc;		    /* host TSC when it happened */
	char name[CLONE_NAME_SIZE]; /* of the VM */
	char text[160]; /* of a clone: its template's name; of an end: why; of a DIMM: its id; of a
			   watchdog: the action; else empty */
};

enum { NEWS_KEPT = 64 };

/* Guarded by a lock of hv/vm/news.c. */
struct news_queue {
	uint64_t head, tail; /* in total */
	uint64_t n_lost;     /* that came while the queue was full, since the last look */
	struct news news[NEWS_KEPT];
};

/* Keep what happens from now on in 'queue', which lasts: once, before the first VM starts. */
void news_listen(struct news_queue *queue);

/*
 * Tell the listener, if there is one, about the VM of this name. 'text' is cut to the size above.
 * Any processor, with any lock held except the leaves.
 */
void news_tell(const char *vm, enum news_kind kind, const char *text);
extern struct news_queue *news_listener; /* NULL: there is none */
/* Whether there is one: most machines have none, and VMs need no names for it. */
static inline bool news_are_heard(void)
{
	return news_listener != NULL;
}

/* The oldest news that was not taken; false: there is none. */
bool news_take(struct news *ret);
/* How many were lost since the last call. */
uint64_t news_take_lost(void);
