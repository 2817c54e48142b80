/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/vsock_job.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/job.h"
#include "hv/monitor/line.h"
#include "hv/monitor/say.h"
#include "hv/net/vsock.h"

enum { FIRST_PORT = 1024, N_PORTS = 1 << 16, LINE = 1000 };
enum { SHUTDOWN_RECEIVE = BIT(0), SHUTDOWN_SEND = BIT(1) };

/* The current job's stream. */
static struct net_port *socket;
static struct vsock_header sent;     /* what each packet of ours begins with */
static enum vsock_op due;	     /* what is to be sent next; 0: nothing */
static char text[MONITOR_LINE_SIZE]; /* to be sent, with its newline */
static char line[LINE];		     /* printed when it is complete */
static size_t n_line;
static bool is_open;

/* The job looks at each of its steps. */
static void wake(void *owner)
{
	(void)owner;
}

static void say_line(void)
{
	say("%.*s", (int)n_line, line);
	n_line = 0;
}

static void hear(const char *data, uint32_t len)
{
	for (; len > 0; len--, data++) {
		if (*data == '\n' || n_line == sizeof(line))
			say_line();
		if (*data == '\n' || *data == '\r')
			continue;
		line[n_line++] = (uint8_t)*data < ' ' || *data == 0x7f ? '?' : *data;
	}
}

/* Send what is due, with 'text' if it is data. Errors are vsock_send()'s. */
static enum status send_due(void)
{
	struct vsock_header *packet = (struct vsock_header *)socket->frame;
	enum status status;

	*packet = sent;
	packet->op = (uint16_t)due;
	if (due == VSOCK_OP_SHUTDOWN)
		packet->flags = SHUTDOWN_SEND;
	if (due == VSOCK_OP_RW) {
		packet->len = (uint32_t)strlen(text);
		memcpy(packet + 1, text, packet->len);
	}
	status = vsock_send(socket);
	if (status == OK)
		due = due == VSOCK_OP_RW ? VSOCK_OP_SHUTDOWN : 0;
	return status;
}

static bool is_of_stream(const struct vsock_header *packet)
{
	return packet->type == VSOCK_TYPE_STREAM && packet->src_cid == sent.dst_cid &&
	       packet->src_port == sent.dst_port && packet->dst_port == sent.src_port;
}

/* As for a port that nothing listens at. A guest that takes nothing does not hear of it. */
static void refuse(const struct vsock_header *packet)
{
	struct vsock_header *answer = (struct vsock_header *)socket->frame;

	if (packet->op == VSOCK_OP_RST)
		return;
	*answer = (struct vsock_header){
		.src_cid = packet->dst_cid,
		.dst_cid = packet->src_cid,
		.src_port = packet->dst_port,
		.dst_port = packet->src_port,
		.type = packet->type,
		.op = VSOCK_OP_RST,
	};
	(void)vsock_send(socket);
}

static enum job_state stop(const char *why)
{
	if (n_line > 0)
		say_line();
	if (why != NULL)
		say("Error: vsock: %s", why);
	sent.dst_cid = 0; /* the guest knows that the stream has ended */
	return JOB_IS_DONE;
}

/* A packet of the stream. */
static enum job_state take(const struct vsock_header *packet)
{
	switch (packet->op) {
	case VSOCK_OP_RESPONSE:
		is_open = true;
		if (packet->buf_alloc < strlen(text)) {
			refuse(packet);
			return stop("the guest has no room for the line");
		}
		due = text[0] != '\0' ? VSOCK_OP_RW : VSOCK_OP_SHUTDOWN;
		return JOB_GOES_ON;
	case VSOCK_OP_RW:
		sent.fwd_cnt += packet->len;
		hear((const char *)(packet + 1), packet->len);
		return JOB_GOES_ON;
	case VSOCK_OP_SHUTDOWN:
		if (!(packet->flags & SHUTDOWN_SEND))
			return JOB_GOES_ON;
		refuse(packet);
		return stop(NULL);
	case VSOCK_OP_RST:
		return stop(is_open ? NULL : "connection refused");
	case VSOCK_OP_CREDIT_REQUEST:
		due = VSOCK_OP_CREDIT_UPDATE;
		return JOB_GOES_ON;
	default:
		return JOB_GOES_ON;
	}
}

static enum job_state look(void)
{
	enum job_state state = JOB_GOES_ON;
	const struct vsock_header *packet;
	const uint8_t *frame;

	if (net_next(socket, &frame) == 0)
		return JOB_WAITS;
	packet = (const struct vsock_header *)frame;
	if (is_of_stream(packet))
		state = take(packet);
	else
		refuse(packet);
	net_take(socket);
	vsock_taken(socket);
	return state;
}

static enum job_state step(void)
{
	if (due == 0)
		return look();
	switch (send_due()) {
	case OK:
		return JOB_GOES_ON;
	case ERR_BUSY:
		return JOB_WAITS;
	default:
		return stop("no guest with a driver has this CID");
	}
}

static void end(void)
{
	if (sent.dst_cid != 0) {
		due = VSOCK_OP_RST;
		(void)send_due();
	}
	vsock_disconnect(socket);
}

void vsock_job_start(uint64_t cid, uint32_t dst_port, const char *wanted)
{
	static const struct net_port_config config = {.name = "operator", .wake = wake};
	static const struct job job = {.step = step, .end = end};
	static uint32_t n_streams;

	if (vsock_connect(&config, VSOCK_CID_HOST, &socket) != OK) {
		say("Error: vsock: not enough memory");
		return;
	}
	sent = (struct vsock_header){
		.src_cid = VSOCK_CID_HOST,
		.dst_cid = cid,
		.src_port = FIRST_PORT + n_streams++ % N_PORTS,
		.dst_port = dst_port,
		.type = VSOCK_TYPE_STREAM,
		.buf_alloc = UINT32_MAX,
	};
	text[0] = '\0';
	if (wanted != NULL)
		format(text, sizeof(text), "%s\n", wanted);
	due = VSOCK_OP_REQUEST;
	n_line = 0;
	is_open = false;
	job_begin(&job);
}
