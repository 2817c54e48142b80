/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No offloads: each frame is whole, at most NET_FRAME_MAX bytes long, in one chain. The device
 * filters nothing; a driver that has not asked for all frames drops those of others itself.
 */
#include "hv/virtio/virtio_net.h"

#include "hv/lib/string.h"
#include "hv/net/hub.h"

/* VIRTIO 1.2, "Control Virtqueue" and "Gratuitous Packet Sending". */
#define CLASS_ANNOUNCE 3
#define COMMAND_ACK    0

enum answer { ANSWER_OK, ANSWER_ERROR };

/* The fields of a header are zero, except the last: how many chains the frame is in. */
#define HEADER_BUFFERS 10

#define NUMBER_BITS 22
#define LOCAL	    0x02 /* IEEE 802, "Universal/Local bit" */

/* The next frame that came, or ERR_BUSY. A frame that does not fit the chain is lost. */
static enum status receive(struct virtio *device, struct virtio_work *work)
{
	uint8_t header[VIRTIO_NET_HEADER] = {[HEADER_BUFFERS] = 1};
	struct net_port *port = device->port;
	uint64_t readable, writable;
	const uint8_t *frame;
	size_t len = port ? net_next(port, &frame) : 0;

	if (len == 0)
		return ERR_BUSY;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (writable >= sizeof(header) + len) {
		TRY(virtqueue_write(&work->chain, header, sizeof(header)));
		TRY(virtqueue_write(&work->chain, frame, len));
		work->n_written = (uint32_t)(sizeof(header) + len);
		work->is_done = true;
	}
	net_take(port);
	return OK;
}

static enum status send(struct virtio *device, struct virtio_work *work)
{
	uint64_t *progress = &device->queue[work->queue].done;
	struct net_port *port = device->port;
	uint64_t readable, writable;

	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (readable < VIRTIO_NET_HEADER)
		return ERR_CORRUPT;
	readable -= VIRTIO_NET_HEADER;
	work->is_done = true;
	if (port == NULL)
		return OK;
	if (readable <= NET_FRAME_MAX) {
		TRY(virtqueue_skip(&work->chain, false, VIRTIO_NET_HEADER));
		TRY(virtqueue_read(&work->chain, port->frame, readable));
	}
	work->is_done = net_send(port, readable, progress);
	/* If the chain cannot be handed back now, the frame is not sent again. */
	if (work->is_done)
		*progress = UINT64_MAX;
	return OK;
}

static enum answer obey(struct virtio *device, const uint8_t command[2])
{
	if (command[0] != CLASS_ANNOUNCE || command[1] != COMMAND_ACK)
		return ANSWER_ERROR;
	device->own &= ~(uint32_t)VIRTIO_NET_ANNOUNCE;
	return ANSWER_OK;
}

static enum status control(struct virtio *device, struct virtio_work *work)
{
	uint64_t readable, writable;
	uint8_t command[2], answer;

	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (readable < sizeof(command) || writable < sizeof(answer))
		return ERR_CORRUPT;
	TRY(virtqueue_read(&work->chain, command, sizeof(command)));
	answer = (uint8_t)obey(device, command);
	work->n_written = sizeof(answer);
	work->is_done = true;
	return virtqueue_write(&work->chain, &answer, sizeof(answer));
}

static enum status serve(struct virtio *device, struct virtio_work *work)
{
	switch (work->queue) {
	case VIRTIO_NET_RECEIVE:
		return receive(device, work);
	case VIRTIO_NET_SEND:
		return send(device, work);
	default:
		return control(device, work);
	}
}

/* VIRTIO 1.2, "Device configuration layout" of the network device. */
static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	memcpy(space, &device->identity, 6);
	space[6] = (uint8_t)(VIRTIO_NET_LINK_UP | (device->own & VIRTIO_NET_ANNOUNCE));
}

uint64_t virtio_net_clone_mac(uint64_t mac, uint32_t number)
{
	uint32_t n = number & (uint32_t)(BIT(NUMBER_BITS) - 1);
	const uint8_t bytes[6] = {
		(uint8_t)(LOCAL | n >> 16 << 2),
		(uint8_t)(mac >> 24),
		(uint8_t)(mac >> 32),
		(uint8_t)(mac >> 40),
		(uint8_t)(n >> 8),
		(uint8_t)n,
	};

	return net_mac(bytes);
}

void virtio_net_renew(struct virtio *device, uint32_t number)
{
	device->identity = virtio_net_clone_mac(device->identity, number);
	virtio_change(device);
}

void virtio_net_moved(struct virtio *device)
{
	if (!(device->driver_features & VIRTIO_NET_F_GUEST_ANNOUNCE))
		return;
	device->own |= VIRTIO_NET_ANNOUNCE;
	virtio_change(device);
}

void virtio_net_look(struct virtio *device)
{
	bool has_news = net_has_news(device->port);

	if (!virtio_is_running(device) || !device->queue[VIRTIO_NET_RECEIVE].is_ready)
		net_flush(device->port);
	else if (has_news)
		virtio_notify(device, VIRTIO_NET_RECEIVE);
}

const struct virtio_kind virtio_net = {
	.driver = "virtio-net-device",
	.id = 1,
	.n_queues = 3,
	.serve = serve,
	.describe = describe,
};
