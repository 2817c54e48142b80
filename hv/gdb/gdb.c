/* SPDX-License-Identifier: BSD-2-Clause */
/* The line to gdb: bytes to packets, packets to answers, and acknowledgements. */
#include "hv/gdb/gdb.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/gdb/session.h"
#include "hv/gdb/target.h"
#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/link.h"
#include "hv/host/tsc.h"
#include "hv/lib/string.h"

#define TURN_US 100

enum { BYTES_AT_ONCE = 256 }; /* a UART that is broken may deliver bytes for ever */

static struct line {
	struct link link;
	struct gdb_input input;
	struct gdb_session session;
	/* The last packet, which gdb may ask for again. */
	char frame[GDB_FRAME_MAX];
	size_t len, sent;
} * line; /* NULL: there is no port */

#define N_LINE_FRAMES (align_up(sizeof(*line), PAGE_SIZE) / PAGE_SIZE)

static const struct serial_port *forbidden; /* NULL: none */

static bool is_same(const struct serial_port *a, const struct serial_port *b)
{
	return a->space == b->space && a->address == b->address;
}

void gdb_forbid(const struct serial_port *port)
{
	forbidden = port;
}

const char *gdb_refuses(const struct serial_port *port)
{
	if (console_has_port(port))
		return "is the console's port";
	if (forbidden != NULL && is_same(forbidden, port))
		return "is QMP's port";
	if (line != NULL && !is_same(&line->link.port, port))
		return "is not gdb's port: there is one for all VMs";
	return serial_is_present(port) ? NULL : "does not exist in this machine";
}

enum status gdb_begin(const struct serial_port *port)
{
	phys_t memory;

	if (line != NULL)
		return OK;
	memory = frame_alloc_run(N_LINE_FRAMES, PAGE_SIZE);
	if (memory == 0)
		return ERR_NOMEM;
	line = phys_to_virt(memory);
	memset(line, 0, sizeof(*line));
	link_begin(&line->link, port);
	return OK;
}

const struct serial_port *gdb_port(void)
{
	return line != NULL ? &line->link.port : NULL;
}

bool gdb_is_on(void)
{
	return line != NULL;
}

enum status gdb_offer(uint32_t vm_index)
{
	return target_want(vm_index + 1);
}

/* Hand the frame over to the link as far as it has room. False: a part of it waits. */
static bool hand_over(void)
{
	size_t room = link_room(&line->link), left = line->len - line->sent;
	size_t n = left < room ? left : room;

	link_write(&line->link, line->frame + line->sent, n);
	line->sent += n;
	return line->sent == line->len;
}

static void answer(void)
{
	struct gdb_session *session = &line->session;

	if (!session->answers)
		return;
	session->answers = false;
	line->len = gdb_frame(session->reply.text, session->reply.len, line->frame);
	line->sent = 0;
	session->reply.len = 0;
	session->reply.is_cut = false;
}

static void acknowledge(char mark)
{
	if (!line->session.has_no_acks && link_room(&line->link) > 0)
		link_write(&line->link, &mark, 1);
}

/* A new gdb waits for acknowledgements, whatever the one before has agreed to. */
static void take_packet(void)
{
	if (strncmp(line->input.data, "qSupported", 10) == 0)
		line->session.has_no_acks = false;
	acknowledge('+');
	gdb_take(&line->session, line->input.data, line->input.len);
}

static void receive(uint8_t byte)
{
	switch (gdb_input_add(&line->input, byte)) {
	case GDB_PART:
		break;
	case GDB_PACKET:
		take_packet();
		break;
	case GDB_DAMAGED:
		acknowledge('-');
		break;
	case GDB_INTERRUPT:
		gdb_interrupt(&line->session);
		break;
	case GDB_REPEAT:
		if (!line->session.has_no_acks)
			line->sent = 0;
		break;
	}
}

/* Until there is something to answer. False: nothing more has come. */
static bool receive_some(void)
{
	int byte = 0;

	for (unsigned i = 0; i < BYTES_AT_ONCE && byte >= 0 && !line->session.answers; i++) {
		byte = link_read(&line->link);
		if (byte >= 0)
			receive((uint8_t)byte);
	}
	return byte >= 0;
}

void gdb_poll(void)
{
	uint64_t begin = rdtsc();
	bool has_more = true;

	if (line == NULL)
		return;
	link_send(&line->link);
	while (has_more && hand_over() && rdtsc() - begin < tsc_hz / 1000000 * TURN_US) {
		has_more = receive_some();
		gdb_look(&line->session);
		answer();
	}
	(void)hand_over();
	link_send(&line->link);
}

void gdb_end(void)
{
	if (line == NULL)
		return;
	gdb_look(&line->session);
	answer();
	link_flush(&line->link);
	(void)hand_over(); /* fits: the link is empty, or the port is dead */
	link_flush(&line->link);
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0)
			(void)target_detach(&targets[i]); /* all VMs have ended */
	frame_free_run(virt_to_phys(line), N_LINE_FRAMES);
	line = NULL;
}
