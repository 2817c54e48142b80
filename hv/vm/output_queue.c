/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/output_queue.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Whole lines. */
struct output_page {
	struct output_page *next;
	uint16_t used, taken; /* bytes of 'text' */
	char text[PAGE_SIZE - 16];
};

_Static_assert(sizeof(struct output_page) == PAGE_SIZE, "a frame");

static void set_listed(struct output_queue *queue, bool is_listed)
{
	__atomic_store_n(&queue->is_listed, is_listed, __ATOMIC_RELEASE);
}

static void list(struct output_turns *turns, struct output_queue *queue)
{
	if (queue->is_listed)
		return;
	set_listed(queue, true);
	queue->next = NULL;
	queue->credit = OUTPUT_TURN;
	if (turns->first)
		turns->last->next = queue;
	else
		turns->first = queue;
	turns->last = queue;
}

/* The queue is listed. */
static void unlist(struct output_turns *turns, struct output_queue *queue)
{
	struct output_queue **link = &turns->first, *before = NULL;

	for (; *link != queue; link = &(*link)->next)
		before = *link;
	*link = queue->next;
	if (turns->last == queue)
		turns->last = before;
	set_listed(queue, false);
}

static void free_first(struct output_queue *queue)
{
	struct output_page *page = queue->first;

	queue->first = page->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->n_pages--;
	frame_free(virt_to_phys(page));
}

/* Lose the lines of the oldest page. */
static void drop_first(struct output_queue *queue)
{
	const struct output_page *page = queue->first;

	for (unsigned i = page->taken; i < page->used; i++)
		queue->n_lost += page->text[i] == '\n';
	free_first(queue);
}

static void keep_to_limit(struct output_queue *queue)
{
	while (queue->n_pages > OUTPUT_PAGES_MAX)
		drop_first(queue);
}

static bool has_room(const struct output_page *page, size_t len)
{
	return page != NULL && sizeof(page->text) - page->used >= len;
}

static void add_page(struct output_queue *queue)
{
	phys_t frame = frame_alloc();
	struct output_page *page = phys_to_virt(frame);

	if (frame == 0)
		return;
	page->next = NULL;
	page->used = page->taken = 0;
	if (queue->last)
		queue->last->next = page;
	else
		queue->first = page;
	queue->last = page;
	queue->n_pages++;
	keep_to_limit(queue);
}

void output_queue_put(struct output_turns *turns, struct output_queue *queue, const char *line,
		      size_t len)
{
	struct output_page *page;

	assert(len <= OUTPUT_LINE_MAX);
	list(turns, queue);
	if (!has_room(queue->last, len))
		add_page(queue);
	page = queue->last;
	if (!has_room(page, len)) {
		queue->n_lost++;
		return;
	}
	memcpy(page->text + page->used, line, len);
	page->used += (uint16_t)len;
}

static size_t take_line(struct output_queue *queue, char *line)
{
	struct output_page *page = queue->first;
	const char *text = page->text + page->taken;
	size_t len = 0;

	do
		line[len] = text[len];
	while (text[len++] != '\n');
	page->taken += (uint16_t)len;
	if (page->taken == page->used)
		free_first(queue);
	return len;
}

static size_t say_lost(struct output_turns *turns, struct output_queue *queue, char *line)
{
	size_t len = format(line, OUTPUT_LINE_MAX, "stencil: warning: %s: %u lines lost\n",
			    queue->name, queue->n_lost);

	__atomic_fetch_add(&turns->n_lost, queue->n_lost, __ATOMIC_RELAXED);
	queue->n_lost = 0;
	return len;
}

/* The queue's turn is over. */
static void go_last(struct output_turns *turns, struct output_queue *queue)
{
	unlist(turns, queue);
	list(turns, queue);
}

size_t output_queue_take(struct output_turns *turns, char line[OUTPUT_LINE_MAX])
{
	struct output_queue *queue = turns->first;
	size_t len;

	if (queue == NULL)
		return 0;
	len = queue->n_lost ? say_lost(turns, queue, line) : take_line(queue, line);
	queue->credit -= (int32_t)len;
	/* The lines that were lost have been said first. */
	if (queue->first == NULL)
		unlist(turns, queue);
	else if (queue->credit <= 0)
		go_last(turns, queue);
	return len;
}

bool output_queue_holds_vm(struct output_queue *queue)
{
	queue->is_awaited = queue->n_pages >= OUTPUT_PAGES_HELD;
	return queue->is_awaited;
}

bool output_queue_frees_vm(struct output_queue *queue)
{
	return queue->is_awaited && !output_queue_holds_vm(queue);
}

/*
 * Copy the first pages into the last one of 'to' as long as they fit: many VMs that have ended left
 * a line each, and a page for each of them would fill the queue.
 */
static void move_text(struct output_queue *from, struct output_queue *to)
{
	const struct output_page *page;
	struct output_page *last = to->last;

	while ((page = from->first) != NULL && has_room(last, page->used - page->taken)) {
		size_t len = page->used - page->taken;

		memcpy(last->text + last->used, page->text + page->taken, len);
		last->used += (uint16_t)len;
		free_first(from);
	}
}

void output_queue_move(struct output_turns *turns, struct output_queue *from,
		       struct output_queue *to)
{
	if (!from->is_listed)
		return;
	unlist(turns, from);
	list(turns, to);
	move_text(from, to);
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	if (from->last)
		to->last = from->last;
	to->n_pages += from->n_pages;
	to->n_lost += from->n_lost;
	*from = (struct output_queue){.name = from->name};
	keep_to_limit(to);
}
