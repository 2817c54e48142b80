/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/news.h"

#include "hv/host/io.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"

static struct news_queue *queue; /* NULL: there is no listener */
static struct lock lock;	 /* a leaf */

void news_listen(struct news_queue *listener)
{
	queue = listener;
}

bool news_are_heard(void)
{
	return queue != NULL;
}

static void put(const char *vm, enum news_kind kind, const char *text)
{
	struct news *news = &queue->news[queue->head++ % NEWS_KEPT];

	news->kind = kind;
	news->tsc = rdtsc();
	format(news->name, sizeof(news->name), "%s", vm);
	format(news->text, sizeof(news->text), "%s", text);
}

void news_tell(const char *vm, enum news_kind kind, const char *text)
{
	if (queue == NULL)
		return;
	lock_acquire(&lock);
	if (queue->head - queue->tail < NEWS_KEPT)
		put(vm, kind, text);
	else
		queue->n_lost++;
	lock_release(&lock);
}

bool news_take(struct news *ret)
{
	bool is_any;

	lock_acquire(&lock);
	is_any = queue->head != queue->tail;
	if (is_any)
		*ret = queue->news[queue->tail++ % NEWS_KEPT];
	lock_release(&lock);
	return is_any;
}

uint64_t news_take_lost(void)
{
	uint64_t n;

	lock_acquire(&lock);
	n = queue->n_lost;
	queue->n_lost = 0;
	lock_release(&lock);
	return n;
}
