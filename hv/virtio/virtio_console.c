/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port that the host has is open at its side as long as it is there, so no port is removed. The
 * size of the operator's terminal is not known, so there is no VIRTIO_CONSOLE_F_SIZE.
 */
#include "hv/virtio/virtio_console.h"

#include "hv/lib/string.h"

struct space {
	uint16_t cols, rows; /* of a feature that is not offered */
	uint32_t max_nr_ports;
	uint32_t emerg_wr;
};
_Static_assert(sizeof(struct space) == 12, "VIRTIO 1.2, struct virtio_console_config");

struct message {
	uint32_t id;
	uint16_t event, value;
};
_Static_assert(sizeof(struct message) == 8, "VIRTIO 1.2, struct virtio_console_control");

/* Bits of 'own', PORT_BITS for each port: which messages wait, and what the driver has told. */
enum { TELL_ADD = 1, TELL_CONSOLE = 2, TELL_NAME = 4, TELL_OPEN = 8, IS_OPEN = 16 };
#define PORT_BITS 8
#define EMERGENCY BIT(23)
#define BYTE_AT	  24 /* of an emergency write */

static const struct {
	uint8_t bit;
	uint16_t event;
} to_tell[] = {
	{TELL_ADD, VIRTIO_CONSOLE_DEVICE_ADD},
	{TELL_CONSOLE, VIRTIO_CONSOLE_CONSOLE_PORT},
	{TELL_NAME, VIRTIO_CONSOLE_PORT_NAME},
	{TELL_OPEN, VIRTIO_CONSOLE_PORT_OPEN},
};

static uint32_t own_bit(unsigned port, uint32_t bit)
{
	return bit << (port * PORT_BITS);
}

static unsigned receive_queue(unsigned port)
{
	return port == 0 ? VIRTIO_CONSOLE_RECEIVE : VIRTIO_CONSOLE_RECEIVE_1;
}

static bool has_ports(const struct virtio *device)
{
	return device->driver_features & VIRTIO_CONSOLE_F_MULTIPORT;
}

/* The driver of a device without messages reads its only port. */
static bool is_open(const struct virtio *device, unsigned port)
{
	return !has_ports(device) || device->own & own_bit(port, IS_OPEN);
}

static enum status receive(struct virtio *device, unsigned port, struct virtio_work *work)
{
	struct console_piece *piece = work->host->console;
	uint64_t readable, writable;
	uint32_t len;

	if (!virtio_console_config(device)->port[port].has_input || piece->n_typed == 0 ||
	    !is_open(device, port))
		return ERR_BUSY;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	len = writable < piece->n_typed ? (uint32_t)writable : piece->n_typed;
	TRY(virtqueue_write(&work->chain, piece->typed, len));
	piece->n_taken = len;
	work->n_written = len;
	work->is_done = true;
	return OK;
}

/* Some of the bytes. After the last ones, a chain that cannot be handed back is not sent again. */
static enum status send(struct virtio *device, unsigned port, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;
	struct console_piece *piece = work->host->console;
	uint64_t readable, writable;
	uint32_t len;

	if (piece->is_held)
		return ERR_BUSY;
	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (*done > readable)
		return ERR_CORRUPT;
	len = readable - *done < sizeof(piece->sent) ? (uint32_t)(readable - *done)
						     : sizeof(piece->sent);
	TRY(virtqueue_skip(&work->chain, false, *done));
	TRY(virtqueue_read(&work->chain, piece->sent, len));
	piece->port = port;
	piece->n_sent = len;
	*done += len;
	work->is_done = *done == readable;
	return OK;
}

/* The next message that waits; false: there is none. Its bit of 'own' is '*ret_bit'. */
static bool next_message(const struct virtio *device, struct message *ret, uint32_t *ret_bit)
{
	const struct virtio_console_config *config = virtio_console_config(device);

	for (unsigned i = 0; i < ARRAY_SIZE(to_tell); i++) {
		for (unsigned port = 0; port < config->n_ports; port++) {
			*ret_bit = own_bit(port, to_tell[i].bit);
			*ret = (struct message){port, to_tell[i].event, 1};
			if (config->port[port].is_there && device->own & *ret_bit)
				return true;
		}
	}
	return false;
}

/* Tell the driver something. 'done' is the length of a message that is only to be handed back. */
static enum status tell(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;
	struct message message;
	const char *name = "";
	uint32_t bit;

	if (*done == 0) {
		if (!next_message(device, &message, &bit))
			return ERR_BUSY;
		if (message.event == VIRTIO_CONSOLE_PORT_NAME)
			name = virtio_console_config(device)->port[message.id].name;
		TRY(virtqueue_write(&work->chain, &message, sizeof(message)));
		TRY(virtqueue_write(&work->chain, name, strlen(name)));
		device->own &= ~bit;
		*done = sizeof(message) + strlen(name);
	}
	work->n_written = (uint32_t)*done;
	work->is_done = true;
	return OK;
}

/* What is to be told of a port that the driver has set up. */
static uint32_t answer_ready(const struct virtio_console_port *port)
{
	uint32_t bits = TELL_OPEN;

	if (port->is_console)
		bits |= TELL_CONSOLE;
	if (port->name != NULL)
		bits |= TELL_NAME;
	return bits;
}

/* All others are for the driver, or of ports that are not there. */
static void obey(struct virtio *device, const struct message *message)
{
	const struct virtio_console_config *config = virtio_console_config(device);
	bool is_port = message->id < config->n_ports && config->port[message->id].is_there;

	if (message->event == VIRTIO_CONSOLE_DEVICE_READY && message->value == 1) {
		for (unsigned port = 0; port < config->n_ports; port++)
			device->own |= own_bit(port, TELL_ADD);
	} else if (message->event == VIRTIO_CONSOLE_PORT_READY && message->value == 1 && is_port) {
		device->own |= own_bit(message->id, answer_ready(&config->port[message->id]));
	} else if (message->event == VIRTIO_CONSOLE_PORT_OPEN && is_port) {
		device->own &= ~own_bit(message->id, IS_OPEN);
		if (message->value != 0)
			device->own |= own_bit(message->id, IS_OPEN);
		virtio_notify(device, receive_queue(message->id));
	}
	virtio_notify(device, VIRTIO_CONSOLE_CONTROL_RECEIVE);
}

static enum status hear(struct virtio *device, struct virtio_work *work)
{
	uint64_t *done = &device->queue[work->queue].done;
	struct message message;

	if (*done == 0) {
		TRY(virtqueue_read(&work->chain, &message, sizeof(message)));
		obey(device, &message);
		*done = sizeof(message);
	}
	work->is_done = true;
	return OK;
}

static enum status serve(struct virtio *device, struct virtio_work *work)
{
	if (work->queue > VIRTIO_CONSOLE_SEND && !has_ports(device))
		return ERR_CORRUPT;
	switch (work->queue) {
	case VIRTIO_CONSOLE_RECEIVE:
		return receive(device, 0, work);
	case VIRTIO_CONSOLE_SEND:
		return send(device, 0, work);
	case VIRTIO_CONSOLE_CONTROL_RECEIVE:
		return tell(device, work);
	case VIRTIO_CONSOLE_CONTROL_SEND:
		return hear(device, work);
	case VIRTIO_CONSOLE_RECEIVE_1:
		return receive(device, 1, work);
	default:
		return send(device, 1, work);
	}
}

static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	struct space is = {.max_nr_ports = virtio_console_config(device)->n_ports};

	memcpy(space, &is, sizeof(is));
}

static void configure(struct virtio *device, uint64_t off, uint32_t value)
{
	if (off != offsetof(struct space, emerg_wr))
		return;
	device->own &= (uint32_t)(BIT(BYTE_AT) - 1);
	device->own |= EMERGENCY | value << BYTE_AT;
}

bool virtio_console_take_emergency(struct virtio *device, uint8_t *ret)
{
	if (!(device->own & EMERGENCY))
		return false;
	device->own &= (uint32_t)~EMERGENCY;
	*ret = (uint8_t)(device->own >> BYTE_AT);
	return true;
}

void virtio_console_look(struct virtio *device)
{
	virtio_notify(device, VIRTIO_CONSOLE_RECEIVE);
	virtio_notify(device, VIRTIO_CONSOLE_SEND);
	if (!has_ports(device))
		return;
	virtio_notify(device, VIRTIO_CONSOLE_RECEIVE_1);
	virtio_notify(device, VIRTIO_CONSOLE_SEND_1);
}

const struct virtio_kind virtio_console = {
	.driver = "virtio-serial-device",
	.id = 3,
	.n_queues = VIRTIO_CONSOLE_QUEUES,
	.serve = serve,
	.describe = describe,
	.configure = configure,
};
