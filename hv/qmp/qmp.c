/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session: bytes to messages, messages to answers, and events between two answers. An answer is
 * made piece by piece as the link has room, so that neither the port's speed nor the number of VMs
 * delays anything else.
 */
#include "hv/qmp/qmp.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/link.h"
#include "hv/host/tsc.h"
#include "hv/lib/arena.h"
#include "hv/lib/string.h"
#include "hv/monitor/command.h"
#include "hv/qmp/qmp_command.h"
#include "hv/qmp/qmp_event.h"
#include "hv/qmp/qmp_input.h"
#include "hv/vm/news.h"

#define TURN_US	    100
#define JSON_MEMORY 65536 /* for the values of a message */

enum { BYTES_AT_ONCE = 256 }; /* a UART that is broken may deliver bytes for ever */

static struct session {
	struct link link;
	struct qmp_input input;
	struct qmp_call call;
	struct news_queue news;
	char json[JSON_MEMORY] __attribute__((aligned(16)));
} * session; /* NULL: there is no port */

/* Let the text that was made go to the link. False: the link has no room for it yet. */
static bool hand_over(void)
{
	struct qmp_text *out = &session->call.out;

	if (out->len > link_room(&session->link))
		return false;
	link_write(&session->link, out->text, out->len);
	out->len = 0;
	return true;
}

static void greet(void)
{
	session->call.is_negotiated = false;
	qmp_greet(&session->call);
}

enum status qmp_begin(const struct serial_port *port)
{
	phys_t memory =
		frame_alloc_run(align_up(sizeof(*session), PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);

	if (memory == 0)
		return ERR_NOMEM;
	session = phys_to_virt(memory);
	memset(session, 0, sizeof(*session));
	link_begin(&session->link, port);
	news_listen(&session->news);
	greet();
	qmp_poll();
	return OK;
}

bool qmp_is_on(void)
{
	return session != NULL;
}

bool qmp_holds_machine(void)
{
	return session != NULL && session->call.is_negotiated && !command_has_quit();
}

static void begin_message(void)
{
	struct arena arena = {.base = session->json, .size = sizeof(session->json)};

	qmp_call_begin(&session->call, session->input.text, session->input.len, &arena);
}

/* Take a byte of the client. */
static void receive(uint8_t byte)
{
	switch (qmp_input_add(&session->input, byte)) {
	case QMP_INPUT_PART:
		return;
	case QMP_INPUT_WHOLE:
		begin_message();
		break;
	case QMP_INPUT_TOO_LONG:
		session->call.id[0] = '\0';
		(void)qmp_fail(&session->call, "GenericError",
			       "JSON token size limit exceeded: a message has at most %u bytes",
			       QMP_INPUT_MAX);
		break;
	case QMP_INPUT_SYNC:
		greet();
		break;
	}
	qmp_input_clear(&session->input);
}

/* Until there is something to answer. */
static void receive_some(void)
{
	int byte = 0;

	for (unsigned i = 0; i < BYTES_AT_ONCE && byte >= 0; i++) {
		if (session->call.command != NULL || session->call.out.len > 0)
			return;
		byte = link_read(&session->link);
		if (byte >= 0)
			receive((uint8_t)byte);
	}
}

/* A client that has not said qmp_capabilities gets none. Makes one piece at most. */
static void tell_news(void)
{
	struct news news;
	uint64_t n_lost;
	bool is_wanted = session->call.is_negotiated;

	while (session->call.out.len == 0 && news_take(&news))
		if (is_wanted)
			qmp_put_event(&session->call.out, &news);
	if (session->call.out.len > 0)
		return;
	n_lost = news_take_lost();
	if (is_wanted && n_lost > 0)
		qmp_put_lost(&session->call.out, n_lost);
}

/* Make the next piece of what is sent. False: there is none now. */
static bool make_piece(void)
{
	if (session->call.command != NULL)
		return qmp_call_step(&session->call) != JOB_WAITS;
	tell_news();
	if (session->call.out.len == 0)
		receive_some();
	return session->call.command != NULL || session->call.out.len > 0;
}

void qmp_poll(void)
{
	uint64_t begin = rdtsc();

	if (session == NULL)
		return;
	link_send(&session->link);
	while (hand_over() && rdtsc() - begin < tsc_hz / 1000000 * TURN_US && make_piece())
		;
	link_send(&session->link);
}

void qmp_end(void)
{
	if (session == NULL)
		return;
	do {
		link_flush(&session->link);
		if (!hand_over())
			return; /* the port is dead */
		tell_news();
	} while (session->call.out.len > 0);
	link_flush(&session->link);
}
