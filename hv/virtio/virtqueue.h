/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/virtio/ring.h"

/*
 * The device's side of a virtqueue, split or packed: "Virtual I/O Device (VIRTIO) Version 1.2",
 * "Split Virtqueues" and "Packed Virtqueues". Rings and buffers lie in the guest's memory, and
 * every byte of them may change at any time: each access goes through hv/guest/guest_memory.h, each
 * chain has at most as many buffers as the queue has entries, and what a walk has found is not
 * assumed by the next one.
 *
 * Locking: the VM's lock is held, and one caller at a time uses a queue.
 *
 * All functions return ERR_CORRUPT or ERR_RANGE for a queue that the driver has broken: then the
 * device needs a reset.
 */

/* The next chain, which stays the next one until virtqueue_put(). ERR_NOTFOUND: there is none. */
enum status virtqueue_get(const struct virtqueue *queue, struct guest_memory *memory,
			  struct virtqueue_chain *ret);
/*
 * Hand the next chain back, into which the device has written 'n_written' bytes. '*ret_tell':
 * whether the driver wants an interrupt. ERR_NOMEM: the chain is still the next one.
 */
enum status virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain,
			  uint32_t n_written, bool *ret_tell);
/*
 * No chain is left: ask the driver to notify of the next one. '*ret_more': there is one already,
 * which it may not notify of. ERR_NOMEM: it is not asked.
 */
enum status virtqueue_wait(const struct virtqueue *queue, struct guest_memory *memory,
			   bool *ret_more);

/* How many bytes the rest of the chain has. The chain is not moved on. */
enum status virtqueue_measure(const struct virtqueue_chain *chain, uint64_t *ret_readable,
			      uint64_t *ret_writable);

/*
 * Move on by 'n' bytes for the device to read, or to write. Buffers to read are skipped when bytes
 * to write are asked for. ERR_NOTFOUND: there are fewer.
 */
enum status virtqueue_skip(struct virtqueue_chain *chain, bool writes, uint64_t n);
/*
 * The same by 1 to 'max' bytes, which lie at '*ret': as many as the buffer at hand has. They need
 * not be memory.
 */
enum status virtqueue_take(struct virtqueue_chain *chain, bool writes, uint64_t max, gpa_t *ret,
			   uint64_t *ret_len);
/*
 * Copy the next 'len' bytes. ERR_NOTFOUND: there are fewer, and some may have been copied.
 * ERR_NOMEM: no frame for a private page.
 */
enum status virtqueue_read(struct virtqueue_chain *chain, void *buf, uint64_t len);
enum status virtqueue_write(struct virtqueue_chain *chain, const void *buf, uint64_t len);
