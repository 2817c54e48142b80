/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What the fuzz targets of virtio devices share: 'device', a driver for it in the memory of
 * guest_regions.h, and assert(), which ends the target. Queue n has a table, rings and a buffer of
 * a page each, from DESC_AT(n) on; chains have one descriptor, number 0.
 */
#include "hv/lib/assert.h"
#include "hv/virtio/virtio.h"
#include "tests/unit/guest_regions.h"

#undef assert
#define assert(condition) ((condition) ? (void)0 : __builtin_trap())

enum { STEP = 8, QUEUE_SIZE = 8, AREA = 0x4000 };
#define DESC_AT(n)   (RAM + (n)*AREA)
#define AVAIL_AT(n)  (DESC_AT(n) + 0x1000)
#define USED_AT(n)   (DESC_AT(n) + 0x2000)
#define BUFFER_AT(n) (DESC_AT(n) + 0x3000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio device;

static void put(uint64_t gpa, const void *bytes, size_t len)
{
	assert(guest_write(&memory, at(gpa), bytes, len) == OK);
}

static void start_queue(unsigned n)
{
	device.queue_select = n;
	if (virtio_queue_idle(&device) == NULL)
		return;
	*virtio_queue_idle(&device) = (struct virtqueue){.size = QUEUE_SIZE,
							 .desc = DESC_AT(n),
							 .driver = AVAIL_AT(n),
							 .device = USED_AT(n)};
	virtio_start_queue(&device);
	put(AVAIL_AT(n), &(uint32_t){0}, 4);
	put(USED_AT(n), &(uint32_t){0}, 4);
}

/* As after a reset: with these features and all queues. */
static void start(uint64_t features)
{
	virtio_write_status(&device, 0);
	virtio_write_features(&device, 0, (uint32_t)features);
	virtio_write_features(&device, 1, (uint32_t)(features >> 32));
	virtio_write_status(&device, VIRTIO_FEATURES_OK);
	for (unsigned n = 0; n < device.config->kind->n_queues; n++)
		start_queue(n);
	virtio_write_status(&device, VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

/* Offer a chain of one buffer. */
static void offer_at(unsigned queue, uint64_t gpa, uint32_t len, uint16_t flags)
{
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc = {gpa, len, flags, 0};
	uint16_t index;

	put(DESC_AT(queue), &desc, sizeof(desc));
	assert(guest_read(&memory, at(AVAIL_AT(queue) + 2), &index, 2) == OK);
	put(AVAIL_AT(queue) + 4 + index % QUEUE_SIZE * 2, &(uint16_t){0}, 2);
	index++;
	put(AVAIL_AT(queue) + 2, &index, 2);
	virtio_notify(&device, queue);
}

static inline void offer(unsigned queue, uint32_t len, uint16_t flags)
{
	offer_at(queue, BUFFER_AT(queue), len, flags);
}
