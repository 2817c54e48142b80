/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/news.h"

#include "hv/host/io.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"

struct news_queue *news_listener;
static struct lock lock; /* a leaf */

void news_listen(struct news_queue *listener)
{
	news_listener = listener;
}

static void put(const char *vm, enum news_kind kind, const char *text)
{
	struct news *news = &news_listener->news[news_listener->head++ % NEWS_KEPT];

	news->kind = kind;
	news->tsc = rdtsc();
	format(news->name, sizeof(news->name), "%s", vm);
	format(news->text, sizeof(news->text), "%s", text);
}

void news_tell(const char *vm, enum news_kind kind, const char *text)
{
	if (news_listener == NULL)
		return;
	lock_acquire(&lock);
	if (news_listener->head - news_listener->tail < NEWS_KEPT)
		put(vm, kind, text);
	else
		news_listener->n_lost++;
	lock_release(&lock);
}

bool news_take(struct news *ret)
{
	bool is_any;

	lock_acquire(&lock);
	is_any = news_listener->head != news_listener->tail;
	if (is_any)
		*ret = news_listener->news[news_listener->tail++ % NEWS_KEPT];
	lock_release(&lock);
	return is_any;
}

uint64_t news_take_lost(void)
{
	uint64_t n;

	lock_acquire(&lock);
	n = news_listener->n_lost;
	news_listener->n_lost = 0;
	lock_release(&lock);
	return n;
}
