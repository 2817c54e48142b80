/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is known of a stream except what its packets say, so streams take no memory here, however
 * many a guest has. The same holds for the host's port: its credit is as large as the protocol has,
 * and never renewed.
 */
#include "hv/virtio/virtio_vsock.h"

#include "hv/lib/string.h"
#include "hv/net/vsock.h"
#include "hv/virtio/virtio_console.h"

enum { EVENT_RESET = 0 }; /* VIRTIO_VSOCK_EVENT_TRANSPORT_RESET */

/* In a queue's 'done': the packet is sent, and its chain is only to be handed back. */
#define SENT UINT64_MAX

/* The next packet that came, or ERR_BUSY. 'done' is its length while its chain is handed back. */
static enum status receive(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;
	const uint8_t *packet;

	if (*done == 0) {
		size_t len = device->port ? net_next(device->port, &packet) : 0;

		if (len == 0)
			return ERR_BUSY;
		TRY(virtqueue_write(&work->chain, packet, len));
		net_take(device->port);
		vsock_taken(device->port);
		*done = len;
	}
	work->n_written = (uint32_t)*done;
	work->is_done = true;
	return OK;
}

/* Make the packet in the port's frame the answer to itself. */
static void answer(struct vsock_header *header, enum vsock_op op)
{
	*header = (struct vsock_header){
		.src_cid = header->dst_cid,
		.dst_cid = header->src_cid,
		.src_port = header->dst_port,
		.dst_port = header->src_port,
		.type = header->type,
		.op = (uint16_t)op,
		.buf_alloc = op == VSOCK_OP_RST ? 0 : UINT32_MAX,
	};
}

/* The answer of the port for lines to a packet; 0: none. */
static enum vsock_op answer_of_lines(const struct vsock_header *header)
{
	switch (header->op) {
	case VSOCK_OP_RST:
	case VSOCK_OP_RW:
	case VSOCK_OP_CREDIT_UPDATE:
		return 0;
	case VSOCK_OP_REQUEST:
		return VSOCK_OP_RESPONSE;
	case VSOCK_OP_CREDIT_REQUEST:
		return VSOCK_OP_CREDIT_UPDATE;
	default:
		return VSOCK_OP_RST;
	}
}

static bool is_for_lines(const struct vsock_header *header)
{
	return header->dst_cid == VSOCK_CID_HOST && header->dst_port == VIRTIO_VSOCK_LINES &&
	       header->type == VSOCK_TYPE_STREAM;
}

/* Lines for the operator: some bytes of the packet's data, '*len' of them. */
static enum status show(struct virtio_work *work, uint32_t *len)
{
	struct console_piece *piece = work->host->console;

	if (piece->is_held)
		return ERR_BUSY;
	*len = *len < sizeof(piece->sent) ? *len : sizeof(piece->sent);
	TRY(virtqueue_read(&work->chain, piece->sent, *len));
	piece->port = 0;
	piece->n_sent = *len;
	return OK;
}

/* To the port for lines. '*len' bytes of data are at hand, and are done then. */
static enum status send_line(struct virtio *device, struct virtio_work *work,
			     struct vsock_header *header, uint32_t *len)
{
	enum vsock_op op = answer_of_lines(header);

	if (op == 0 && header->op == VSOCK_OP_RW)
		return show(work, len);
	*len = header->len;
	if (op == 0)
		return OK;
	answer(header, op);
	return vsock_send(device->port);
}

/* To another port; a stream to a CID that none has is reset. Likewise. */
static enum status send_on(struct virtio *device, struct virtio_work *work,
			   struct vsock_header *header, uint32_t *len)
{
	uint32_t total = header->len;
	enum status status;

	*len = *len < VSOCK_DATA_MAX ? *len : VSOCK_DATA_MAX;
	TRY(virtqueue_read(&work->chain, header + 1, *len));
	header->len = *len;
	status = vsock_send(device->port);
	if (status != ERR_NOTFOUND)
		return status;
	*len = total;
	if (header->op == VSOCK_OP_RST)
		return OK;
	answer(header, VSOCK_OP_RST);
	return vsock_send(device->port);
}

/* A guest speaks for itself alone. */
static bool is_from_guest(const struct virtio *device, const struct vsock_header *header)
{
	return device->port != NULL && header->src_cid == device->identity;
}

/* Some of a packet. '*done' bytes of its data were sent before. */
static enum status send_some(struct virtio *device, struct virtio_work *work, uint64_t *done)
{
	struct vsock_header header, *frame;
	uint64_t readable, writable;
	uint32_t len;

	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	TRY(virtqueue_read(&work->chain, &header, sizeof(header)));
	if (header.len > readable - sizeof(header) || *done > header.len)
		return ERR_CORRUPT;
	work->is_done = true;
	if (!is_from_guest(device, &header))
		return OK;
	TRY(virtqueue_skip(&work->chain, false, *done));
	len = header.len - (uint32_t)*done;
	frame = (struct vsock_header *)device->port->frame;
	*frame = header;
	TRY(is_for_lines(&header) ? send_line(device, work, frame, &len)
				  : send_on(device, work, frame, &len));
	*done += len;
	work->is_done = *done >= header.len;
	return OK;
}

static enum status send(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;

	if (*done != SENT)
		TRY(send_some(device, work, done));
	else
		work->is_done = true;
	if (work->is_done)
		*done = SENT;
	return OK;
}

static enum status tell(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;
	uint32_t event = EVENT_RESET;

	if (*done == 0) {
		if (device->own == 0)
			return ERR_BUSY;
		TRY(virtqueue_write(&work->chain, &event, sizeof(event)));
		device->own = 0;
		*done = sizeof(event);
	}
	work->n_written = (uint32_t)*done;
	work->is_done = true;
	return OK;
}

static enum status serve(struct virtio *device, struct virtio_work *work)
{
	switch (work->queue) {
	case VIRTIO_VSOCK_RECEIVE:
		return receive(device, work);
	case VIRTIO_VSOCK_SEND:
		return send(device, work);
	default:
		return tell(device, work);
	}
}

static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	memcpy(space, &device->identity, sizeof(device->identity));
}

void virtio_vsock_move(struct virtio *device, uint64_t cid)
{
	device->identity = cid;
	device->own = 1;
	virtio_change(device);
	virtio_notify(device, VIRTIO_VSOCK_EVENT);
}

void virtio_vsock_look(struct virtio *device)
{
	bool has_news = net_has_news(device->port);
	bool runs = virtio_is_running(device) && device->queue[VIRTIO_VSOCK_RECEIVE].is_ready;

	/* Who sends to a closed port is told so. */
	__atomic_store_n(&device->port->is_closed, !runs, __ATOMIC_RELAXED);
	if (!runs) {
		net_flush(device->port);
		vsock_taken(device->port);
	} else if (has_news) {
		virtio_notify(device, VIRTIO_VSOCK_RECEIVE);
		virtio_notify(device, VIRTIO_VSOCK_SEND);
	}
}

const struct virtio_kind virtio_vsock = {
	.driver = "vhost-vsock-device",
	.id = 19,
	.n_queues = 3,
	.serve = serve,
	.describe = describe,
};
