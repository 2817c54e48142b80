/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"
#include "hv/lib/types.h"

/* What a virtqueue and a walk through one of its chains consist of: hv/virtio/virtqueue.h. */
#define VIRTQUEUE_SIZE_MAX 256 /* entries */

/* Flags of descriptors, of both kinds. */
#define VIRTQUEUE_DESC_NEXT	1
#define VIRTQUEUE_DESC_WRITE	2 /* by the device */
#define VIRTQUEUE_DESC_INDIRECT 4

/* Buffers end below this address. Above it lies no memory of the guest's. */
#define VIRTQUEUE_GPA_END MEM_HIDDEN_START

struct virtqueue {
	uint64_t desc, driver, device; /* the three areas, guest-physical */
	uint16_t size;		       /* entries; 0: not set */
	bool is_ready;
	bool has_indirect, has_event_index, is_packed; /* negotiated */
	uint8_t reserved;			       /* zero; part of saved states */
	/*
	 * Split: all chains so far, modulo 65536. Packed: next_avail is the position of the next
	 * chain, below twice the size, see hv/virtio/packed_ring.c; next_used is 0.
	 */
	uint16_t next_avail, next_used;
	uint64_t done; /* bytes of the next chain that the device has done */
};

/*
 * The next chain of a queue, and how far it has been walked: first the buffers that the device
 * reads, then those that it writes.
 */
struct virtqueue_chain {
	struct guest_memory *memory;
	uint64_t table; /* of descriptors, guest-physical */
	uint32_t n_table;
	uint16_t head; /* how the driver knows the chain */
	uint16_t next, n_left;
	uint16_t n_ring; /* packed: descriptors in the ring */
	bool has_next, has_indirect, is_indirect, is_packed;
	/* What is left of the buffer at hand. */
	uint64_t addr, len;
	bool writes; /* by the device */
};
