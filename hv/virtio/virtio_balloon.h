/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/*
 * VIRTIO 1.2, "Traditional Memory Balloon Device". The driver gives pages to the host by the
 * inflate queue, and takes them back by the deflate queue or by using them: a page that was given
 * away reads as zeros. By the reporting queue it tells which pages are free now.
 *
 * Its 'own' is how many pages the driver says that the balloon has. Its 'identity' is how many it
 * should have.
 */
extern const struct virtio_kind virtio_balloon;

#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM BIT(2)
#define VIRTIO_BALLOON_F_REPORTING	BIT(5)

#define VIRTIO_BALLOON_PAGE PAGE_SIZE /* bytes */

/*
 * A queue has a number if its feature is offered, the next free one. The statistics queue is not
 * offered, and none for hints.
 */
enum virtio_balloon_queue {
	VIRTIO_BALLOON_INFLATE,
	VIRTIO_BALLOON_DEFLATE,
	VIRTIO_BALLOON_REPORT,
	VIRTIO_BALLOON_QUEUES
};

/* Ask the driver for a balloon of that size, in pages. */
void virtio_balloon_ask(struct virtio *device, uint32_t n_pages);
