/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/*
 * VIRTIO 1.2, "Socket Device": packets of streams to and from a port of the machine's sockets,
 * hv/net/vsock.h. Credit is the two guests' own affair: a packet's is passed on. The host, CID 2,
 * always has the port VIRTIO_VSOCK_LINES: what is sent there is given to the caller of
 * virtio_serve(), in struct console_piece.
 *
 * Its identity is its CID. Its 'own' is whether the driver is to be told that its streams are gone.
 */
extern const struct virtio_kind virtio_vsock;

#define VIRTIO_VSOCK_F_STREAM BIT(0)

enum virtio_vsock_queue { VIRTIO_VSOCK_RECEIVE, VIRTIO_VSOCK_SEND, VIRTIO_VSOCK_EVENT };

#define VIRTIO_VSOCK_LINES 1

/* Of the configuration. Above them are the CIDs of clones. */
#define VIRTIO_VSOCK_CID_MAX 0x7fffu

/* The CID of clone 'number' of a VM with the CID 'cid' of the configuration. */
#define VIRTIO_VSOCK_NUMBERS 0x10000u
static inline uint64_t virtio_vsock_clone_cid(uint64_t cid, uint32_t number)
{
	return cid * VIRTIO_VSOCK_NUMBERS + number % VIRTIO_VSOCK_NUMBERS;
}

/* From here on are the CIDs of clones of clones, and of those whose number is too high. */
#define VIRTIO_VSOCK_CID_OTHER 0x80000000u

/* The device is elsewhere, and has this CID: its driver drops its streams, and asks for the CID. */
void virtio_vsock_move(struct virtio *device, uint64_t cid);

/* Packets may have come to the device's port, or it may send again: have it served. */
void virtio_vsock_look(struct virtio *device);
