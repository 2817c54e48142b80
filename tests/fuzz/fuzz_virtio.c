/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that does anything: 8 bytes of input for each access to a register, each change of its
 * memory, and each piece of work. The first byte chooses the device. The oracle: no access outside
 * the guest's memory is asked for twice, a piece of work is bounded, and a device that needs a
 * reset touches nothing until then.
 */
#include <string.h>

#include "hv/devices/virtio_mmio.h"
#include "hv/lib/assert.h"
#include "hv/virtio/virtio_pmem.h"
#include "hv/virtio/virtio_rng.h"

enum { STEP = 8, MEMORY = 0x4000 };
#define MEMORY_GPA UINT64_C(0x10000)

/*
 * Descriptors are read twice: to measure the chain, and to use it. Each may name a table. Those of
 * a packed queue are read once more, to find the chain's end.
 */
#define ACCESSES_MAX (5 * (VIRTQUEUE_SIZE_MAX + 1) + 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t bytes[MEMORY];
static unsigned n_accesses, n_refused;
static bool is_full;

static uint8_t *find(gpa_t gpa, size_t len)
{
	n_accesses++;
	if (gpa.raw < MEMORY_GPA || len > MEMORY || gpa.raw - MEMORY_GPA > MEMORY - len) {
		n_refused++;
		return NULL;
	}
	return bytes + (gpa.raw - MEMORY_GPA);
}

enum status guest_read(struct guest_memory *memory, gpa_t gpa, void *buf, size_t len)
{
	const uint8_t *from = find(gpa, len);

	if (from == NULL)
		return ERR_RANGE;
	memcpy(buf, from, len);
	return OK;
}

enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len)
{
	uint8_t *to = find(gpa, len);

	if (to == NULL)
		return ERR_RANGE;
	if (is_full)
		return ERR_NOMEM;
	memcpy(to, buf, len);
	return OK;
}

static void fill(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
}

/* A pmem device's configuration is larger; all are of that size. */
static const struct virtio_pmem_config configs[] = {
	{.base = {.kind = &virtio_rng}},
	{.base = {.kind = &virtio_rng, .features = VIRTIO_F_RING_PACKED}},
	{.base = {.kind = &virtio_pmem}, .start = 1, .len = 2},
	{.base = {.kind = &virtio_pmem, .features = VIRTIO_F_RING_PACKED}},
};

/* A register access: mostly 4 bytes at a register. */
static void touch(struct virtio *device, const uint8_t *step)
{
	struct io_access access = {.size = step[1] & 0x80 ? 1u << (step[1] & 3) : 4,
				   .off = VIRTIO_MMIO_LENGTH - VIRTIO_MMIO_SIZE + step[2] * 2u};

	memcpy(&access.value, step + 4, 4);
	if (step[1] & 1)
		(void)virtio_mmio_class.read(device, &access);
	else
		(void)virtio_mmio_class.write(device, &access);
}

/* What most drivers do first, so that the input need not find it. */
static void start(struct virtio *device, const uint8_t *step)
{
	struct virtqueue *queue = &device->queue[step[1] % VIRTIO_QUEUES_MAX];

	virtio_write_status(device, 0);
	virtio_write_features(device, 0,
			      (uint32_t)virtio_features(device) & ~(step[2] * 0x10000000u));
	virtio_write_features(device, 1, (uint32_t)(virtio_features(device) >> 32));
	virtio_write_status(device, VIRTIO_FEATURES_OK);
	device->queue_select = step[1] % VIRTIO_QUEUES_MAX;
	queue->size = (uint16_t)BIT(step[3] % 9);
	queue->desc = MEMORY_GPA;
	queue->driver = MEMORY_GPA + 0x1000;
	queue->device = MEMORY_GPA + 0x2000;
	virtio_start_queue(device);
	virtio_write_status(device, VIRTIO_DRIVER_OK);
	virtio_notify(device, device->queue_select);
}

static void work(struct virtio *device)
{
	struct virtio_host host = {.fill_random = fill};
	bool was_broken = device->status & VIRTIO_NEEDS_RESET;
	enum status status;

	n_accesses = n_refused = 0;
	status = virtio_serve(device, &host);
	assert(status == OK || (status == ERR_NOMEM && is_full));
	assert(n_accesses <= ACCESSES_MAX && n_refused <= 1);
	assert(n_refused == 0 || device->status & VIRTIO_NEEDS_RESET);
	assert(!was_broken || n_accesses == 0);
}

static void act(struct virtio *device, const uint8_t *step)
{
	uint16_t at;

	switch (step[0] % 6) {
	case 0:
		touch(device, step);
		break;
	case 1:
		start(device, step);
		break;
	case 2: /* a descriptor's address, near memory */
		at = (uint16_t)(step[1] * 16);
		memcpy(bytes + at, &(uint64_t){MEMORY_GPA + step[2] * 64u}, 8);
		memcpy(bytes + at + 8, step + 4, 4);
		break;
	case 3: /* its flags and its next, or an index of a ring */
		memcpy(&at, step + 2, sizeof(at));
		at = step[1] & 1 ? (uint16_t)(step[2] * 16 + 12) : at % (MEMORY - 4);
		memcpy(bytes + at, step + 4, 4);
		break;
	case 4: /* one more chain: an index of a split ring, flags of a packed one */
		bytes[0x1002]++;
		bytes[step[1] % 8 * 16 + 14] = step[4];
		bytes[step[1] % 8 * 16 + 15] = step[5];
		bytes[0x1004 + step[1] * 2] = step[2];
		virtio_notify(device, step[3] % 3);
		break;
	case 5:
		is_full = step[1] == 0xff;
		work(device);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_reader reader = {.section = "virtio"};
	struct virtio device;

	if (size == 0)
		return 0;
	memset(bytes, 0, sizeof(bytes));
	is_full = false;
	virtio_init(&device, &configs[data[0] % ARRAY_SIZE(configs)].base);
	for (size_t at = 1; at + STEP <= size; at += STEP) {
		act(&device, data + at);
		assert(virtio_mmio_class.check(&device, &reader) == OK);
	}
	return 0;
}
