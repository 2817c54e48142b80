/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of a socket device that does anything, beside a peer that takes what comes: 8 bytes of
 * input for each packet, each change of memory and each piece of work. The oracle: what the peer
 * gets is a whole packet that says truly from whom it is; the work ends; and after a reset the
 * device serves a driver that keeps to the rules.
 */
#include <string.h>

#include "hv/net/vsock.h"
#include "hv/virtio/virtio_console.h"
#include "hv/virtio/virtio_vsock.h"
#include "tests/fuzz/virtio_fuzz.h"

enum { N_QUEUES = 3, CID = 3, PEER = 4 };

static const struct virtio_config configs[] = {
	{.kind = &virtio_vsock, .features = VIRTIO_F_RING_PACKED, .identity = CID},
	{.kind = &virtio_vsock, .features = VIRTIO_VSOCK_F_STREAM, .identity = CID},
};
static struct net_port *peer;
static struct console_piece piece;

static void wake(void *owner)
{
}

static struct net_port *plug(uint64_t cid)
{
	struct net_port_config config = {.name = "a", .wake = wake};
	struct net_port *port;

	assert(vsock_connect(&config, cid, &port) == OK);
	return port;
}

static void post(const struct vsock_header *header, uint32_t len)
{
	put(BUFFER_AT(VIRTIO_VSOCK_SEND), header, sizeof(*header));
	offer(VIRTIO_VSOCK_SEND, sizeof(*header) + len, 0);
}

static void send(const uint8_t *step)
{
	static const uint64_t cids[] = {PEER, CID, VSOCK_CID_HOST, 99, PEER | UINT64_C(1) << 32};
	struct vsock_header header = {
		.src_cid = step[1] % 16 == 0 ? PEER : CID,
		.dst_cid = cids[step[2] % ARRAY_SIZE(cids)],
		.dst_port = step[3] % 3,
		.type = step[4] % 8 == 0 ? 2 : VSOCK_TYPE_STREAM,
		.op = step[5] % 9,
		.len = step[6] * 17u,
	};

	post(&header, header.len + (step[7] < 250 ? 0 : 250u - step[7]));
}

static void take(unsigned n)
{
	const uint8_t *packet;
	size_t len;

	while (n-- > 0 && (len = net_next(peer, &packet)) > 0) {
		const struct vsock_header *header = (const struct vsock_header *)packet;

		assert(len == sizeof(*header) + header->len);
		assert(header->src_cid == CID && header->dst_cid == PEER);
		net_take(peer);
	}
	vsock_taken(peer);
}

static void work(void)
{
	struct virtio_host host = {.memory = &memory, .console = &piece};

	piece.n_sent = 0;
	assert(virtio_serve(&device, &host) == OK);
	assert(piece.n_sent <= sizeof(piece.sent));
	assert(net_port_n(peer) <= NET_RING_SIZE && net_port_n(device.port) <= NET_RING_SIZE);
}

/* From the peer, or as the machine does it. */
static void happen(const uint8_t *step)
{
	struct vsock_header header = {.src_cid = PEER, .dst_cid = CID, .len = step[3]};

	memcpy(peer->frame, &header, sizeof(header));
	if (step[1] % 2)
		(void)vsock_send(peer);
	if (step[1] % 4 == 2)
		virtio_vsock_move(&device, CID);
	piece.is_held = step[2] % 2;
	virtio_vsock_look(&device);
}

static void act(const uint8_t *step)
{
	switch (step[0] % 8) {
	case 0:
		start(virtio_features(&device) & ~(uint64_t)(step[1] % 8));
		break;
	case 1: /* anything, in the queues and buffers */
		put(RAM + (step[1] | step[2] << 8) % (AREA * N_QUEUES), step + 4, 4);
		break;
	case 2:
		virtio_write_status(&device, step[1]);
		virtio_vsock_look(&device);
		break;
	case 3:
		offer(step[1] % N_QUEUES, step[2] | (uint32_t)step[3] << 8, step[4] % 8);
		break;
	case 4:
		send(step);
		break;
	case 5:
		happen(step);
		break;
	case 6:
		take(step[1]);
		break;
	case 7:
		for (unsigned i = 0; i <= step[2] % 16u; i++)
			work();
		break;
	}
}

/* A driver that keeps to the rules: its packet comes, and a stream to a CID that no port has is
 * reset. */
static void check_answer(void)
{
	struct vsock_header header = {.src_cid = CID, .dst_cid = PEER, .len = 3};

	take(UINT32_MAX);
	start(virtio_features(&device) & ~VIRTIO_F_RING_PACKED);
	net_flush(device.port);
	virtio_vsock_look(&device);
	post(&header, 3);
	for (unsigned i = 0; i < 100 && virtio_has_work(&device); i++)
		work();
	assert(!virtio_has_work(&device) && !(device.status & VIRTIO_NEEDS_RESET));
	assert(net_port_n(peer) == 1);
	take(1);
	header = (struct vsock_header){.src_cid = CID, .dst_cid = 99};
	offer(VIRTIO_VSOCK_RECEIVE, 2000, 2);
	post(&header, 0);
	for (unsigned i = 0; i < 100 && virtio_has_work(&device); i++) {
		work();
		virtio_vsock_look(&device);
	}
	assert(guest_read(&memory, at(BUFFER_AT(VIRTIO_VSOCK_RECEIVE)), &header, sizeof(header)) ==
	       OK);
	assert(header.src_cid == 99 && header.dst_cid == CID && header.op == VSOCK_OP_RST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_set_up;

	if (size == 0)
		return 0;
	if (!is_set_up)
		(void)setup(NULL);
	is_set_up = true;
	virtio_init(&device, &configs[data[0] % ARRAY_SIZE(configs)]);
	device.port = plug(CID);
	peer = plug(PEER);
	piece = (struct console_piece){0};
	start(virtio_features(&device));
	for (size_t i = 1; i + STEP <= size; i += STEP)
		act(data + i);
	check_answer();
	vsock_disconnect(device.port);
	vsock_disconnect(peer);
	return 0;
}
