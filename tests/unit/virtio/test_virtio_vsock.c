/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket device between its driver's rings and other ports, or the operator's lines. */
#include "hv/virtio/virtio_vsock.h"

#include "hv/net/vsock.h"
#include "tests/unit/virtio_driver.h"

#define RECEIVE VIRTIO_VSOCK_RECEIVE
#define SEND	VIRTIO_VSOCK_SEND
#define EVENT	VIRTIO_VSOCK_EVENT

#define CID  3
#define PEER 4

static const struct virtio_config config = {
	.kind = &virtio_vsock, .features = VIRTIO_VSOCK_F_STREAM, .identity = CID};
static struct net_port *peer;
static unsigned n_wakes;

static void wake(void *owner)
{
	n_wakes++;
}

static struct net_port *plug(uint64_t cid)
{
	struct net_port_config of = {.name = "a", .wake = wake, .owner = &n_wakes};
	struct net_port *port;

	assert_int_equal(vsock_connect(&of, cid, &port), OK);
	return port;
}

/* The driver begins again. */
static void restart(void)
{
	struct net_port *port = device.port;

	for (unsigned n = 0; n < 3; n++) {
		put16(AVAIL(n) + 2, 0);
		put16(USED(n) + 2, 0);
	}
	start_device(&config, config.features);
	device.port = port;
}

static int set_up(void **state)
{
	setup(state);
	console_piece = (struct console_piece){0};
	device.port = plug(CID);
	restart();
	peer = plug(PEER);
	n_wakes = 0;
	return 0;
}

static int tear_down(void **state)
{
	if (device.port)
		vsock_disconnect(device.port);
	vsock_disconnect(peer);
	return teardown(state);
}

static bool is_broken(void)
{
	return get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET;
}

static struct vsock_header to(uint64_t cid, enum vsock_op op)
{
	return (struct vsock_header){.src_cid = CID,
				     .dst_cid = cid,
				     .src_port = 1000,
				     .dst_port = 7,
				     .type = VSOCK_TYPE_STREAM,
				     .op = (uint16_t)op,
				     .buf_alloc = 5,
				     .fwd_cnt = 6};
}

/* Offer a packet whose data are at BUFFER + 0x1000, as many bytes as the chain has. */
static void post(struct vsock_header header, uint32_t len)
{
	put(BUFFER, &header, sizeof(header));
	describe(DESC(SEND), 0, (struct desc){BUFFER, sizeof(header), FLAG_NEXT, 1});
	describe(DESC(SEND), 1, (struct desc){BUFFER + 0x1000, len, 0, 0});
	offer(SEND, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, SEND);
}

static void send(struct vsock_header header)
{
	post(header, header.len);
	serve();
}

/* Lend the driver's buffer to a queue. */
static void lend(unsigned queue, uint32_t len)
{
	describe(DESC(queue), 0, (struct desc){BUFFER + 0x10000, len, FLAG_WRITE, 0});
	offer(queue, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
	serve();
}

static const struct vsock_header *next_of(struct net_port *port)
{
	const uint8_t *packet;
	size_t len = net_next(port, &packet);
	const struct vsock_header *header = (const struct vsock_header *)packet;

	assert_int_equal(len, sizeof(*header) + header->len);
	return header;
}

/* The device's driver gets an answer to to(cid, ...). */
static struct vsock_header expect_answer(uint64_t cid, enum vsock_op op)
{
	uint16_t before = n_used(RECEIVE);
	struct vsock_header header;

	virtio_vsock_look(&device);
	lend(RECEIVE, 4096);
	assert_int_equal(n_used(RECEIVE), before + 1);
	assert_int_equal(last_length(RECEIVE), sizeof(header));
	assert_int_equal(guest_read(&memory, at(BUFFER + 0x10000), &header, sizeof(header)), OK);
	assert_int_equal(header.src_cid, cid);
	assert_int_equal(header.dst_cid, CID);
	assert_int_equal(header.dst_port, 1000);
	assert_int_equal(header.op, op);
	assert_int_equal(header.len, 0);
	return header;
}

static void expect_silence(void)
{
	assert_int_equal(net_port_n(device.port), 0);
	assert_false(is_broken());
}

static void a_packet_is_passed_on(void **state)
{
	const struct vsock_header *got;
	struct vsock_header header = to(PEER, VSOCK_OP_RW);

	put(BUFFER + 0x1000, "hello", 5);
	header.len = 5;
	post(header, 9); /* what follows its bytes is not */
	serve();
	assert_int_equal(n_used(SEND), 1);
	got = next_of(peer);
	assert_memory_equal(got, &header, sizeof(header));
	assert_memory_equal(got + 1, "hello", 5);
	net_take(peer);
	send(to(PEER, VSOCK_OP_REQUEST));
	assert_int_equal(next_of(peer)->op, VSOCK_OP_REQUEST);
	net_take(peer);
	assert_int_equal(net_port_n(peer), 0);
	expect_silence();
}

static void a_long_one_is_several(void **state)
{
	struct vsock_header header = to(PEER, VSOCK_OP_RW);
	uint32_t total = 0;
	uint8_t data[3000];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 7);
	put(BUFFER + 0x1000, data, sizeof(data));
	header.len = sizeof(data);
	send(header);
	assert_int_equal(n_used(SEND), 1);
	while (net_port_n(peer) > 0) {
		const struct vsock_header *got = next_of(peer);

		assert_memory_equal(got + 1, data + total, got->len);
		assert_int_equal(got->fwd_cnt, 6);
		total += got->len;
		net_take(peer);
	}
	assert_int_equal(total, sizeof(data));
}

static void a_sender_waits_for_room(void **state)
{
	unsigned n = 0;

	for (; n < NET_RING_SIZE; n++)
		send(to(PEER, VSOCK_OP_CREDIT_UPDATE));
	send(to(PEER, VSOCK_OP_SHUTDOWN));
	assert_int_equal(n_used(SEND), n);
	assert_false(virtio_has_work(&device));
	n_wakes = 0;
	net_flush(peer);
	vsock_taken(peer);
	assert_int_equal(n_wakes, 1);
	virtio_vsock_look(&device);
	serve();
	assert_int_equal(n_used(SEND), n + 1);
	assert_int_equal(next_of(peer)->op, VSOCK_OP_SHUTDOWN);
}

static void a_stream_to_an_unknown_cid_is_reset(void **state)
{
	struct vsock_header header = to(9, VSOCK_OP_RW);

	send(to(9, VSOCK_OP_REQUEST));
	(void)expect_answer(9, VSOCK_OP_RST);
	header.len = 3000;
	send(header);
	(void)expect_answer(9, VSOCK_OP_RST);
	send(to(9, VSOCK_OP_RST));
	expect_silence();
	assert_int_equal(n_used(SEND), 3);
}

/* Its own ring is full: the answers to what it sends do not fit. */
static void an_answer_may_have_to_wait(void **state)
{
	for (unsigned n = 0; n < NET_RING_SIZE; n++)
		send(to(9, VSOCK_OP_REQUEST));
	send(to(9, VSOCK_OP_REQUEST));
	assert_int_equal(n_used(SEND), NET_RING_SIZE);
	for (unsigned n = 0; n <= NET_RING_SIZE; n++) {
		(void)expect_answer(9, VSOCK_OP_RST);
		virtio_vsock_look(&device);
		serve();
	}
	assert_int_equal(n_used(SEND), NET_RING_SIZE + 1);
}

static void a_guest_speaks_for_itself_alone(void **state)
{
	struct vsock_header header = to(PEER, VSOCK_OP_RW);

	header.src_cid = PEER;
	header.len = 3000;
	send(header);
	assert_int_equal(n_used(SEND), 1);
	assert_int_equal(net_port_n(peer), 0);
	expect_silence();
	/* Without a port nothing is sent. */
	vsock_disconnect(device.port);
	device.port = NULL;
	send(to(PEER, VSOCK_OP_REQUEST));
	assert_int_equal(n_used(SEND), 2);
	lend(RECEIVE, 4096);
	assert_int_equal(n_used(RECEIVE), 0);
	assert_false(is_broken());
}

static void a_packet_that_lies_breaks_the_device(void **state)
{
	struct vsock_header header = to(PEER, VSOCK_OP_RW);

	header.len = 10;
	post(header, 9);
	serve();
	assert_true(is_broken());
	restart();
	describe(DESC(SEND), 0, (struct desc){BUFFER, 43, 0, 0});
	offer(SEND, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, SEND);
	serve();
	assert_true(is_broken());
}

/* Its length has changed since the first piece. */
static void a_packet_that_shrinks_breaks_the_device(void **state)
{
	struct vsock_header header = to(PEER, VSOCK_OP_RW);

	header.len = 3000;
	post(header, 3000);
	serve_once();
	header.len = 5;
	put(BUFFER, &header, sizeof(header));
	serve();
	assert_true(is_broken());
	assert_int_equal(net_port_n(peer), 1);
}

static void a_loop_breaks_the_device(void **state)
{
	struct vsock_header header = {.src_cid = PEER, .dst_cid = CID};

	memcpy(peer->frame, &header, sizeof(header));
	assert_int_equal(vsock_send(peer), OK);
	for (unsigned queue = RECEIVE; queue <= EVENT; queue++) {
		uint16_t flags = FLAG_NEXT | (queue == SEND ? 0 : FLAG_WRITE);

		restart();
		device.own = 1;
		describe(DESC(queue), 0, (struct desc){BUFFER, 1, flags, 0});
		offer(queue, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
		serve();
		assert_int_equal(is_broken(), queue != EVENT); /* 4 bytes are whole */
	}
}

static void lines_for_the_operator_are_given_to_the_caller(void **state)
{
	struct vsock_header header = to(VSOCK_CID_HOST, VSOCK_OP_REQUEST);

	header.dst_port = VIRTIO_VSOCK_LINES;
	send(header);
	assert_int_equal(expect_answer(VSOCK_CID_HOST, VSOCK_OP_RESPONSE).buf_alloc, UINT32_MAX);
	header.op = VSOCK_OP_RW;
	header.len = 300;
	put(BUFFER + 0x1000, "line", 4);
	put(BUFFER + 0x1000 + 256, "end", 3);
	post(header, 300);
	serve_once();
	assert_int_equal(console_piece.n_sent, 256);
	assert_int_equal(console_piece.port, 0);
	assert_memory_equal(console_piece.sent, "line", 4);
	assert_int_equal(n_used(SEND), 1);
	serve_once();
	assert_int_equal(console_piece.n_sent, 44);
	assert_memory_equal(console_piece.sent, "end", 3);
	assert_int_equal(n_used(SEND), 2);
	serve();
	header.len = 0;
	header.op = VSOCK_OP_CREDIT_UPDATE;
	send(header);
	expect_silence();
	header.op = VSOCK_OP_CREDIT_REQUEST;
	send(header);
	(void)expect_answer(VSOCK_CID_HOST, VSOCK_OP_CREDIT_UPDATE);
	header.op = VSOCK_OP_SHUTDOWN;
	send(header);
	(void)expect_answer(VSOCK_CID_HOST, VSOCK_OP_RST);
	header.op = VSOCK_OP_RST;
	send(header);
	expect_silence();
}

static void they_may_be_held(void **state)
{
	struct vsock_header header = to(VSOCK_CID_HOST, VSOCK_OP_RW);

	header.dst_port = VIRTIO_VSOCK_LINES;
	header.len = 1;
	console_piece.is_held = true;
	send(header);
	assert_int_equal(n_used(SEND), 0);
	assert_int_equal(console_piece.n_sent, 0);
	console_piece.is_held = false;
	virtio_notify(&device, SEND);
	serve_once();
	assert_int_equal(n_used(SEND), 1);
	assert_int_equal(console_piece.n_sent, 1);
}

static void the_host_has_no_other_port(void **state)
{
	static const enum vsock_op ops[] = {VSOCK_OP_REQUEST, VSOCK_OP_RW, VSOCK_OP_CREDIT_UPDATE,
					    VSOCK_OP_CREDIT_REQUEST, VSOCK_OP_SHUTDOWN};
	struct vsock_header header;

	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		send(to(VSOCK_CID_HOST, ops[i]));
		(void)expect_answer(VSOCK_CID_HOST, VSOCK_OP_RST);
		header = to(VSOCK_CID_HOST, ops[i]);
		header.dst_port = VIRTIO_VSOCK_LINES;
		header.type = 2;
		send(header);
		(void)expect_answer(VSOCK_CID_HOST, VSOCK_OP_RST);
	}
	assert_int_equal(console_piece.n_sent, 0);
}

static void a_packet_waits_for_a_buffer(void **state)
{
	struct vsock_header header = {.src_cid = PEER, .dst_cid = CID, .op = VSOCK_OP_RW, .len = 2};

	memcpy(peer->frame, &header, sizeof(header));
	memcpy(peer->frame + sizeof(header), "ab", 2);
	assert_int_equal(vsock_send(peer), OK);
	assert_int_equal(n_wakes, 1);
	lend(RECEIVE, 4096);
	assert_int_equal(last_length(RECEIVE), 46);
	assert_int_equal(get16(BUFFER + 0x10000 + 44), 'a' | 'b' << 8);
	assert_int_equal(vsock_send(peer), OK);
	lend(RECEIVE, 45); /* too small */
	assert_true(is_broken());
}

static void a_device_that_moves_tells_its_driver(void **state)
{
	lend(EVENT, 4);
	assert_int_equal(n_used(EVENT), 0);
	put(BUFFER + 0x10000, "\xff\xff\xff\xff", 4);
	virtio_vsock_move(&device, 77);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG), 77);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG + 4), 0);
	serve();
	assert_int_equal(n_used(EVENT), 1);
	assert_int_equal(last_length(EVENT), 4);
	assert_int_equal(get32(BUFFER + 0x10000), 0); /* VIRTIO_VSOCK_EVENT_TRANSPORT_RESET */
	lend(EVENT, 4);
	assert_int_equal(n_used(EVENT), 1); /* once */
	set(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG), 77);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 19);
}

/* The used ring gets no frame: what was done is not done again. */
static void without_memory_nothing_happens_twice(void **state)
{
	struct virtio_work work = {.host = &(struct virtio_host){.console = &console_piece}};

	for (unsigned queue = RECEIVE; queue <= EVENT; queue++) {
		work = (struct virtio_work){.host = work.host, .queue = queue};
		device.queue[queue].done = queue == SEND ? UINT64_MAX : 44;
		device.own = 1;
		assert_int_equal(virtio_vsock.serve(&device, &work), OK);
		assert_true(work.is_done);
		assert_int_equal(work.n_written, queue == SEND ? 0 : 44);
	}
	assert_int_equal(device.own, 1);
}

static void without_a_driver_the_port_is_closed(void **state)
{
	struct vsock_header header = {.src_cid = PEER, .dst_cid = CID};

	memcpy(peer->frame, &header, sizeof(header));
	assert_int_equal(vsock_send(peer), OK);
	set(VIRTIO_MMIO_STATUS, 0);
	virtio_vsock_look(&device);
	assert_int_equal(net_port_n(device.port), 0);
	assert_int_equal(vsock_send(peer), ERR_NOTFOUND);
	assert_false(virtio_has_work(&device));
	device.status = STATUS_RUNS;
	virtio_vsock_look(&device);
	assert_int_equal(vsock_send(peer), ERR_NOTFOUND); /* no queue */
	device.queue[RECEIVE].is_ready = true;
	virtio_vsock_look(&device);
	assert_int_equal(vsock_send(peer), OK);
	virtio_vsock_look(&device);
	assert_true(virtio_has_work(&device));
}

#define VSOCK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VSOCK_TEST(a_packet_is_passed_on),
		VSOCK_TEST(a_long_one_is_several),
		VSOCK_TEST(a_sender_waits_for_room),
		VSOCK_TEST(a_stream_to_an_unknown_cid_is_reset),
		VSOCK_TEST(an_answer_may_have_to_wait),
		VSOCK_TEST(a_guest_speaks_for_itself_alone),
		VSOCK_TEST(a_packet_that_lies_breaks_the_device),
		VSOCK_TEST(a_packet_that_shrinks_breaks_the_device),
		VSOCK_TEST(a_loop_breaks_the_device),
		VSOCK_TEST(lines_for_the_operator_are_given_to_the_caller),
		VSOCK_TEST(they_may_be_held),
		VSOCK_TEST(the_host_has_no_other_port),
		VSOCK_TEST(a_packet_waits_for_a_buffer),
		VSOCK_TEST(a_device_that_moves_tells_its_driver),
		VSOCK_TEST(without_memory_nothing_happens_twice),
		VSOCK_TEST(without_a_driver_the_port_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
