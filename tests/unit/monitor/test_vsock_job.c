/* SPDX-License-Identifier: BSD-2-Clause */
/* "vsock": the operator's stream to a guest, which this test plays. */
#include "hv/monitor/vsock_job.h"

#include <stdio.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/net/vsock.h"
#include "tests/unit/support.h"

enum { CID = 3, PORT = 7, BOTH = 3 };

static char said[4000];
static const struct job *current;
static struct net_port *guest;
static struct vsock_header request; /* the operator's */

void say(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list args;

	va_start(args, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, args);
	va_end(args);
	strcat(said, "\n");
}

void job_begin(const struct job *job)
{
	current = job;
}

/* As hv/monitor/job.c does. */
static void work(void)
{
	enum job_state state = JOB_GOES_ON;

	while (current && state == JOB_GOES_ON)
		state = current->step();
	if (current && state == JOB_IS_DONE) {
		current->end();
		current = NULL;
	}
}

static void wake(void *owner)
{
}

static int set_up(void **state)
{
	struct net_port_config config = {.name = "vm", .wake = wake};

	said[0] = '\0';
	return vsock_connect(&config, CID, &guest) != OK;
}

/* No frame is lost, and nothing is left of the operator's port. */
static int tear_down(void **state)
{
	unsigned list = 0, index = 0;
	struct vsock_line line;

	vsock_disconnect(guest);
	return current != NULL || vsock_describe(&list, &index, &line) ||
	       frame_available() != frame_total();
}

/* The next packet to the guest; its data follows. */
static const struct vsock_header *next(enum vsock_op op)
{
	const uint8_t *frame;

	assert_true(net_next(guest, &frame) >= sizeof(struct vsock_header));
	assert_int_equal(((const struct vsock_header *)frame)->op, op);
	return (const struct vsock_header *)frame;
}

static void expect(enum vsock_op op)
{
	(void)next(op);
	net_take(guest);
}

static void send_from(uint32_t port, enum vsock_op op, const char *data)
{
	struct vsock_header *packet = (struct vsock_header *)guest->frame;

	*packet = (struct vsock_header){
		.src_cid = CID,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = port,
		.dst_port = request.src_port,
		.type = VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.len = (uint32_t)strlen(data),
		.flags = op == VSOCK_OP_SHUTDOWN ? BOTH : 0,
		.buf_alloc = 100,
	};
	memcpy(packet + 1, data, strlen(data));
	assert_int_equal(vsock_send(guest), OK);
	work();
}

static void answer(enum vsock_op op, const char *data)
{
	send_from(PORT, op, data);
}

/* The guest has the request, and has answered it. */
static void connect_with(const char *text)
{
	vsock_job_start(CID, PORT, text);
	work();
	request = *next(VSOCK_OP_REQUEST);
	assert_int_equal(request.src_cid, VSOCK_CID_HOST);
	assert_int_equal(request.dst_port, PORT);
	net_take(guest);
	answer(VSOCK_OP_RESPONSE, "");
}

static void a_line_goes_and_what_comes_is_said(void **state)
{
	const struct vsock_header *packet;

	connect_with("hello");
	packet = next(VSOCK_OP_RW);
	assert_int_equal(packet->len, 6);
	assert_memory_equal(packet + 1, "hello\n", 6);
	net_take(guest);
	assert_int_equal(next(VSOCK_OP_SHUTDOWN)->flags, 2);
	net_take(guest);
	answer(VSOCK_OP_RW, "one\ntw");
	answer(VSOCK_OP_RW, "o\x1b\r\nlast");
	assert_string_equal(said, "one\ntwo?\n");
	answer(VSOCK_OP_SHUTDOWN, "");
	expect(VSOCK_OP_RST);
	assert_string_equal(said, "one\ntwo?\nlast\n");
}

static void without_a_line_the_guest_hears_the_end(void **state)
{
	connect_with(NULL);
	expect(VSOCK_OP_SHUTDOWN);
	answer(VSOCK_OP_RST, "");
	assert_string_equal(said, "");
}

static void a_cid_without_a_guest_is_reported(void **state)
{
	vsock_job_start(CID + 1, PORT, "x");
	work();
	assert_string_equal(said, "Error: vsock: no guest with a driver has this CID\n");
}

static void a_refusal_is_said(void **state)
{
	vsock_job_start(CID, PORT, "x");
	work();
	request = *next(VSOCK_OP_REQUEST);
	net_take(guest);
	answer(VSOCK_OP_RST, "");
	assert_string_equal(said, "Error: vsock: connection refused\n");
}

static void a_line_that_the_guest_has_no_room_for_is_not_sent(void **state)
{
	static char text[150];

	memset(text, 'x', sizeof(text) - 1);
	connect_with(text);
	expect(VSOCK_OP_RST);
	assert_string_equal(said, "Error: vsock: the guest has no room for the line\n");
}

static void ctrl_c_resets_the_stream(void **state)
{
	connect_with("x");
	expect(VSOCK_OP_RW);
	expect(VSOCK_OP_SHUTDOWN);
	current->end();
	current = NULL;
	expect(VSOCK_OP_RST);
}

static void other_packets_to_the_operator_are_refused(void **state)
{
	connect_with("x");
	expect(VSOCK_OP_RW);
	expect(VSOCK_OP_SHUTDOWN);
	send_from(PORT + 1, VSOCK_OP_REQUEST, "");
	assert_int_equal(next(VSOCK_OP_RST)->dst_port, PORT + 1);
	net_take(guest);
	send_from(PORT + 1, VSOCK_OP_RST, "");
	answer(VSOCK_OP_CREDIT_UPDATE, "");
	answer(VSOCK_OP_RW, "still");
	answer(VSOCK_OP_RST, "");
	assert_string_equal(said, "still\n");
}

static void credit_is_renewed_when_asked_for(void **state)
{
	connect_with(NULL);
	expect(VSOCK_OP_SHUTDOWN);
	answer(VSOCK_OP_RW, "12345\n");
	answer(VSOCK_OP_CREDIT_REQUEST, "");
	assert_int_equal(next(VSOCK_OP_CREDIT_UPDATE)->fwd_cnt, 6);
	assert_int_equal(next(VSOCK_OP_CREDIT_UPDATE)->buf_alloc, UINT32_MAX);
	net_take(guest);
	answer(VSOCK_OP_RST, "");
}

/* Its ring is full until it takes something. */
static void a_guest_that_takes_nothing_makes_the_job_wait(void **state)
{
	struct vsock_header *packet = (struct vsock_header *)guest->frame;

	for (unsigned i = 0; i < NET_RING_SIZE; i++) {
		*packet = (struct vsock_header){.src_cid = CID, .dst_cid = CID, .op = VSOCK_OP_RW};
		assert_int_equal(vsock_send(guest), OK);
	}
	vsock_job_start(CID, PORT, "x");
	assert_int_equal(current->step(), JOB_WAITS);
	net_flush(guest);
	work();
	request = *next(VSOCK_OP_REQUEST);
	net_take(guest);
	answer(VSOCK_OP_RST, "");
}

static void a_long_line_is_cut_into_several(void **state)
{
	char data[1301];

	memset(data, 'y', sizeof(data) - 1);
	data[1300] = '\0';
	connect_with(NULL);
	expect(VSOCK_OP_SHUTDOWN);
	answer(VSOCK_OP_RW, data);
	answer(VSOCK_OP_RST, "");
	assert_int_equal(strlen(said), 1302);
	assert_int_equal(said[1000], '\n');
}

static void without_memory_there_is_no_stream(void **state)
{
	static phys_t taken[512];
	unsigned n = 0;

	while (frame_available() >= NET_PORT_FRAMES)
		taken[n++] = frame_alloc();
	vsock_job_start(CID, PORT, "x");
	assert_string_equal(said, "Error: vsock: not enough memory\n");
	assert_null(current);
	while (n > 0)
		frame_free(taken[--n]);
}

#define VSOCK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VSOCK_TEST(a_line_goes_and_what_comes_is_said),
		VSOCK_TEST(without_a_line_the_guest_hears_the_end),
		VSOCK_TEST(a_cid_without_a_guest_is_reported),
		VSOCK_TEST(a_refusal_is_said),
		VSOCK_TEST(a_line_that_the_guest_has_no_room_for_is_not_sent),
		VSOCK_TEST(ctrl_c_resets_the_stream),
		VSOCK_TEST(other_packets_to_the_operator_are_refused),
		VSOCK_TEST(credit_is_renewed_when_asked_for),
		VSOCK_TEST(a_guest_that_takes_nothing_makes_the_job_wait),
		VSOCK_TEST(a_long_line_is_cut_into_several),
		VSOCK_TEST(without_memory_there_is_no_stream),
	};

	(void)phys_arena(MIB(16), MIB(2));
	frame_add_range(MIB(16), MIB(2));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
