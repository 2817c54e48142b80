/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/virtio/virtio_pmem.h"

#include "hv/lib/string.h"

struct space {
	uint64_t start, size;
};
_Static_assert(sizeof(struct space) == 16, "VIRTIO 1.2, struct virtio_pmem_config");

static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	const struct virtio_pmem_config *config = (const struct virtio_pmem_config *)device->config;
	struct space is = {.start = config->start, .size = config->len};

	memcpy(space, &is, sizeof(is));
}

/* The answer is 0 for success, and all ones for a request that does not exist. */
static enum status serve(struct virtio *device, struct virtio_work *work)
{
	uint64_t readable, writable;
	uint32_t type, answer;

	(void)device;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (readable < sizeof(type) || writable < sizeof(answer))
		return ERR_CORRUPT;
	TRY(virtqueue_read(&work->chain, &type, sizeof(type)));
	answer = type == VIRTIO_PMEM_REQ_TYPE_FLUSH ? 0 : UINT32_MAX;
	work->n_written = sizeof(answer);
	work->is_done = true;
	return virtqueue_write(&work->chain, &answer, sizeof(answer));
}

const struct virtio_kind virtio_pmem = {
	.driver = "virtio-pmem-device",
	.id = 27,
	.n_queues = 1,
	.serve = serve,
	.describe = describe,
};
