/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/net/port.h"

/*
 * The machine's sockets: the ports of VMs' socket devices, by their context IDs (CIDs), and the
 * packets of VIRTIO 1.2, "Socket Device", between them. A port is that of hv/net/port.h; its frames
 * are packets of at most NET_FRAME_MAX bytes, with their header. Nothing of a stream is known here.
 *
 * No packet is lost between two ports: a sender that finds the ring of a receiver full waits, and
 * is woken when the receiver has taken some.
 */
struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* bytes that follow */
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
} __attribute__((packed));
_Static_assert(sizeof(struct vsock_header) == 44, "VIRTIO 1.2, struct virtio_vsock_hdr");

#define VSOCK_TYPE_STREAM 1

enum vsock_op {
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE,
	VSOCK_OP_RST,
	VSOCK_OP_SHUTDOWN,
	VSOCK_OP_RW,
	VSOCK_OP_CREDIT_UPDATE,
	VSOCK_OP_CREDIT_REQUEST,
};

/* Bytes of a stream in one packet here, at most: a longer one becomes several. */
#define VSOCK_DATA_MAX (NET_FRAME_MAX - sizeof(struct vsock_header))

#define VSOCK_CID_HOST 2
#define VSOCK_CID_MIN  3 /* of guests */

/*
 * Connect a new port as 'cid'. ERR_NOMEM: there are not NET_PORT_FRAMES frames for it. ERR_RANGE:
 * another port has the CID.
 */
enum status vsock_connect(const struct net_port_config *config, uint64_t cid,
			  struct net_port **ret);
/* Forget the port, as net_disconnect(). Ports that wait for it are woken, and find none. */
void vsock_disconnect(struct net_port *port);

/*
 * Send the port's 'frame', a header and its bytes, to the port of its 'dst_cid'. ERR_NOTFOUND:
 * there is none, or its guest has no driver. ERR_BUSY: send it again when the owner was woken.
 */
enum status vsock_send(struct net_port *port);
/* The owner has taken packets from the ring, or dropped them: wake who waits. */
void vsock_taken(struct net_port *port);

/* A line of a report. */
struct vsock_line {
	char name[64];
	unsigned device;
	uint64_t cid;
	bool is_closed;	    /* the guest has no driver */
	uint32_t n_waiting; /* packets in the ring */
};
/*
 * The port with this index in the list of this number, or the first one of a later list, to which
 * both move. False: there is none. Any processor.
 */
bool vsock_describe(unsigned *list, unsigned *index, struct vsock_line *ret);
