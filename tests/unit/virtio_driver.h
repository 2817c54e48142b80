/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/devices/virtio_mmio.h"
#include "hv/guest/discard.h"
#include "hv/virtio/virtio_console.h"
#include "tests/unit/guest_regions.h"

/*
 * A driver of the tests' own, over the memory of guest_regions.h: it sets a device up through its
 * registers, and writes descriptors and rings, as they should be or not.
 */
#define RING_SIZE 8
#define RING(n)	  (RAM + (n)*KIB(64)) /* the areas of queue n: */
#define DESC(n)	  RING(n)
#define AVAIL(n)  (RING(n) + 0x1000)
#define USED(n)	  (RING(n) + 0x2000)
#define TABLE	  (RAM + MIB(1)) /* indirect descriptors */
#define BUFFER	  (RAM + MIB(2))

#define FLAG_NEXT     1
#define FLAG_WRITE    2
#define FLAG_INDIRECT 4

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct virtio device;
static uint16_t n_offered[VIRTIO_QUEUES_MAX];
static struct console_piece console_piece; /* of the last call of virtio_serve() */

/* In the slot of the first device. */
static inline uint64_t in_slot(uint64_t off)
{
	return off + VIRTIO_MMIO_LENGTH - VIRTIO_MMIO_SIZE;
}

static inline uint32_t get(uint64_t off)
{
	return (uint32_t)virtio_mmio_class.read(
		&device, &(struct io_access){.off = in_slot(off), .size = 4});
}

static inline uint32_t set(uint64_t off, uint32_t value)
{
	return virtio_mmio_class.write(
		&device, &(struct io_access){.off = in_slot(off), .size = 4, .value = value});
}

static inline void put(uint64_t gpa, const void *data, size_t len)
{
	assert_int_equal(guest_write(&memory, at(gpa), data, len), OK);
}

static inline void put16(uint64_t gpa, uint16_t value)
{
	put(gpa, &value, sizeof(value));
}

static inline uint16_t get16(uint64_t gpa)
{
	uint16_t value;

	assert_int_equal(guest_read(&memory, at(gpa), &value, sizeof(value)), OK);
	return value;
}

static inline uint32_t get32(uint64_t gpa)
{
	uint32_t value;

	assert_int_equal(guest_read(&memory, at(gpa), &value, sizeof(value)), OK);
	return value;
}

static inline void describe(uint64_t table, unsigned i, struct desc desc)
{
	put(table + i * sizeof(desc), &desc, sizeof(desc));
}

static inline void set_address(uint64_t off, uint64_t gpa)
{
	set(off, (uint32_t)gpa);
	set(off + 4, (uint32_t)(gpa >> 32));
}

static inline void start_queue(unsigned n)
{
	set(VIRTIO_MMIO_QUEUE_SELECT, n);
	set(VIRTIO_MMIO_QUEUE_SIZE, RING_SIZE);
	set_address(VIRTIO_MMIO_QUEUE_DESC, DESC(n));
	set_address(VIRTIO_MMIO_QUEUE_DRIVER, AVAIL(n));
	set_address(VIRTIO_MMIO_QUEUE_DEVICE, USED(n));
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	n_offered[n] = 0;
}

static inline void set_features(uint64_t features)
{
	set(VIRTIO_MMIO_DRIVER_FEATURES_SELECT, 0);
	set(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SELECT, 1);
	set(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

#define STATUS_BEFORE (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER)
#define STATUS_READY  (STATUS_BEFORE | VIRTIO_FEATURES_OK)
#define STATUS_RUNS   (STATUS_READY | VIRTIO_DRIVER_OK)

/* From power-on to a device that works. */
static inline void start_device(const struct virtio_config *config, uint64_t features)
{
	virtio_init(&device, config);
	set(VIRTIO_MMIO_STATUS, STATUS_BEFORE);
	set_features(features | VIRTIO_F_VERSION_1);
	set(VIRTIO_MMIO_STATUS, STATUS_READY);
	for (unsigned n = 0; n < config->kind->n_queues - config->n_absent; n++)
		start_queue(n);
	set(VIRTIO_MMIO_STATUS, STATUS_RUNS);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
}

/* Offer the chain that begins with descriptor 'head'. */
static inline void offer(unsigned n, uint16_t head)
{
	put16(AVAIL(n) + 4 + 2 * (n_offered[n] % RING_SIZE), head);
	put16(AVAIL(n) + 2, ++n_offered[n]);
}

static inline void next_random(void *buf, size_t len)
{
	static uint8_t n;

	memset(buf, ++n, len);
}

/* Do a piece. What it has discarded is freed after it. */
static inline void serve_once(void)
{
	struct discard discard = {0};
	struct virtio_host host = {.memory = &memory,
				   .fill_random = next_random,
				   .discard = &discard,
				   .console = &console_piece};

	assert_int_equal(virtio_serve(&device, &host), OK);
	discard_free(&discard);
}

/* Serve until nothing is left. Returns the calls. */
static inline unsigned serve(void)
{
	unsigned n = 0;

	for (; virtio_has_work(&device); n++)
		serve_once();
	return n;
}

/* How many chains the device has handed back, and the length of the last one. */
static inline uint16_t n_used(unsigned n)
{
	return get16(USED(n) + 2);
}

static inline uint32_t last_length(unsigned n)
{
	return get32(USED(n) + 4 + 8 * ((n_used(n) - 1u) % RING_SIZE) + 4);
}
