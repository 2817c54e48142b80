/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/link.h"

#include "hv/host/io.h"
#include "hv/lib/assert.h"

enum {
	FIFOS_AT_ONCE = 16,
	LOOKS_MAX = 1000000, /* at the UART while it takes nothing; each takes a microsecond */
};

void link_begin(struct link *link, const struct serial_port *port)
{
	link->port = *port;
	link->out.head = link->out.tail = 0;
	serial_init(&link->port);
}

int link_read(struct link *link)
{
	return serial_receive(&link->port);
}

size_t link_room(const struct link *link)
{
	return OUTPUT_RING_SIZE - output_ring_len(&link->out);
}

void link_write(struct link *link, const char *data, size_t len)
{
	assert(len <= link_room(link));
	for (size_t i = 0; i < len; i++)
		output_ring_put(&link->out, data[i]);
}

/* Fill the UART's FIFO, which is empty. */
static void send_fifo(struct link *link)
{
	for (unsigned i = 0; i < SERIAL_FIFO_SIZE && output_ring_len(&link->out) > 0; i++)
		serial_send(&link->port, (uint8_t)output_ring_take(&link->out));
}

void link_send(struct link *link)
{
	for (unsigned i = 0; i < FIFOS_AT_ONCE && output_ring_len(&link->out) > 0; i++) {
		if (!serial_can_send(&link->port))
			return;
		send_fifo(link);
	}
}

void link_flush(struct link *link)
{
	unsigned n_looks = 0;

	while (output_ring_len(&link->out) > 0 && n_looks++ < LOOKS_MAX) {
		if (serial_can_send(&link->port)) {
			send_fifo(link);
			n_looks = 0;
		} else {
			pause();
		}
	}
	for (n_looks = 0; n_looks < LOOKS_MAX && !serial_all_sent(&link->port); n_looks++)
		pause();
}
