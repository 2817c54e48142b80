/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that asks a disk for anything: 8 bytes of input for each request, each change of memory
 * and each piece of work. The first byte chooses the disk. The oracle: only the disk's blocks are
 * touched, a read-only disk is not written, a piece of work moves at most as many bytes as it may,
 * and a device that needs a reset does nothing. At the end a request as it should be is answered.
 */
#include <string.h>

#include "hv/guest/hidden_memory.h"
#include "hv/lib/assert.h"
#include "hv/virtio/virtio_blk.h"

enum { STEP = 8, MEMORY = 0x8000, SECTORS = 256, DISK = SECTORS * VIRTIO_BLK_SECTOR };
#define MEMORY_GPA UINT64_C(0x10000)
#define HEADER	   0x4000
#define STATUS	   0x7ff0
#define QUEUE_SIZE 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t bytes[MEMORY], disk[DISK];
static uint64_t n_moved;
static unsigned n_discarded;
static bool is_full, is_ro;

#define FEATURES (VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH)
#define ERASE	 (VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)
static const struct virtio_blk_config configs[] = {
	{{.kind = &virtio_blk, .features = FEATURES | ERASE},
	 {MEM_HIDDEN_START},
	 SECTORS,
	 512,
	 true,
	 "a"},
	{{.kind = &virtio_blk, .features = FEATURES | ERASE},
	 {MEM_HIDDEN_START},
	 SECTORS,
	 4096,
	 false,
	 "b"},
	{{.kind = &virtio_blk, .features = FEATURES | VIRTIO_BLK_F_RO},
	 {MEM_HIDDEN_START},
	 SECTORS,
	 512,
	 false,
	 "c"},
};

/* NULL: not memory. */
static uint8_t *find(gpa_t gpa, uint64_t len)
{
	if (gpa.raw < MEMORY_GPA || len > MEMORY || gpa.raw - MEMORY_GPA > MEMORY - len)
		return NULL;
	return bytes + (gpa.raw - MEMORY_GPA);
}

const void *guest_byte(struct guest_memory *memory, gpa_t gpa)
{
	return find(gpa, 1);
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
	n_moved += len;
	memcpy(to, buf, len);
	return OK;
}

/* The blocks are never missed. */
static uint8_t *find_block(gpa_t gpa, uint64_t len)
{
	assert(gpa.raw >= MEM_HIDDEN_START && len <= DISK &&
	       gpa.raw - MEM_HIDDEN_START <= DISK - len);
	return disk + (gpa.raw - MEM_HIDDEN_START);
}

const void *hidden_byte(struct guest_memory *memory, gpa_t gpa)
{
	return find_block(gpa, 1);
}

enum status hidden_write(struct guest_memory *memory, gpa_t gpa, const void *buf, uint64_t len)
{
	uint8_t *to = find_block(gpa, len);

	assert(!is_ro);
	if (is_full)
		return ERR_NOMEM;
	n_moved += len;
	memcpy(to, buf, len);
	return OK;
}

enum status hidden_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	uint8_t *to = find_block(gpa, len);

	assert(!is_ro);
	n_moved += len;
	memset(to, 0, len);
	return is_full ? ERR_NOMEM : OK;
}

enum status hidden_discard(struct guest_memory *memory, gpa_t gpa, uint64_t len, uint64_t *ret_done)
{
	uint8_t *to = find_block(gpa, len);

	assert(!is_ro && len > 0 && is_aligned(gpa.raw | len, PAGE_SIZE));
	n_discarded++;
	if (is_full)
		return ERR_NOMEM;
	memset(to, 0, PAGE_SIZE);
	*ret_done = PAGE_SIZE;
	return OK;
}

static void start(struct virtio *device)
{
	struct virtqueue *queue = &device->queue[0];

	virtio_write_status(device, 0);
	virtio_write_features(device, 0, (uint32_t)virtio_features(device));
	virtio_write_features(device, 1, (uint32_t)(virtio_features(device) >> 32));
	virtio_write_status(device, VIRTIO_FEATURES_OK);
	queue->size = QUEUE_SIZE;
	queue->desc = MEMORY_GPA;
	queue->driver = MEMORY_GPA + 0x1000;
	queue->device = MEMORY_GPA + 0x2000;
	virtio_start_queue(device);
	virtio_write_status(device, VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	memset(bytes + 0x1000, 0, 0x2000);
}

static void describe(unsigned i, uint64_t at, uint32_t len, uint16_t flags)
{
	const uint16_t tail[] = {flags, (uint16_t)(i + 1)};

	memcpy(bytes + i * 16, &(uint64_t){MEMORY_GPA + at}, 8);
	memcpy(bytes + i * 16 + 8, &len, 4);
	memcpy(bytes + i * 16 + 12, tail, 4);
}

/* A request as drivers make it: type, sector, length in units of 256 bytes, flags of a range. */
static void request(const uint8_t *step)
{
	uint32_t type = step[1] & 0x1f, len = step[3] * 256u;
	uint64_t sector = step[2];
	bool is_range = type == VIRTIO_BLK_T_DISCARD || type == VIRTIO_BLK_T_WRITE_ZEROES;

	memcpy(bytes + HEADER, &(uint64_t[]){type, sector}, 16);
	memcpy(bytes + HEADER + 16, &(uint64_t[]){sector, step[3] | (uint64_t)step[4] << 32}, 16);
	describe(0, HEADER, 16, 1);
	describe(1, HEADER + 16 + (step[5] & 0x7f), is_range ? 16 : len,
		 (uint16_t)(1 | (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID ? 2 : 0)));
	describe(2, STATUS, 1, 2);
	bytes[STATUS] = 0xff;
}

static void offer(struct virtio *device, uint8_t head)
{
	uint16_t index = (uint16_t)(bytes[0x1002] | bytes[0x1003] << 8);

	bytes[0x1004 + index % QUEUE_SIZE * 2] = head;
	bytes[0x1005 + index % QUEUE_SIZE * 2] = 0;
	index++;
	memcpy(bytes + 0x1002, &index, 2);
	virtio_notify(device, 0);
}

static void work(struct virtio *device)
{
	struct virtio_host host = {0};
	bool was_broken = device->status & VIRTIO_NEEDS_RESET;
	enum status status;

	n_moved = n_discarded = 0;
	status = virtio_serve(device, &host);
	assert(status == OK || (status == ERR_NOMEM && is_full));
	/* Beside data, the rings: an entry, an index, the event; a status, and a serial number. */
	assert(n_moved <= VIRTIO_PIECE + 12 + 2 + 1 + VIRTIO_BLK_ID_BYTES);
	assert(n_discarded <= 64);
	assert(!was_broken || n_moved + n_discarded == 0);
}

static void act(struct virtio *device, const uint8_t *step)
{
	uint16_t at;

	switch (step[0] % 5) {
	case 0:
		start(device);
		break;
	case 1: /* anything, anywhere */
		memcpy(&at, step + 2, sizeof(at));
		memcpy(bytes + at % (MEMORY - 4), step + 4, 4);
		break;
	case 2:
		request(step);
		offer(device, 0);
		break;
	case 3:
		offer(device, step[1]);
		break;
	case 4:
		is_full = step[1] == 0xff;
		for (unsigned i = 0; i <= step[2] % 16u; i++)
			work(device);
		break;
	}
}

/* A request of a driver that keeps to the rules is answered. */
static void check_answer(struct virtio *device)
{
	is_full = false;
	start(device);
	request((const uint8_t[STEP]){2, VIRTIO_BLK_T_IN, SECTORS - 8, 16});
	offer(device, 0);
	while (virtio_has_work(device))
		work(device);
	assert(!(device->status & VIRTIO_NEEDS_RESET) && bytes[STATUS] == VIRTIO_BLK_S_OK);
	assert(memcmp(bytes + HEADER + 16, disk + DISK - 4096, 4096) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio device;

	if (size == 0)
		return 0;
	memset(bytes, 0, sizeof(bytes));
	for (unsigned i = 0; i < DISK; i++)
		disk[i] = (uint8_t)(i * 7 + (i >> 9));
	is_full = false;
	is_ro = data[0] % ARRAY_SIZE(configs) == 2;
	virtio_init(&device, &configs[data[0] % ARRAY_SIZE(configs)].base);
	for (size_t at = 1; at + STEP <= size; at += STEP)
		act(&device, data + at);
	check_answer(&device);
	return 0;
}
