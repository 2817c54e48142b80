/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/net/port.h"

/*
 * The machine's hubs, between which nothing passes. A hub has QEMU's name and is a switch: it
 * learns at which port an address is, from the frames that come from there, and sends frames for an
 * address that it has not learned, or for a group, to all other ports.
 *
 * An address is where it was last seen: a guest that sends with the address of another one gets
 * that one's frames, until that one sends again. Nothing ages; an address is forgotten with its
 * port, or when its port has sent with NET_ADDRESSES others since.
 */
#define NET_HUBS      64
#define NET_PORTS_MAX 4096 /* of a hub */

/* Ports that one call of net_send() copies a frame to, at most. */
#define NET_PORTS_AT_ONCE 8

/*
 * Connect a new port. ERR_NOMEM: there are not NET_PORT_FRAMES frames for it, or none for the hub.
 * ERR_RANGE: the hub has NET_PORTS_MAX ports.
 */
enum status net_connect(const struct net_port_config *config, struct net_port **ret);
/*
 * Forget the port and what has come for it. Waits for senders that copy into it at the moment, a
 * few frames each; none of them waits for a lock of the owner. The owner is not woken later.
 */
void net_disconnect(struct net_port *port);

/*
 * Send the port's 'frame' of 'len' bytes. '*progress' is 0 at first; false: call again with what it
 * is now, and the same frame. Any other value is safe, whatever ports it leaves out.
 */
bool net_send(struct net_port *port, size_t len, uint64_t *progress);

/* A line of a report. */
struct net_port_line {
	char name[64];
	unsigned device;
	unsigned n_addresses;
	struct net_counts counts;
};
/*
 * The first connected port of 'hub' in slot '*slot' or a later one, to which it moves. False: there
 * is none. Any processor.
 */
bool net_describe(unsigned hub, unsigned *slot, struct net_port_line *ret);
