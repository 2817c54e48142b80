/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * A network device's end of a cable, and the ring of frames that have come and that its guest has
 * not taken yet. The other end is a hub, hv/net/hub.h.
 *
 * Any number of processors write into the ring, and one reads: neither waits for the other. A frame
 * that finds the ring full is dropped, as on a busy wire.
 */

/* Bytes of an Ethernet frame without its check sequence: IEEE 802.3 with one tag, MTU 1500. */
#define NET_FRAME_MIN  14 /* shorter ones than on a wire are passed on as they are */
#define NET_FRAME_MAX  1518
#define NET_FRAME_ROOM 2048

#define NET_RING_SIZE  64 /* frames, a power of two */
#define NET_RING_PAGES (NET_RING_SIZE * NET_FRAME_ROOM / PAGE_SIZE)

/* What a port takes of the machine's memory, in frames. */
#define NET_PORT_FRAMES (1 + NET_RING_PAGES)

/* Addresses that a hub learns at a port. One more takes the place of the oldest. */
#define NET_ADDRESSES 8

struct net_port;

struct net_address {
	uint64_t mac; /* as net_mac() has it; 0: unused */
	struct net_port *port;
	struct net_address *next; /* of the same hash */
};

struct net_port_config {
	const char *name; /* for reports, like 'owner' kept until net_disconnect() */
	unsigned hub;	  /* below NET_HUBS */
	unsigned device;  /* the owner's number for it */
	uint64_t seed;	  /* random */
	/* Make the owner look at net_has_news(). Any processor, no lock is held. */
	void (*wake)(void *owner);
	void *owner;
};

/* Since the port was connected. Atomic. */
struct net_counts {
	uint64_t n_received, n_sent;
	uint64_t n_dropped;   /* the ring was full */
	uint64_t n_malformed; /* sent, and too short or too long */
};

/* One frame of memory. */
struct net_port {
	struct net_port_config config;
	struct net_counts counts;
	/* Guarded by the hub's lock. */
	unsigned slot;
	unsigned next_address;
	struct net_address address[NET_ADDRESSES];

	/* Of hv/net/vsock.c, and guarded by its lock. */
	struct net_port *waits_for;		     /* whose ring was full */
	struct net_port *next_waiter, **waiter_link; /* who else waits, and what leads here */
	struct net_port *first_waiter;		     /* that waits for this port */
	bool has_waiters;			     /* or had; atomic, not guarded */
	bool is_closed; /* its guest has no driver; atomic, not guarded */

	unsigned n_users; /* senders that write into the ring, or wake the owner; atomic */
	bool has_news;	  /* since the owner has looked; atomic */
	uint32_t head;	  /* frames that were begun; atomic */
	uint32_t tail;	  /* frames that were taken; written by the owner, atomic */
	uint16_t len[NET_RING_SIZE]; /* 0: not complete yet; atomic */
	uint8_t *page[NET_RING_PAGES];
	/* The frame that the owner sends: filled in before net_send(). */
	uint8_t frame[NET_FRAME_ROOM];
};
_Static_assert(sizeof(struct net_port) <= PAGE_SIZE, "NET_PORT_FRAMES");

/* Six bytes as a number. */
static inline uint64_t net_mac(const uint8_t bytes[6])
{
	uint64_t mac = 0;

	for (unsigned i = 0; i < 6; i++)
		mac |= (uint64_t)bytes[i] << (8 * i);
	return mac;
}

/* The address is that of a group: IEEE 802, "Individual/Group bit". */
static inline bool net_is_group(uint64_t mac)
{
	return mac & 1;
}

/* Memory for a port, not connected yet. NULL: there are not NET_PORT_FRAMES frames. */
struct net_port *net_port_make(const struct net_port_config *config);
void net_port_free(struct net_port *port);

/* Copy a frame of at most NET_FRAME_MAX bytes into the ring, and wake the owner. Any processor. */
void net_port_put(struct net_port *port, const uint8_t *frame, size_t len);

/* The same, but false, and nothing done, if the ring is full. */
bool net_port_offer(struct net_port *port, const uint8_t *frame, size_t len);
/* How many frames are in the ring, complete or not. Any processor. */
uint32_t net_port_n(const struct net_port *port);
/* Make the owner look, as if a frame had come. Any processor. */
void net_port_wake(struct net_port *port);

/* The rest is for the owner alone. */

/* Whether frames have come since the last call. */
bool net_has_news(struct net_port *port);
/* The next frame, at '*ret', until net_take(). Returns its length; 0: there is none. */
size_t net_next(const struct net_port *port, const uint8_t **ret);
void net_take(struct net_port *port);
/* Drop the frames that have come. */
void net_flush(struct net_port *port);
