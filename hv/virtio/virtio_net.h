/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/*
 * VIRTIO 1.2, "Network Device": frames to and from a port of a hub, hv/net/hub.h. Its identity is
 * its MAC address, as net_mac() has it.
 */
extern const struct virtio_kind virtio_net;

#define VIRTIO_NET_F_MAC	    BIT(5)
#define VIRTIO_NET_F_STATUS	    BIT(16)
#define VIRTIO_NET_F_CTRL_VQ	    BIT(17)
#define VIRTIO_NET_F_GUEST_ANNOUNCE BIT(21)
#define VIRTIO_NET_FEATURES \
	(VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | \
	 VIRTIO_NET_F_GUEST_ANNOUNCE)

/* Bits of the configuration space's status. */
enum virtio_net_status { VIRTIO_NET_LINK_UP = 1, VIRTIO_NET_ANNOUNCE = 2 };

enum virtio_net_queue { VIRTIO_NET_RECEIVE, VIRTIO_NET_SEND, VIRTIO_NET_CONTROL };

/* Bytes before each frame in a buffer, with VERSION_1. */
#define VIRTIO_NET_HEADER 12

/*
 * The address of a clone's device: 02, the last three bytes of the template's, and the clone's
 * number modulo 2^22, of which the highest 6 bits are in the first byte.
 */
uint64_t virtio_net_clone_mac(uint64_t mac, uint32_t number);
/* Give a clone's device its own address. */
void virtio_net_renew(struct virtio *device, uint32_t number);
/* The device is elsewhere, with the same address: ask the guest to tell all others. */
void virtio_net_moved(struct virtio *device);

/*
 * Frames may have come to the device's port: have them served, or drop them if there is no driver
 * to take them.
 */
void virtio_net_look(struct virtio *device);
