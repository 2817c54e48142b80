/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest may give away pages that it uses, its queues' above all: it finds zeros there. What is
 * not its own private memory is ignored, see hv/guest/discard.h.
 *
 * A chain is handed back by a call of its own: the driver uses its pages again once it has the
 * chain, and by then no processor may have the old translations.
 */
#include "hv/virtio/virtio_balloon.h"

#include "hv/guest/discard.h"
#include "hv/lib/string.h"

struct space {
	uint32_t num_pages, actual;
	uint32_t free_page_hint_cmd_id, poison_val; /* of features that are not offered */
};
_Static_assert(sizeof(struct space) == 16, "VIRTIO 1.2, struct virtio_balloon_config");

static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	struct space is = {.num_pages = (uint32_t)device->identity, .actual = device->own};

	memcpy(space, &is, sizeof(is));
}

static void configure(struct virtio *device, uint64_t off, uint32_t value)
{
	/* Atomic: the operator may ask for it. */
	if (off == offsetof(struct space, actual))
		__atomic_store_n(&device->own, value, __ATOMIC_RELAXED);
}

void virtio_balloon_ask(struct virtio *device, uint32_t n_pages)
{
	device->identity = n_pages;
	virtio_change(device);
}

/* Some of the page numbers that the chain has, each of 32 bits. */
static enum status inflate(struct virtio_work *work, uint64_t *done)
{
	uint32_t page[DISCARD_MAX];
	uint64_t readable, writable, len;

	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	readable = align_down(readable, sizeof(page[0]));
	if (*done > readable)
		return ERR_CORRUPT;
	work->is_done = *done == readable;
	len = readable - *done < sizeof(page) ? readable - *done : sizeof(page);
	TRY(virtqueue_skip(&work->chain, false, *done));
	TRY(virtqueue_read(&work->chain, page, len));
	for (size_t i = 0; i < len / sizeof(page[0]); i++)
		discard_page(work->host->discard, work->host->memory,
			     (gpa_t){page[i] * VIRTIO_BALLOON_PAGE});
	*done += len;
	return OK;
}

/* Some of a buffer. Returns how many of its bytes are done. */
static uint64_t report_some(const struct virtio_work *work, gpa_t gpa, uint64_t len)
{
	gpa_t next = {align_up(gpa.raw, VIRTIO_BALLOON_PAGE)};
	gpa_t end = {align_down(gpa.raw + len, VIRTIO_BALLOON_PAGE)};

	if (next.raw < end.raw)
		next = discard_some(work->host->discard, work->host->memory, next, end);
	return next.raw < end.raw ? next.raw - gpa.raw : len;
}

/* The chain's buffers are the free pages themselves. */
static enum status report(const struct virtio *device, struct virtio_work *work, uint64_t *done)
{
	uint64_t readable, writable, len;
	gpa_t gpa;

	if (!(device->driver_features & VIRTIO_BALLOON_F_REPORTING))
		return ERR_CORRUPT;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (*done > writable)
		return ERR_CORRUPT;
	work->is_done = *done == writable;
	if (work->is_done)
		return OK;
	TRY(virtqueue_skip(&work->chain, true, *done));
	TRY(virtqueue_take(&work->chain, true, writable - *done, &gpa, &len));
	*done += report_some(work, gpa, len);
	return OK;
}

static enum status serve(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;

	switch (work->queue) {
	case VIRTIO_BALLOON_INFLATE:
		return inflate(work, done);
	case VIRTIO_BALLOON_REPORT:
		return report(device, work, done);
	default: /* pages that the driver takes back are there when it uses them */
		work->is_done = true;
		return OK;
	}
}

const struct virtio_kind virtio_balloon = {
	.driver = "virtio-balloon-device",
	.id = 5,
	.n_queues = VIRTIO_BALLOON_QUEUES,
	.serve = serve,
	.describe = describe,
	.configure = configure,
};
