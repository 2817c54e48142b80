/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/virtio/virtio_rng.h"

/* Bytes for a chain, at most. A driver that wants more asks again. */
#define AT_ONCE 256

static enum status serve(struct virtio *device, struct virtio_work *work)
{
	uint8_t bytes[AT_ONCE];
	uint64_t readable, writable;

	(void)device;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	work->n_written = writable < AT_ONCE ? (uint32_t)writable : AT_ONCE;
	work->host->fill_random(bytes, work->n_written);
	work->is_done = true;
	return virtqueue_write(&work->chain, bytes, work->n_written);
}

const struct virtio_kind virtio_rng = {
	.driver = "virtio-rng-device",
	.id = 4,
	.n_queues = 1,
	.serve = serve,
};
