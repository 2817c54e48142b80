/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two drivers that do anything, at a hub with a well-behaved port: 8 bytes of input for each access
 * to a register, each change of memory, and each piece of work. The oracle: what the third port
 * gets are frames of possible lengths, no more than were sent; the third port is never stopped from
 * sending and receiving; work is bounded; and all memory is free after the last port has gone.
 */
#include <string.h>

#include "hv/devices/virtio_mmio.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/net/hub.h"
#include "hv/virtio/virtio_net.h"
#include "tests/unit/support.h"

enum { STEP = 8, MEMORY = 0x8000, DEVICES = 2, N_FRAMES = 4 * NET_PORT_FRAMES };
#define MEMORY_GPA UINT64_C(0x10000)
#define FRAMES	   MIB(2)

/* A chain is measured and used, and so is each table that it names; then the frame. */
#define ACCESSES_MAX (8 * (VIRTQUEUE_SIZE_MAX + 1) + 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of each VM. */
static uint8_t bytes[DEVICES][MEMORY];
static struct virtio device[DEVICES];
static unsigned current; /* the VM that accesses memory */
static unsigned n_accesses;
static bool is_full;

static struct net_port *third;

static uint8_t *find(gpa_t gpa, size_t len)
{
	n_accesses++;
	if (gpa.raw < MEMORY_GPA || len > MEMORY || gpa.raw - MEMORY_GPA > MEMORY - len)
		return NULL;
	return bytes[current] + (gpa.raw - MEMORY_GPA);
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

static void wake(void *owner)
{
}

static const struct virtio_config config = {
	.kind = &virtio_net, .features = VIRTIO_NET_FEATURES, .identity = 0x0602};

static struct net_port *plug(void)
{
	struct net_port *port;

	assert(net_connect(&(struct net_port_config){.name = "fuzz", .seed = 7, .wake = wake},
			   &port) == OK);
	return port;
}

/* A register access: mostly 4 bytes at a register. */
static void touch(const uint8_t *step)
{
	struct io_access access = {.size = step[1] & 0x80 ? 1u << (step[1] & 3) : 4,
				   .off = VIRTIO_MMIO_LENGTH - VIRTIO_MMIO_SIZE + step[2] * 2u};

	memcpy(&access.value, step + 4, 4);
	if (step[1] & 1)
		(void)virtio_mmio_class.read(&device[current], &access);
	else
		(void)virtio_mmio_class.write(&device[current], &access);
}

static uint64_t ring(unsigned n)
{
	return MEMORY_GPA + n * 0x2000u;
}

/* What most drivers do first, so that the input need not find it. */
static void start(const uint8_t *step)
{
	struct virtio *of = &device[current];

	virtio_write_status(of, 0);
	virtio_write_features(of, 0, (uint32_t)virtio_features(of) & ~(step[2] * 0x10000000u));
	virtio_write_features(of, 1, (uint32_t)(virtio_features(of) >> 32));
	virtio_write_status(of, VIRTIO_FEATURES_OK);
	for (unsigned n = 0; n < virtio_net.n_queues; n++) {
		of->queue_select = n;
		of->queue[n].size = (uint16_t)BIT(step[3] % 9);
		of->queue[n].desc = ring(n);
		of->queue[n].driver = ring(n) + 0x1000;
		of->queue[n].device = ring(n) + 0x1800;
		virtio_start_queue(of);
	}
	virtio_write_status(of, VIRTIO_DRIVER_OK);
}

static void work(void)
{
	struct virtio *of = &device[current];
	struct virtio_host host = {.memory = NULL};
	bool was_broken = of->status & VIRTIO_NEEDS_RESET;
	enum status status;

	n_accesses = 0;
	virtio_net_look(of);
	status = virtio_serve(of, &host);
	assert(status == OK || (status == ERR_NOMEM && is_full));
	assert(n_accesses <= ACCESSES_MAX);
	assert(!was_broken || n_accesses == 0);
}

/* One more chain that begins with a descriptor, and the device is told of it. */
static void offer(const uint8_t *step)
{
	unsigned n = step[1] % virtio_net.n_queues;
	uint8_t *avail = bytes[current] + n * 0x2000u + 0x1000u;
	uint16_t index;

	memcpy(&index, avail + 2, sizeof(index));
	if (device[current].queue[n].size != 0)
		avail[4 + 2 * (index % device[current].queue[n].size)] = step[2];
	index++;
	memcpy(avail + 2, &index, sizeof(index));
	virtio_notify(&device[current], n);
}

static uint64_t n_sent(void)
{
	return device[0].port->counts.n_sent + device[1].port->counts.n_sent;
}

/* The third port takes what came, and sends to all: the others' rings may be full, not its way. */
static void third_is_well(void)
{
	uint64_t progress = 0;
	const uint8_t *frame;
	size_t len;

	for (unsigned n = 0; (len = net_next(third, &frame)) > 0; n++) {
		assert(len >= NET_FRAME_MIN && len <= NET_FRAME_MAX && n < NET_RING_SIZE);
		net_take(third);
	}
	assert(third->counts.n_received + third->counts.n_dropped <= n_sent());
	memset(third->frame, 0xff, 6);
	memset(third->frame + 6, 4, 54);
	assert(net_send(third, 60, &progress));
}

static void act(const uint8_t *step)
{
	uint16_t at;

	current = step[0] >> 7;
	switch (step[0] % 8) {
	case 0:
		touch(step);
		break;
	case 1:
		start(step);
		break;
	case 2: /* a descriptor: address near memory, length, flags and next */
		at = (uint16_t)((step[1] % 3) * 0x2000 + step[2] % 32 * 16);
		memcpy(bytes[current] + at, &(uint64_t){MEMORY_GPA + 0x6000 + step[3] * 32u}, 8);
		memcpy(bytes[current] + at + 8, &(uint32_t){(step[4] | step[5] << 8) & 0x7ff}, 4);
		bytes[current][at + 12] = step[6];
		bytes[current][at + 14] = step[7] % 32;
		break;
	case 3: /* anything, anywhere */
		memcpy(&at, step + 2, sizeof(at));
		memcpy(bytes[current] + at % (MEMORY - 4), step + 4, 4);
		break;
	case 4:
		offer(step);
		break;
	case 5:
		is_full = step[1] == 0xff;
		work();
		break;
	case 6:
		third_is_well();
		break;
	case 7: /* another clone, or another place */
		step[1] & 1 ? virtio_net_renew(&device[current], step[2])
			    : virtio_net_moved(&device[current]);
		break;
	}
}

static void begin(void)
{
	static bool has_memory;

	if (!has_memory)
		(void)phys_arena(FRAMES, align_up(N_FRAMES * PAGE_SIZE, MIB(2)));
	has_memory = true;
	frame_reset();
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	memset(bytes, 0, sizeof(bytes));
	is_full = false;
	third = plug();
	for (unsigned i = 0; i < DEVICES; i++) {
		virtio_init(&device[i], &config);
		device[i].port = plug();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_reader reader = {.section = "virtio"};

	begin();
	for (size_t at = 0; at + STEP <= size; at += STEP) {
		act(data + at);
		assert(virtio_mmio_class.check(&device[current], &reader) == OK);
	}
	third_is_well();
	net_disconnect(third);
	for (unsigned i = 0; i < DEVICES; i++)
		net_disconnect(device[i].port);
	assert(frame_available() == N_FRAMES);
	return 0;
}
