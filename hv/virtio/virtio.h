/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/virtio/virtqueue.h"

/*
 * A virtio device without its transport: features, status and queues, as "Virtual I/O Device
 * (VIRTIO) Version 1.2" has them. The guest's registers are in hv/devices/virtio_mmio.h.
 *
 * The driver's notifications are only noted. virtio_serve() does the work later, in pieces, when
 * the caller holds no more than the VM's own locks.
 */
#define VIRTIO_QUEUES_MAX 6

/* Bytes of a configuration space, at most. */
#define VIRTIO_SPACE_SIZE 64

/* Bytes that one call of virtio_serve() moves at most. */
#define VIRTIO_PIECE KIB(16)

enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

/* What a driver may set. */
#define VIRTIO_DRIVER_STATUS \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | VIRTIO_FAILED)

/* Bits of the interrupt's status. */
enum virtio_interrupt { VIRTIO_USED = 1, VIRTIO_CHANGED = 2 };

#define VIRTIO_F_INDIRECT    BIT(28)
#define VIRTIO_F_EVENT_INDEX BIT(29)
#define VIRTIO_F_VERSION_1   BIT(32)
#define VIRTIO_F_RING_PACKED BIT(34)

struct console_piece;
struct discard;
struct net_port;
struct virtio;

/* The world outside the VM, and the VM's memory. Not kept. */
struct virtio_host {
	struct guest_memory *memory;
	void (*fill_random)(void *buf, size_t len);
	struct discard *discard;       /* has room for one call of virtio_serve() */
	struct console_piece *console; /* of a console or socket device */
	gpa_t at;		       /* returned with ERR_NOMEM: where a frame is missing */
};

/* What a device does with the next chain of a queue. */
struct virtio_work {
	unsigned queue;
	struct virtqueue_chain chain;
	const struct virtio_host *host;
	/* Returned. */
	bool is_done;	    /* else the queue's 'done' has the bytes that are done */
	uint32_t n_written; /* into the chain */
};

/* A kind of device. */
struct virtio_kind {
	const char *driver; /* QEMU's name of the device */
	uint32_t id;	    /* VIRTIO 1.2, "Device Types" */
	unsigned n_queues;
	/*
	 * Errors are those of virtqueue.h, ERR_NOMEM: the same piece is to be tried again, and
	 * ERR_BUSY: the chain has to wait until the next virtio_notify(), as a buffer for what has
	 * not come yet.
	 */
	enum status (*serve)(struct virtio *device, struct virtio_work *work);
	/* Fill in the configuration space, which is zero before. NULL: it stays so. */
	void (*describe)(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE]);
	/* The driver has written 4 bytes of it. NULL: that is ignored. */
	void (*configure)(struct virtio *device, uint64_t off, uint32_t value);
};

/* A device of the configuration. Constant, and shared by a VM and its clones. */
struct virtio_config {
	const struct virtio_config *next;
	const struct virtio_kind *kind;
	uint64_t features; /* beside those that all devices offer */
	uint64_t without;  /* what this device does not offer of those */
	uint64_t identity; /* what a device made from it begins with */
	unsigned n_absent; /* queues, the last ones of its kind, that it does not have */
	unsigned hub;	   /* of a network device */
};

/* Plain state: copying it clones the device. */
struct virtio {
	const struct virtio_config *config; /* not owned */
	uint64_t driver_features;
	uint32_t device_features_select, driver_features_select;
	uint32_t queue_select;
	uint8_t status;
	uint8_t interrupts;  /* enum virtio_interrupt; the line is asserted while there is one */
	uint8_t notified;    /* bit n: the driver has notified of queue n */
	uint8_t reserved;    /* zero; part of saved states */
	uint32_t own;	     /* of the kind; a reset clears it */
	uint32_t generation; /* of the configuration space */
	/* Of the kind; survives a reset: a network device's address, a balloon's target, a CID. */
	uint64_t identity;
	/* Of a network or socket device; NULL: not connected. No state: a template has none. Not
	 * owned. */
	struct net_port *port;
	struct virtqueue queue[VIRTIO_QUEUES_MAX];
};

/* After a state was loaded: refuse what no driver can have done. */
enum status virtio_check(struct virtio *device, struct state_reader *reader);

/* The state of a new device. */
void virtio_init(struct virtio *device, const struct virtio_config *config);
/* The state after power-on, of a device that keeps its identity. */
void virtio_reset(struct virtio *device);
/* The configuration space has changed: tell the driver, if it runs. */
void virtio_change(struct virtio *device);
/* Whether the driver has set the device up, and not broken it. */
bool virtio_is_running(const struct virtio *device);
/* What the device offers. */
uint64_t virtio_features(const struct virtio *device);
void virtio_write_status(struct virtio *device, uint8_t value);
/* Read 'size' bytes, 8 at most, of the configuration space. What lies after it reads as zero. */
uint64_t virtio_read_space(const struct virtio *device, uint64_t off, unsigned size);
/* Write to it. All but 4 bytes that the driver may write is ignored. */
void virtio_write_space(struct virtio *device, uint64_t off, unsigned size, uint32_t value);
/* Half 'select' of what the driver takes, before it sets VIRTIO_FEATURES_OK; then ignored. */
void virtio_write_features(struct virtio *device, uint32_t select, uint32_t value);
/* The queue that the driver has selected; NULL: there is none of that number. */
struct virtqueue *virtio_queue(struct virtio *device);
/* The same while the driver may set it up: it is not in use. */
struct virtqueue *virtio_queue_idle(struct virtio *device);
/* The selected queue. A queue that cannot be started leaves the device in need of a reset. */
void virtio_start_queue(struct virtio *device);
void virtio_stop_queue(struct virtio *device);
/* Note that the driver has notified of a queue. */
void virtio_notify(struct virtio *device, uint32_t queue);

static inline bool virtio_has_work(const struct virtio *device)
{
	return device->notified != 0;
}

/*
 * Do a piece of what the driver has notified of: at most VIRTIO_PIECE bytes, or one chain. The VM's
 * lock is held. ERR_NOMEM: there is no frame for what is to be written; try again later.
 */
enum status virtio_serve(struct virtio *device, struct virtio_host *host);
