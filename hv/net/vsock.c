/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/net/vsock.h"

#include "hv/lib/assert.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"

#define LISTS 512

enum { WAKES_AT_ONCE = 8 };

/* Guards the lists, and the ports' fields that say so. */
static struct lock lock;
/* Of ports by CID, which configuration and numbers of clones choose. */
static struct net_address *lists[LISTS];

static struct net_address **list_of(uint64_t cid)
{
	return &lists[(cid ^ cid >> 16) % LISTS];
}

static struct net_port *find(uint64_t cid)
{
	struct net_address *address = *list_of(cid);

	while (address && address->mac != cid)
		address = address->next;
	return address ? address->port : NULL;
}

enum status vsock_connect(const struct net_port_config *config, uint64_t cid, struct net_port **ret)
{
	struct net_port *port = net_port_make(config);
	struct net_address **list = list_of(cid);
	bool is_taken;

	if (port == NULL)
		return ERR_NOMEM;
	lock_acquire(&lock);
	is_taken = find(cid) != NULL;
	if (!is_taken) {
		port->address[0] = (struct net_address){cid, port, *list};
		*list = &port->address[0];
	}
	lock_release(&lock);
	if (is_taken) {
		net_port_free(port);
		return ERR_RANGE;
	}
	*ret = port;
	return OK;
}

static void hold(struct net_port *port)
{
	__atomic_fetch_add(&port->n_users, 1, __ATOMIC_RELAXED);
}

static void release(struct net_port *port)
{
	/* Release pairs with vsock_disconnect(): what was written comes before. */
	__atomic_fetch_sub(&port->n_users, 1, __ATOMIC_RELEASE);
}

/* The port waits no longer. The lock is held. */
static void stop_waiting(struct net_port *port)
{
	if (port->waits_for == NULL)
		return;
	*port->waiter_link = port->next_waiter;
	if (port->next_waiter)
		port->next_waiter->waiter_link = port->waiter_link;
	port->waits_for = NULL;
}

/* The port waits for 'to'. The lock is held. */
static void begin_waiting(struct net_port *port, struct net_port *to)
{
	stop_waiting(port);
	port->waits_for = to;
	port->next_waiter = to->first_waiter;
	port->waiter_link = &to->first_waiter;
	if (port->next_waiter)
		port->next_waiter->waiter_link = &port->next_waiter;
	to->first_waiter = port;
}

/* Wake some of those that wait. Whether there may be more. */
static bool wake_some(struct net_port *port)
{
	struct net_port *waiter[WAKES_AT_ONCE];
	unsigned n = 0;

	lock_acquire(&lock);
	while (n < WAKES_AT_ONCE && port->first_waiter) {
		waiter[n] = port->first_waiter;
		stop_waiting(waiter[n]);
		hold(waiter[n++]);
	}
	lock_release(&lock);
	for (unsigned i = 0; i < n; i++) {
		net_port_wake(waiter[i]);
		release(waiter[i]);
	}
	return n == WAKES_AT_ONCE;
}

/* At half a ring, so that a sender does not wait for each packet. */
void vsock_taken(struct net_port *port)
{
	/* Sequentially consistent, as in wait_for(): either it finds room, or it is woken. */
	if (net_port_n(port) > NET_RING_SIZE / 2 ||
	    !__atomic_exchange_n(&port->has_waiters, false, __ATOMIC_SEQ_CST))
		return;
	while (wake_some(port))
		;
}

void vsock_disconnect(struct net_port *port)
{
	struct net_address **link;

	lock_acquire(&lock);
	link = list_of(port->address[0].mac);
	while (*link != &port->address[0])
		link = &(*link)->next;
	*link = port->address[0].next;
	stop_waiting(port);
	lock_release(&lock);
	while (wake_some(port))
		;
	/* Acquire pairs with release(). */
	while (__atomic_load_n(&port->n_users, __ATOMIC_ACQUIRE) > 0)
		__builtin_ia32_pause();
	net_port_free(port);
}

static void describe(const struct net_address *address, struct vsock_line *ret)
{
	const struct net_port *port = address->port;

	format(ret->name, sizeof(ret->name), "%s", port->config.name);
	ret->device = port->config.device;
	ret->cid = address->mac;
	ret->is_closed = __atomic_load_n(&port->is_closed, __ATOMIC_RELAXED);
	ret->n_waiting = net_port_n(port);
}

/* The port of the CID, held, if its guest has a driver; NULL: there is none. */
static struct net_port *hold_port(uint64_t cid)
{
	struct net_port *port;

	lock_acquire(&lock);
	port = find(cid);
	if (port && __atomic_load_n(&port->is_closed, __ATOMIC_RELAXED))
		port = NULL;
	if (port)
		hold(port);
	lock_release(&lock);
	return port;
}

/* Wait for 'to', which is held, and whose ring was full. OK: it has room again. */
static enum status wait_for(struct net_port *port, struct net_port *to)
{
	enum status status = OK;

	lock_acquire(&lock);
	__atomic_store_n(&to->has_waiters, true, __ATOMIC_SEQ_CST);
	if (find(to->address[0].mac) != to) {
		status = ERR_NOTFOUND;
	} else if (net_port_n(to) >= NET_RING_SIZE) {
		begin_waiting(port, to);
		status = ERR_BUSY;
	}
	lock_release(&lock);
	return status;
}

bool vsock_describe(unsigned *list, unsigned *index, struct vsock_line *ret)
{
	const struct net_address *address = NULL;

	for (; *list < LISTS && address == NULL; ++*list, *index = 0) {
		lock_acquire(&lock);
		address = lists[*list];
		for (unsigned i = 0; i < *index && address; i++)
			address = address->next;
		if (address)
			describe(address, ret);
		lock_release(&lock);
		if (address)
			break;
	}
	return address != NULL;
}

enum status vsock_send(struct net_port *port)
{
	const struct vsock_header *header = (const struct vsock_header *)port->frame;
	struct net_port *to = hold_port(header->dst_cid);
	enum status status = OK;

	assert(header->len <= VSOCK_DATA_MAX);
	if (to == NULL)
		return ERR_NOTFOUND;
	while (status == OK && !net_port_offer(to, port->frame, sizeof(*header) + header->len))
		status = wait_for(port, to);
	release(to);
	return status;
}
