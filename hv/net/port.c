/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/net/port.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

static uint8_t *room(const struct net_port *port, uint32_t n)
{
	uint64_t at = (uint64_t)(n % NET_RING_SIZE) * NET_FRAME_ROOM;

	return port->page[at / PAGE_SIZE] + at % PAGE_SIZE;
}

static uint16_t *length(struct net_port *port, uint32_t n)
{
	return &port->len[n % NET_RING_SIZE];
}

static bool add_pages(struct net_port *port)
{
	for (unsigned i = 0; i < NET_RING_PAGES; i++) {
		phys_t page = frame_alloc();

		if (page == 0)
			return false;
		port->page[i] = phys_to_virt(page);
	}
	return true;
}

struct net_port *net_port_make(const struct net_port_config *config)
{
	phys_t frame = frame_alloc_zeroed();
	struct net_port *port;

	if (frame == 0)
		return NULL;
	port = phys_to_virt(frame);
	port->config = *config;
	if (add_pages(port))
		return port;
	net_port_free(port);
	return NULL;
}

void net_port_free(struct net_port *port)
{
	for (unsigned i = 0; i < NET_RING_PAGES; i++)
		if (port->page[i])
			frame_free(virt_to_phys(port->page[i]));
	frame_free(virt_to_phys(port));
}

/* A place in the ring; false: it is full. */
static bool reserve(struct net_port *port, uint32_t *ret)
{
	uint32_t head = __atomic_load_n(&port->head, __ATOMIC_RELAXED);

	do {
		/* Acquire pairs with net_take(): the owner has done with the place. */
		if (head - __atomic_load_n(&port->tail, __ATOMIC_ACQUIRE) >= NET_RING_SIZE)
			return false;
	} while (!__atomic_compare_exchange_n(&port->head, &head, head + 1, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	*ret = head;
	return true;
}

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void net_port_wake(struct net_port *port)
{
	/* Sequentially consistent, as in net_has_news(): either it sees the frame, or it is woken.
	 */
	if (!__atomic_exchange_n(&port->has_news, true, __ATOMIC_SEQ_CST))
		port->config.wake(port->config.owner);
}

uint32_t net_port_n(const struct net_port *port)
{
	/* The tail first: it is never ahead of the head. */
	uint32_t tail = __atomic_load_n(&port->tail, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&port->head, __ATOMIC_SEQ_CST) - tail;
}

bool net_port_offer(struct net_port *port, const uint8_t *frame, size_t len)
{
	uint32_t n;

	assert(len > 0 && len <= NET_FRAME_MAX);
	if (!reserve(port, &n))
		return false;
	memcpy(room(port, n), frame, len);
	/* Release pairs with net_next(): the frame is written before its length. */
	__atomic_store_n(length(port, n), (uint16_t)len, __ATOMIC_RELEASE);
	net_port_wake(port);
	return true;
}

void net_port_put(struct net_port *port, const uint8_t *frame, size_t len)
{
	if (!net_port_offer(port, frame, len))
		count(&port->counts.n_dropped);
}

bool net_has_news(struct net_port *port)
{
	return __atomic_load_n(&port->has_news, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&port->has_news, false, __ATOMIC_SEQ_CST);
}

size_t net_next(const struct net_port *port, const uint8_t **ret)
{
	uint32_t n = port->tail;

	*ret = room(port, n);
	/* Acquire pairs with net_port_put(). */
	return __atomic_load_n(&port->len[n % NET_RING_SIZE], __ATOMIC_ACQUIRE);
}

void net_take(struct net_port *port)
{
	__atomic_store_n(length(port, port->tail), 0, __ATOMIC_RELAXED);
	/* Release pairs with reserve(). */
	__atomic_store_n(&port->tail, port->tail + 1, __ATOMIC_RELEASE);
	count(&port->counts.n_received);
}

void net_flush(struct net_port *port)
{
	const uint8_t *frame;

	for (unsigned i = 0; i < NET_RING_SIZE && net_next(port, &frame) > 0; i++)
		net_take(port);
}
