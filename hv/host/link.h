/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/output_ring.h"
#include "hv/host/serial.h"

/*
 * A serial port for one of the operator's programs, besides the console: bytes in both directions,
 * nothing added. A link belongs to one processor, which polls it; it has no lock and no interrupt.
 *
 * What is received waits in the UART, which keeps SERIAL_FIFO_SIZE bytes: at 115200 baud they come
 * in 1.4 ms. Over a line without flow control, more is lost than one poll in that time takes.
 */
struct link {
	struct serial_port port;
	struct output_ring out;
};

/* Set the UART up: a port that is present. The link is empty. */
void link_begin(struct link *link, const struct serial_port *port);

/* The next byte received, or -1. */
int link_read(struct link *link);

/* Bytes that link_write() takes now. */
size_t link_room(const struct link *link);
/* Let bytes wait to be sent; at most link_room(). */
void link_write(struct link *link, const char *data, size_t len);

/*
 * Send what the UART takes without waiting, and no more than some FIFOs: an emulated UART takes any
 * number.
 */
void link_send(struct link *link);
/* Wait until all is sent, as long as the UART takes bytes: for the end of the machine. */
void link_flush(struct link *link);
