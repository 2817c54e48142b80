/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/*
 * VIRTIO 1.2, "Console Device": ports that carry bytes both ways, with names if the driver takes
 * VIRTIO_CONSOLE_F_MULTIPORT. What a port sends is given to the caller of virtio_serve(), and what
 * is typed comes from it: struct console_piece.
 *
 * Its 'own' is what it has to tell its driver, and what the driver has told.
 */
extern const struct virtio_kind virtio_console;

#define VIRTIO_CONSOLE_F_MULTIPORT   BIT(1)
#define VIRTIO_CONSOLE_F_EMERG_WRITE BIT(2)

#define VIRTIO_CONSOLE_PORTS_MAX 2 /* of a device: VIRTIO_QUEUES_MAX is enough for them */
#define VIRTIO_CONSOLE_NAME_MAX	 63

/* Of port 0; those of port 1 follow the control queues. */
enum virtio_console_queue {
	VIRTIO_CONSOLE_RECEIVE,
	VIRTIO_CONSOLE_SEND,
	VIRTIO_CONSOLE_CONTROL_RECEIVE,
	VIRTIO_CONSOLE_CONTROL_SEND,
	VIRTIO_CONSOLE_RECEIVE_1,
	VIRTIO_CONSOLE_SEND_1,
	VIRTIO_CONSOLE_QUEUES
};
_Static_assert(VIRTIO_CONSOLE_QUEUES <= VIRTIO_QUEUES_MAX, "two ports");

/* Events of control messages. */
enum virtio_console_event {
	VIRTIO_CONSOLE_DEVICE_READY,
	VIRTIO_CONSOLE_DEVICE_ADD,
	VIRTIO_CONSOLE_DEVICE_REMOVE,
	VIRTIO_CONSOLE_PORT_READY,
	VIRTIO_CONSOLE_CONSOLE_PORT,
	VIRTIO_CONSOLE_RESIZE,
	VIRTIO_CONSOLE_PORT_OPEN,
	VIRTIO_CONSOLE_PORT_NAME,
};

struct virtio_console_port {
	bool is_there;
	bool is_console;   /* QEMU's virtconsole, else virtserialport */
	bool is_shown;	   /* what it sends; else that is dropped */
	bool has_input;	   /* typed bytes go to it; of one port of a VM at most */
	const char *name;  /* NULL: none */
	const char *label; /* before its lines, unless it has the input */
};

struct virtio_console_config {
	struct virtio_config base; /* first */
	const char *id;		   /* QEMU's name of its bus is this and ".0"; NULL: none */
	unsigned n_ports;	   /* QEMU's max_ports: 1 to VIRTIO_CONSOLE_PORTS_MAX */
	struct virtio_console_port port[VIRTIO_CONSOLE_PORTS_MAX];
};

/* What one call of virtio_serve() takes from the world and gives to it. */
#define VIRTIO_CONSOLE_TYPED 64
#define VIRTIO_CONSOLE_SENT  256
struct console_piece {
	uint8_t typed[VIRTIO_CONSOLE_TYPED]; /* for the port that has the input */
	uint32_t n_typed;
	bool is_held; /* the ports send nothing now: see virtio_console_look() */
	/* Returned. */
	uint32_t n_taken; /* typed bytes; only if virtio_serve() returns OK */
	unsigned port;	  /* that has sent ... */
	uint32_t n_sent;  /* ... these bytes, whatever virtio_serve() returns */
	uint8_t sent[VIRTIO_CONSOLE_SENT];
};

static inline const struct virtio_console_config *virtio_console_config(const struct virtio *device)
{
	return (const struct virtio_console_config *)device->config;
}

/* Bytes were typed, or the ports are held no longer: have the queues served. */
void virtio_console_look(struct virtio *device);
/* An emergency write since the last call: a byte of port 0. False: there was none. */
bool virtio_console_take_emergency(struct virtio *device, uint8_t *ret);
