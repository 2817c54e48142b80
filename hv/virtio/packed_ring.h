/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/virtio/ring.h"

/*
 * What differs where a queue is packed: VIRTIO 1.2, "Packed Virtqueues". One ring of descriptors
 * serves both sides. 'driver' and 'device' are the two event suppression structures. Chains are
 * handed back in the order in which they came.
 *
 * Errors and locking are those of hv/virtio/virtqueue.h, which calls these functions.
 */
struct packed_descriptor {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};
_Static_assert(sizeof(struct packed_descriptor) == 16, "VIRTIO 1.2, The Virtqueue Descriptor");

enum status packed_ring_get(const struct virtqueue *queue, struct guest_memory *memory,
			    struct virtqueue_chain *ret);
enum status packed_ring_put(struct virtqueue *queue, const struct virtqueue_chain *chain,
			    uint32_t n_written, bool *ret_tell);
enum status packed_ring_wait(const struct virtqueue *queue, struct guest_memory *memory,
			     bool *ret_more);
