/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Positions count two rounds of the ring, from 0 to twice its size: the wrap counter is 1 in the
 * first round and 0 in the second.
 */
#include "hv/virtio/packed_ring.h"

#define DESC_AVAIL BIT(7)
#define DESC_USED  BIT(15)

/* VIRTIO 1.2, "Event Suppression Structure Format". */
struct suppression {
	uint16_t event; /* a position, with its wrap counter in bit 15 */
	uint16_t flags;
};
#define EVENT_WRAP BIT(15)

enum suppression_flags { EVENTS_ENABLED = 0, EVENTS_DISABLED = 1, EVENT_AT_DESCRIPTOR = 2 };

static bool wrap_counter(const struct virtqueue *queue)
{
	return queue->next_avail < queue->size;
}

static gpa_t descriptor_at(const struct virtqueue *queue, unsigned position)
{
	return (gpa_t){queue->desc + sizeof(struct packed_descriptor) * (position % queue->size)};
}

/* Whether the driver has made the next chain available. */
static enum status is_available(const struct virtqueue *queue, struct guest_memory *memory,
				bool *ret)
{
	gpa_t gpa = descriptor_at(queue, queue->next_avail);
	uint16_t flags;

	gpa.raw += offsetof(struct packed_descriptor, flags);
	TRY(guest_read(memory, gpa, &flags, sizeof(flags)));
	*ret = !!(flags & DESC_AVAIL) == wrap_counter(queue) &&
	       !!(flags & DESC_USED) != wrap_counter(queue);
	/* Acquire: the driver writes these flags last. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return OK;
}

/* The chain's last descriptor has its identifier. */
static enum status find_end(const struct virtqueue *queue, struct guest_memory *memory,
			    struct virtqueue_chain *chain)
{
	struct packed_descriptor desc;

	do {
		if (chain->n_ring == queue->size)
			return ERR_CORRUPT;
		TRY(guest_read(memory, descriptor_at(queue, queue->next_avail + chain->n_ring),
			       &desc, sizeof(desc)));
		chain->n_ring++;
	} while (desc.flags & VIRTQUEUE_DESC_NEXT);
	chain->head = desc.id;
	return OK;
}

enum status packed_ring_get(const struct virtqueue *queue, struct guest_memory *memory,
			    struct virtqueue_chain *ret)
{
	bool is_there;

	TRY(is_available(queue, memory, &is_there));
	if (!is_there)
		return ERR_NOTFOUND;
	*ret = (struct virtqueue_chain){
		.memory = memory,
		.table = queue->desc,
		.n_table = queue->size,
		.next = queue->next_avail % queue->size,
		.n_left = queue->size,
		.has_next = true,
		.has_indirect = queue->has_indirect,
		.is_packed = true,
	};
	return find_end(queue, memory, ret);
}

/* Whether the driver wants to be told of the chain of 'n' descriptors before the next one. */
static enum status is_wanted(const struct virtqueue *queue, struct guest_memory *memory, unsigned n,
			     bool *ret)
{
	unsigned round = 2u * queue->size, event;
	struct suppression driver;

	/* Full barrier: the used descriptor is written before this is read. Pairs with the
	 * driver's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	TRY(guest_read(memory, (gpa_t){queue->driver}, &driver, sizeof(driver)));
	*ret = driver.flags != EVENTS_DISABLED;
	if (driver.flags != EVENT_AT_DESCRIPTOR || !queue->has_event_index)
		return OK;
	event = driver.event & (EVENT_WRAP - 1);
	if (!(driver.event & EVENT_WRAP))
		event += queue->size;
	*ret = (event + n + round - queue->next_avail) % round < n;
	return OK;
}

enum status packed_ring_put(struct virtqueue *queue, const struct virtqueue_chain *chain,
			    uint32_t n_written, bool *ret_tell)
{
	gpa_t gpa = descriptor_at(queue, queue->next_avail);
	struct packed_descriptor used = {
		.len = n_written,
		.id = chain->head,
		.flags = (uint16_t)((wrap_counter(queue) ? DESC_AVAIL | DESC_USED : 0) |
				    (n_written > 0 ? VIRTQUEUE_DESC_WRITE : 0)),
	};
	size_t body = offsetof(struct packed_descriptor, len);
	size_t flags = offsetof(struct packed_descriptor, flags);

	TRY(guest_write(chain->memory, (gpa_t){gpa.raw + body}, &used.len, flags - body));
	/* Release: the driver sees the rest before the flags. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	TRY(guest_write(chain->memory, (gpa_t){gpa.raw + flags}, &used.flags, sizeof(used.flags)));
	queue->next_avail = (uint16_t)((queue->next_avail + chain->n_ring) % (2u * queue->size));
	return is_wanted(queue, chain->memory, chain->n_ring, ret_tell);
}

enum status packed_ring_wait(const struct virtqueue *queue, struct guest_memory *memory,
			     bool *ret_more)
{
	struct suppression device = {
		.event = (uint16_t)(queue->next_avail % queue->size |
				    (wrap_counter(queue) ? EVENT_WRAP : 0)),
		.flags = EVENT_AT_DESCRIPTOR,
	};

	*ret_more = false;
	if (!queue->has_event_index)
		return OK;
	TRY(guest_write(memory, (gpa_t){queue->device}, &device, sizeof(device)));
	/* Full barrier: the event is written before the ring is read. Pairs with the driver's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return is_available(queue, memory, ret_more);
}
