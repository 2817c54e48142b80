/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks descriptors one at a time and keeps no copy of a chain, so a chain costs no memory here
 * however many buffers it has.
 */
#include "hv/virtio/virtqueue.h"

#include "hv/lib/string.h"
#include "hv/virtio/packed_ring.h"

/* Offsets of VIRTIO 1.2, "The Virtqueue Available Ring" and "The Virtqueue Used Ring", in bytes. */
#define RING_INDEX   2
#define RING_ENTRIES 4

#define AVAIL_NO_INTERRUPT 1

struct descriptor {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
_Static_assert(sizeof(struct descriptor) == 16, "VIRTIO 1.2, The Virtqueue Descriptor Table");

struct used_entry {
	uint32_t id;
	uint32_t len;
};

static enum status read_index(struct guest_memory *memory, uint64_t gpa, uint16_t *ret)
{
	return guest_read(memory, (gpa_t){gpa}, ret, sizeof(*ret));
}

static uint64_t avail_entry(const struct virtqueue *queue, uint16_t n)
{
	return queue->driver + RING_ENTRIES + sizeof(uint16_t) * (n & (queue->size - 1));
}

static uint64_t used_entry(const struct virtqueue *queue, uint16_t n)
{
	return queue->device + RING_ENTRIES + sizeof(struct used_entry) * (n & (queue->size - 1));
}

/* Each ring ends with the index from which on its reader wants to be told. */
static uint64_t used_event(const struct virtqueue *queue)
{
	return queue->driver + RING_ENTRIES + sizeof(uint16_t) * queue->size;
}

static uint64_t avail_event(const struct virtqueue *queue)
{
	return queue->device + RING_ENTRIES + sizeof(struct used_entry) * queue->size;
}

/* How many chains wait. */
static enum status count_waiting(const struct virtqueue *queue, struct guest_memory *memory,
				 uint16_t *ret)
{
	uint16_t index;

	TRY(read_index(memory, queue->driver + RING_INDEX, &index));
	*ret = (uint16_t)(index - queue->next_avail);
	return *ret <= queue->size ? OK : ERR_CORRUPT;
}

enum status virtqueue_get(const struct virtqueue *queue, struct guest_memory *memory,
			  struct virtqueue_chain *ret)
{
	uint16_t n, head;

	if (queue->is_packed)
		return packed_ring_get(queue, memory, ret);
	TRY(count_waiting(queue, memory, &n));
	if (n == 0)
		return ERR_NOTFOUND;
	TRY(read_index(memory, avail_entry(queue, queue->next_avail), &head));
	if (head >= queue->size)
		return ERR_CORRUPT;
	*ret = (struct virtqueue_chain){
		.memory = memory,
		.table = queue->desc,
		.n_table = queue->size,
		.head = head,
		.next = head,
		.n_left = queue->size,
		.has_next = true,
		.has_indirect = queue->has_indirect,
	};
	return OK;
}

/* Whether the driver wants to be told of the chain before queue->next_used. */
static enum status is_wanted(const struct virtqueue *queue, struct guest_memory *memory, bool *ret)
{
	uint16_t flags, event;

	/* Full barrier: the used index is written before this is read. Pairs with the driver's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->has_event_index) {
		TRY(read_index(memory, used_event(queue), &event));
		*ret = event == (uint16_t)(queue->next_used - 1);
		return OK;
	}
	TRY(read_index(memory, queue->driver, &flags));
	*ret = !(flags & AVAIL_NO_INTERRUPT);
	return OK;
}

enum status virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain,
			  uint32_t n_written, bool *ret_tell)
{
	struct used_entry entry = {chain->head, n_written};
	struct guest_memory *memory = chain->memory;
	uint16_t index = (uint16_t)(queue->next_used + 1);

	if (queue->is_packed)
		return packed_ring_put(queue, chain, n_written, ret_tell);
	TRY(guest_write(memory, (gpa_t){used_entry(queue, queue->next_used)}, &entry,
			sizeof(entry)));
	/* Release: the driver sees the entry before the index. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	TRY(guest_write(memory, (gpa_t){queue->device + RING_INDEX}, &index, sizeof(index)));
	queue->next_used = index;
	queue->next_avail++;
	return is_wanted(queue, memory, ret_tell);
}

enum status virtqueue_wait(const struct virtqueue *queue, struct guest_memory *memory,
			   bool *ret_more)
{
	uint16_t n;

	if (queue->is_packed)
		return packed_ring_wait(queue, memory, ret_more);
	*ret_more = false;
	if (!queue->has_event_index)
		return OK;
	TRY(guest_write(memory, (gpa_t){avail_event(queue)}, &queue->next_avail,
			sizeof(queue->next_avail)));
	/* Full barrier: the event is written before the index is read. Pairs with the driver's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	TRY(count_waiting(queue, memory, &n));
	*ret_more = n > 0;
	return OK;
}

/* Continue in the table to which a descriptor leads, as its chain's last one. */
static enum status enter_table(struct virtqueue_chain *chain, const struct descriptor *desc)
{
	if (!chain->has_indirect || chain->is_indirect || desc->flags & VIRTQUEUE_DESC_NEXT ||
	    desc->len == 0 || desc->len % sizeof(*desc) != 0)
		return ERR_CORRUPT;
	chain->table = desc->addr;
	chain->n_table = desc->len / sizeof(*desc);
	chain->next = 0;
	chain->is_indirect = true;
	return OK;
}

static enum status enter_buffer(struct virtqueue_chain *chain, const struct descriptor *desc)
{
	bool writes = desc->flags & VIRTQUEUE_DESC_WRITE;

	if (desc->addr > VIRTQUEUE_GPA_END - desc->len || (chain->writes && !writes))
		return ERR_CORRUPT;
	chain->addr = desc->addr;
	chain->len = desc->len;
	chain->writes = writes;
	chain->has_next = desc->flags & VIRTQUEUE_DESC_NEXT;
	chain->next = desc->next;
	return OK;
}

/* The same descriptor as a split queue would have it: each one of an indirect table is a buffer. */
static struct descriptor unpack(const struct virtqueue_chain *chain,
				const struct packed_descriptor *desc)
{
	uint16_t flags = desc->flags, next = (uint16_t)(chain->next + 1);

	if (chain->is_indirect) {
		flags &= (uint16_t)~VIRTQUEUE_DESC_NEXT;
		flags |= next < chain->n_table ? VIRTQUEUE_DESC_NEXT : 0;
	} else if (next == chain->n_table) {
		next = 0;
	}
	return (struct descriptor){desc->addr, desc->len, flags, next};
}

static enum status read_descriptor(const struct virtqueue_chain *chain, struct descriptor *ret)
{
	struct packed_descriptor packed;
	uint64_t gpa;

	if (chain->next >= chain->n_table ||
	    __builtin_add_overflow(chain->table, sizeof(*ret) * chain->next, &gpa))
		return ERR_CORRUPT;
	if (!chain->is_packed)
		return guest_read(chain->memory, (gpa_t){gpa}, ret, sizeof(*ret));
	TRY(guest_read(chain->memory, (gpa_t){gpa}, &packed, sizeof(packed)));
	*ret = unpack(chain, &packed);
	return OK;
}

/* Make the next buffer the one at hand. It may be empty. */
static enum status next_buffer(struct virtqueue_chain *chain)
{
	struct descriptor desc;

	if (!chain->has_next)
		return ERR_NOTFOUND;
	if (chain->n_left == 0)
		return ERR_CORRUPT;
	chain->n_left--;
	TRY(read_descriptor(chain, &desc));
	if (desc.flags & VIRTQUEUE_DESC_INDIRECT) {
		TRY(enter_table(chain, &desc));
		TRY(read_descriptor(chain, &desc));
		if (desc.flags & VIRTQUEUE_DESC_INDIRECT)
			return ERR_CORRUPT;
	}
	return enter_buffer(chain, &desc);
}

enum status virtqueue_measure(const struct virtqueue_chain *chain, uint64_t *ret_readable,
			      uint64_t *ret_writable)
{
	struct virtqueue_chain walk = *chain;
	uint64_t total[2] = {0};
	enum status status;

	do {
		total[walk.writes] += walk.len;
		status = next_buffer(&walk);
	} while (status == OK);
	*ret_readable = total[false];
	*ret_writable = total[true];
	return status == ERR_NOTFOUND ? OK : status;
}

enum status virtqueue_take(struct virtqueue_chain *chain, bool writes, uint64_t max, gpa_t *ret,
			   uint64_t *ret_len)
{
	while (chain->len == 0 || (writes && !chain->writes))
		TRY(next_buffer(chain));
	if (chain->writes != writes)
		return ERR_NOTFOUND;
	*ret = (gpa_t){chain->addr};
	*ret_len = chain->len < max ? chain->len : max;
	chain->addr += *ret_len;
	chain->len -= *ret_len;
	return OK;
}

enum status virtqueue_skip(struct virtqueue_chain *chain, bool writes, uint64_t n)
{
	while (n > 0) {
		uint64_t len;
		gpa_t gpa;

		TRY(virtqueue_take(chain, writes, n, &gpa, &len));
		n -= len;
	}
	return OK;
}

enum status virtqueue_read(struct virtqueue_chain *chain, void *buf, uint64_t len)
{
	char *to = buf;

	while (len > 0) {
		uint64_t n;
		gpa_t gpa;

		TRY(virtqueue_take(chain, false, len, &gpa, &n));
		TRY(guest_read(chain->memory, gpa, to, n));
		to += n;
		len -= n;
	}
	return OK;
}

enum status virtqueue_write(struct virtqueue_chain *chain, const void *buf, uint64_t len)
{
	const char *from = buf;

	while (len > 0) {
		uint64_t n;
		gpa_t gpa;

		TRY(virtqueue_take(chain, true, len, &gpa, &n));
		TRY(guest_write(chain->memory, gpa, from, n));
		from += n;
		len -= n;
	}
	return OK;
}
