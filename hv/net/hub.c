/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/net/hub.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/lock.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define HASHES	      (PAGE_SIZE / sizeof(struct net_address *))
#define SLOTS_OF_PAGE (PAGE_SIZE / sizeof(struct net_port *))
#define SLOT_PAGES    (NET_PORTS_MAX / SLOTS_OF_PAGE)
#define SLOTS_AT_ONCE 64 /* that are looked at with the lock held */
#define MAC_LEN	      6

/* A hub without ports is all zeros. */
static struct hub {
	/* Guards the rest, and the ports' fields that say so. Frames may be allocated inside. */
	struct lock lock;
	unsigned n_ports;
	unsigned n_slots;   /* in use, with gaps */
	unsigned free_from; /* no slot before this one is free */
	uint64_t seed;
	struct net_address **hash;	     /* HASHES lists */
	struct net_port **slots[SLOT_PAGES]; /* pages of them */
} hubs[NET_HUBS];

static struct net_port **slot_of(struct hub *hub, unsigned n)
{
	return &hub->slots[n / SLOTS_OF_PAGE][n % SLOTS_OF_PAGE];
}

/* Addresses. Guests cannot choose many of the same list: they do not know the seed. */

static struct net_address **list_of(struct hub *hub, uint64_t mac)
{
	uint64_t mixed = (mac ^ hub->seed) * UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 29) * (hub->seed | 1);
	return &hub->hash[(mixed >> 40) % HASHES];
}

static struct net_address *find(struct hub *hub, uint64_t mac)
{
	struct net_address *address = *list_of(hub, mac);

	while (address && address->mac != mac)
		address = address->next;
	return address;
}

static void forget(struct hub *hub, struct net_address *address)
{
	struct net_address **link = list_of(hub, address->mac);

	while (*link != address)
		link = &(*link)->next;
	*link = address->next;
	*address = (struct net_address){0};
}

static void learn(struct hub *hub, struct net_port *port, uint64_t mac)
{
	struct net_address *address = find(hub, mac), **list = list_of(hub, mac);

	if (net_is_group(mac) || mac == 0 || (address && address->port == port))
		return;
	if (address)
		forget(hub, address);
	address = &port->address[port->next_address++ % NET_ADDRESSES];
	if (address->port)
		forget(hub, address);
	*address = (struct net_address){mac, port, *list};
	*list = address;
}

/* Ports. */

static phys_t page_for(void *to)
{
	phys_t page = frame_alloc_zeroed();
	void *at = phys_to_virt(page);

	if (page != 0)
		memcpy(to, &at, sizeof(at));
	return page;
}

/* The first free slot, for which there is a page then. */
static enum status find_slot(struct hub *hub, unsigned *ret)
{
	unsigned n = hub->free_from;

	while (n < hub->n_slots && *slot_of(hub, n))
		n++;
	hub->free_from = n;
	if (n == NET_PORTS_MAX)
		return ERR_RANGE;
	if (!hub->hash && page_for(&hub->hash) == 0)
		return ERR_NOMEM;
	if (!hub->slots[n / SLOTS_OF_PAGE] && page_for(&hub->slots[n / SLOTS_OF_PAGE]) == 0)
		return ERR_NOMEM;
	*ret = n;
	return OK;
}

static void free_pages(struct hub *hub)
{
	if (hub->n_ports > 0)
		return;
	for (unsigned i = 0; i < SLOT_PAGES; i++) {
		if (hub->slots[i])
			frame_free(virt_to_phys(hub->slots[i]));
		hub->slots[i] = NULL;
	}
	if (hub->hash)
		frame_free(virt_to_phys(hub->hash));
	hub->hash = NULL;
	hub->n_slots = hub->free_from = 0;
}

static enum status plug_in(struct hub *hub, struct net_port *port)
{
	unsigned n;

	TRY(find_slot(hub, &n));
	if (hub->n_ports++ == 0)
		hub->seed = port->config.seed;
	if (hub->n_slots <= n)
		hub->n_slots = n + 1;
	port->slot = n;
	*slot_of(hub, n) = port;
	return OK;
}

enum status net_connect(const struct net_port_config *config, struct net_port **ret)
{
	struct hub *hub = &hubs[config->hub];
	struct net_port *port = net_port_make(config);
	enum status status;

	assert(config->hub < NET_HUBS);
	if (port == NULL)
		return ERR_NOMEM;
	lock_acquire(&hub->lock);
	status = plug_in(hub, port);
	if (status != OK)
		free_pages(hub);
	lock_release(&hub->lock);
	if (status == OK)
		*ret = port;
	else
		net_port_free(port);
	return status;
}

void net_disconnect(struct net_port *port)
{
	struct hub *hub = &hubs[port->config.hub];

	lock_acquire(&hub->lock);
	*slot_of(hub, port->slot) = NULL;
	if (port->slot < hub->free_from)
		hub->free_from = port->slot;
	for (unsigned i = 0; i < NET_ADDRESSES; i++)
		if (port->address[i].port)
			forget(hub, &port->address[i]);
	hub->n_ports--;
	free_pages(hub);
	lock_release(&hub->lock);
	/* Acquire pairs with release(). */
	while (__atomic_load_n(&port->n_users, __ATOMIC_ACQUIRE) > 0)
		__builtin_ia32_pause();
	net_port_free(port);
}

/* Sending. */

/* The ports of one piece of work, which stay until release(). */
struct receivers {
	struct net_port *port[NET_PORTS_AT_ONCE];
	unsigned n;
};

static void hold(struct receivers *to, struct net_port *port)
{
	__atomic_fetch_add(&port->n_users, 1, __ATOMIC_RELAXED);
	to->port[to->n++] = port;
}

static void release(struct net_port *port)
{
	/* Release pairs with net_disconnect(): what was written comes before. */
	__atomic_fetch_sub(&port->n_users, 1, __ATOMIC_RELEASE);
}

/* Hold the next of all ports, from slot '*slot' on. False: there may be more. */
static bool hold_all(struct hub *hub, const struct net_port *from, uint64_t *slot,
		     struct receivers *to)
{
	for (unsigned n = 0; n < SLOTS_AT_ONCE && to->n < NET_PORTS_AT_ONCE; n++) {
		struct net_port *port;

		if (*slot >= hub->n_slots)
			return true;
		port = *slot_of(hub, (unsigned)(*slot)++);
		if (port && port != from)
			hold(to, port);
	}
	return *slot >= hub->n_slots;
}

/* Decide where the frame goes. False: to more ports later. The hub is locked. */
static bool route(struct hub *hub, struct net_port *from, uint64_t *progress, struct receivers *to)
{
	uint64_t mac = net_mac(from->frame);
	struct net_address *known;

	if (*progress == 0) {
		learn(hub, from, net_mac(from->frame + MAC_LEN));
		known = net_is_group(mac) ? NULL : find(hub, mac);
		if (known && known->port != from)
			hold(to, known->port);
		if (known)
			return true;
	}
	return hold_all(hub, from, progress, to);
}

bool net_send(struct net_port *port, size_t len, uint64_t *progress)
{
	struct hub *hub = &hubs[port->config.hub];
	struct receivers to = {.n = 0};
	bool is_first = *progress == 0;
	bool is_done;

	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX) {
		__atomic_fetch_add(&port->counts.n_malformed, 1, __ATOMIC_RELAXED);
		return true;
	}
	if (is_first)
		__atomic_fetch_add(&port->counts.n_sent, 1, __ATOMIC_RELAXED);
	lock_acquire(&hub->lock);
	is_done = route(hub, port, progress, &to);
	lock_release(&hub->lock);
	for (unsigned i = 0; i < to.n; i++) {
		net_port_put(to.port[i], port->frame, len);
		release(to.port[i]);
	}
	return is_done;
}

static void copy_counts(struct net_counts *to, const struct net_counts *from)
{
	to->n_received = __atomic_load_n(&from->n_received, __ATOMIC_RELAXED);
	to->n_sent = __atomic_load_n(&from->n_sent, __ATOMIC_RELAXED);
	to->n_dropped = __atomic_load_n(&from->n_dropped, __ATOMIC_RELAXED);
	to->n_malformed = __atomic_load_n(&from->n_malformed, __ATOMIC_RELAXED);
}

static void describe(const struct net_port *port, struct net_port_line *ret)
{
	format(ret->name, sizeof(ret->name), "%s", port->config.name);
	ret->device = port->config.device;
	ret->n_addresses = 0;
	for (unsigned i = 0; i < NET_ADDRESSES; i++)
		ret->n_addresses += port->address[i].port != NULL;
	copy_counts(&ret->counts, &port->counts);
}

bool net_describe(unsigned hub_number, unsigned *slot, struct net_port_line *ret)
{
	struct hub *hub = &hubs[hub_number];
	bool is_there = false;

	lock_acquire(&hub->lock);
	while (*slot < hub->n_slots && !*slot_of(hub, *slot))
		(*slot)++;
	if (*slot < hub->n_slots) {
		describe(*slot_of(hub, *slot), ret);
		is_there = true;
	}
	lock_release(&hub->lock);
	return is_there;
}
