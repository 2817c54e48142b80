/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver sends to a port of another VM, and receives what that one sends. */
#include "hv/virtio/virtio_net.h"

#include "hv/net/hub.h"
#include "tests/unit/virtio_driver.h"

#define MAC  UINT64_C(0x563412005452) /* 52:54:00:12:34:56 */
#define PEER UINT64_C(0x0b02)
#define LEN  60
/* The header in front of a frame, in one buffer. */
#define SENT (VIRTIO_NET_HEADER + LEN)

static const struct virtio_config net_config = {
	.kind = &virtio_net, .features = VIRTIO_NET_FEATURES, .identity = MAC};

static struct net_port *port, *peer; /* the driver's own */
static unsigned n_wakes;

static void wake(void *owner)
{
	n_wakes++;
}

static struct net_port *plug(void)
{
	struct net_port_config config = {.name = "vm", .seed = 1, .wake = wake};
	struct net_port *ret;

	assert_int_equal(net_connect(&config, &ret), OK);
	return ret;
}

static void start(uint64_t features)
{
	start_device(&net_config, features);
	device.port = port;
}

static int plug_in(void **state)
{
	setup(state);
	port = plug();
	peer = plug();
	n_wakes = 0;
	start(VIRTIO_NET_FEATURES);
	return 0;
}

static int unplug(void **state)
{
	net_disconnect(port);
	net_disconnect(peer);
	return teardown(state);
}

static void kick(unsigned n)
{
	assert_int_equal(set(VIRTIO_MMIO_QUEUE_NOTIFY, n), WISH_VIRTIO);
}

static void put_frame(uint64_t gpa, uint64_t to, uint8_t mark)
{
	uint8_t frame[LEN] = {0};

	memcpy(frame, &to, 6);
	memcpy(frame + 6, &(uint64_t){MAC}, 6);
	memset(frame + 12, mark, LEN - 12);
	put(gpa, frame, LEN);
}

/* The driver sends a frame of 'len' bytes after the header. */
static void drive(uint64_t to, uint8_t mark, uint32_t len)
{
	put_frame(BUFFER + VIRTIO_NET_HEADER, to, mark);
	describe(DESC(1), 0, (struct desc){.addr = BUFFER, .len = VIRTIO_NET_HEADER + len});
	offer(VIRTIO_NET_SEND, 0);
	kick(VIRTIO_NET_SEND);
}

static void peer_sends(uint64_t to, uint8_t mark)
{
	uint64_t progress = 0;

	memcpy(peer->frame, &to, 6);
	memcpy(peer->frame + 6, &(uint64_t){PEER}, 6);
	memset(peer->frame + 12, mark, LEN - 12);
	assert_true(net_send(peer, LEN, &progress));
}

/* The driver offers a buffer of 'len' bytes to receive into. */
static void offer_room(uint16_t n, uint32_t len)
{
	describe(DESC(0), n,
		 (struct desc){
			 .addr = BUFFER + KIB(64) + n * KIB(4), .len = len, .flags = FLAG_WRITE});
	offer(VIRTIO_NET_RECEIVE, n);
}

static void look(void)
{
	virtio_net_look(&device);
}

static uint8_t byte_at(uint64_t gpa)
{
	return (uint8_t)get16(gpa);
}

static void the_space_has_address_and_link(void **state)
{
	assert_int_equal(virtio_read_space(&device, 0, 8), MAC | UINT64_C(1) << 48);
	assert_int_equal(virtio_read_space(&device, 6, 2), VIRTIO_NET_LINK_UP);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 1);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG), (uint32_t)MAC);
	/* It is not the driver's to change. */
	set(VIRTIO_MMIO_CONFIG, 1);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG), (uint32_t)MAC);
}

static void frames_are_sent_without_their_header(void **state)
{
	const uint8_t *frame;

	drive(PEER, 9, LEN);
	serve();
	assert_int_equal(n_used(VIRTIO_NET_SEND), 1);
	assert_int_equal(last_length(VIRTIO_NET_SEND), 0);
	assert_int_equal(n_wakes, 1);
	assert_int_equal(net_next(peer, &frame), LEN);
	assert_int_equal(net_mac(frame), PEER);
	assert_int_equal(net_mac(frame + 6), MAC);
	assert_int_equal(frame[LEN - 1], 9);
}

static void frames_come_with_a_header(void **state)
{
	uint64_t at = BUFFER + KIB(64);

	offer_room(0, 1526);
	kick(VIRTIO_NET_RECEIVE);
	serve(); /* nothing has come: the buffer waits */
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 0);
	peer_sends(MAC, 3);
	assert_int_equal(n_wakes, 1);
	look();
	serve();
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 1);
	assert_int_equal(last_length(VIRTIO_NET_RECEIVE), SENT);
	assert_true(get(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_USED);
	assert_int_equal(get32(at), 0);
	assert_int_equal(get16(at + 10), 1); /* buffers */
	assert_int_equal(byte_at(at + SENT - 1), 3);
	assert_int_equal(byte_at(at + SENT), 0);
}

static void frames_wait_for_buffers(void **state)
{
	peer_sends(MAC, 3);
	peer_sends(MAC, 4);
	look();
	serve();
	offer_room(0, 1526);
	offer_room(1, SENT);
	kick(VIRTIO_NET_RECEIVE);
	serve();
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 2);
	assert_int_equal(byte_at(BUFFER + KIB(68) + SENT - 1), 4);
}

static void a_frame_that_does_not_fit_is_lost(void **state)
{
	peer_sends(MAC, 3);
	peer_sends(MAC, 4);
	offer_room(0, SENT - 1);
	kick(VIRTIO_NET_RECEIVE);
	serve();
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(port->counts.n_received, 2);
}

static void a_broadcast_is_sent_in_pieces(void **state)
{
	struct net_port *more[NET_PORTS_AT_ONCE * 2];
	const uint8_t *frame;

	for (unsigned i = 0; i < ARRAY_SIZE(more); i++)
		more[i] = plug();
	drive(UINT64_C(0xffffffffffff), 5, LEN);
	assert_true(serve() >= 3);
	assert_int_equal(n_used(VIRTIO_NET_SEND), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(more); i++) {
		assert_int_equal(net_next(more[i], &frame), LEN);
		net_take(more[i]);
		assert_int_equal(net_next(more[i], &frame), 0);
		net_disconnect(more[i]);
	}
	assert_int_equal(device.queue[VIRTIO_NET_SEND].done, 0);
}

static void what_is_no_frame_is_dropped(void **state)
{
	const uint8_t *frame;

	drive(PEER, 5, NET_FRAME_MIN - 1);
	serve();
	drive(PEER, 5, NET_FRAME_MAX + 1);
	serve();
	drive(PEER, 5, UINT32_MAX - VIRTIO_NET_HEADER);
	serve();
	assert_int_equal(net_next(peer, &frame), 0);
	assert_int_equal(n_used(VIRTIO_NET_SEND), 3);
	assert_int_equal(port->counts.n_malformed, 3);
	/* A chain without a whole header is not a driver's. */
	describe(DESC(1), 0, (struct desc){.addr = BUFFER, .len = VIRTIO_NET_HEADER - 1});
	offer(VIRTIO_NET_SEND, 0);
	kick(VIRTIO_NET_SEND);
	serve();
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
}

static void a_device_without_a_port_sends_nowhere(void **state)
{
	const uint8_t *frame;

	device.port = NULL;
	drive(PEER, 5, LEN);
	offer_room(0, 1526);
	kick(VIRTIO_NET_RECEIVE);
	serve();
	assert_int_equal(n_used(VIRTIO_NET_SEND), 1);
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 0);
	assert_int_equal(net_next(peer, &frame), 0);
}

/* Returns the device's answer. */
static uint8_t command(uint8_t class, uint8_t number, uint32_t len)
{
	const uint8_t bytes[2] = {class, number};

	put(BUFFER, bytes, sizeof(bytes));
	put(BUFFER + 8, &(uint8_t){0xaa}, 1);
	describe(DESC(2), 0, (struct desc){BUFFER, len, FLAG_NEXT, 1});
	describe(DESC(2), 1, (struct desc){BUFFER + 8, 1, FLAG_WRITE, 0});
	offer(VIRTIO_NET_CONTROL, 0);
	kick(VIRTIO_NET_CONTROL);
	serve();
	return byte_at(BUFFER + 8);
}

static void a_device_that_moved_asks_for_an_announcement(void **state)
{
	uint32_t generation = get(VIRTIO_MMIO_GENERATION);

	virtio_net_moved(&device);
	assert_int_equal(get(VIRTIO_MMIO_GENERATION), generation + 1);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_CHANGED);
	assert_int_equal(virtio_read_space(&device, 6, 2),
			 VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
	assert_int_equal(command(3, 1, 2), 1);
	assert_int_equal(command(1, 0, 2), 1); /* a class that is not offered */
	assert_true(virtio_read_space(&device, 6, 2) & VIRTIO_NET_ANNOUNCE);
	assert_int_equal(command(3, 0, 2), 0);
	assert_int_equal(virtio_read_space(&device, 6, 2), VIRTIO_NET_LINK_UP);
	assert_int_equal(last_length(VIRTIO_NET_CONTROL), 1);
	assert_int_equal(command(3, 0, 1), 0xaa);
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
	/* A driver that cannot announce is not asked. */
	start(VIRTIO_NET_F_MAC);
	virtio_net_moved(&device);
	assert_int_equal(virtio_read_space(&device, 6, 2), VIRTIO_NET_LINK_UP);
}

static void a_clone_has_its_own_address(void **state)
{
	/* 02:12:34:56:00:07 */
	assert_int_equal(virtio_net_clone_mac(MAC, 7), UINT64_C(0x070056341202));
	assert_int_equal(virtio_net_clone_mac(MAC, 0x3fabcd), UINT64_C(0xcdab563412fe));
	assert_int_equal(virtio_net_clone_mac(MAC, 0x400007), UINT64_C(0x070056341202));
	virtio_net_renew(&device, 7);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_CHANGED);
	assert_int_equal(virtio_read_space(&device, 0, 4), 0x56341202);
	/* A reset leaves it. */
	set(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	assert_int_equal(virtio_read_space(&device, 0, 4), 0x56341202);
	virtio_net_renew(&device, 8);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	virtio_init(&device, &net_config);
	assert_int_equal(virtio_read_space(&device, 0, 4), (uint32_t)MAC);
}

static void what_comes_without_a_driver_is_dropped(void **state)
{
	peer_sends(MAC, 3);
	set(VIRTIO_MMIO_STATUS, 0);
	assert_ptr_equal(device.port, port);
	look();
	start(VIRTIO_NET_FEATURES);
	offer_room(0, 1526);
	kick(VIRTIO_NET_RECEIVE);
	serve();
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 0);
	peer_sends(MAC, 4);
	assert_int_equal(n_wakes, 2);
	look();
	serve();
	assert_int_equal(n_used(VIRTIO_NET_RECEIVE), 1);
	/* A queue that is stopped is no place either. */
	set(VIRTIO_MMIO_QUEUE_SELECT, VIRTIO_NET_RECEIVE);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	peer_sends(MAC, 5);
	look();
	assert_false(virtio_has_work(&device));
	assert_int_equal(port->counts.n_received, 3);
}

static void a_frame_is_sent_once_though_its_chain_waits_for_memory(void **state)
{
	struct virtio_host host = {.memory = &memory};
	const uint8_t *frame;
	uint64_t owned = ept.n_owned;

	drive(PEER, 9, LEN);
	/* The used ring's page has no frame yet. */
	ept.max_owned = owned;
	set(VIRTIO_MMIO_STATUS, 0);
	start(VIRTIO_NET_FEATURES);
	describe(DESC(1), 0, (struct desc){.addr = BUFFER, .len = SENT});
	set(VIRTIO_MMIO_QUEUE_SELECT, VIRTIO_NET_SEND);
	offer(VIRTIO_NET_SEND, 0);
	kick(VIRTIO_NET_SEND);
	assert_int_equal(virtio_serve(&device, &host), ERR_NOMEM);
	assert_int_equal(virtio_serve(&device, &host), ERR_NOMEM);
	ept.max_owned = EPT_UNLIMITED;
	serve();
	assert_int_equal(n_used(VIRTIO_NET_SEND), 1);
	assert_int_equal(net_next(peer, &frame), LEN);
	net_take(peer);
	assert_int_equal(net_next(peer, &frame), 0);
}

static void is_broken_by(unsigned queue, struct desc first, struct desc second)
{
	start(VIRTIO_NET_FEATURES);
	describe(DESC(queue), 0, first);
	describe(DESC(queue), 1, second);
	offer(queue, 0);
	kick(queue);
	look();
	serve();
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
}

static void buffers_outside_memory_break_the_device(void **state)
{
	static const struct desc none = {RAM + RAM_LEN, LEN, 0, 0},
				 no_room = {RAM + RAM_LEN, LEN, FLAG_WRITE, 0},
				 endless = {BUFFER, 1, FLAG_NEXT, 0xffff},
				 endless_room = {BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0xffff};
	static const struct desc header = {BUFFER, VIRTIO_NET_HEADER, FLAG_NEXT, 1},
				 header_room = {BUFFER, VIRTIO_NET_HEADER, FLAG_WRITE | FLAG_NEXT,
						1};
	struct desc long_room = no_room;

	long_room.len = 2000;
	is_broken_by(VIRTIO_NET_SEND, endless, none);
	is_broken_by(VIRTIO_NET_SEND, header, none);
	is_broken_by(VIRTIO_NET_CONTROL, endless, none);
	is_broken_by(VIRTIO_NET_CONTROL, (struct desc){RAM + RAM_LEN, 2, FLAG_NEXT, 1},
		     (struct desc){BUFFER, 1, FLAG_WRITE, 0});
	peer_sends(MAC, 1);
	is_broken_by(VIRTIO_NET_RECEIVE, endless_room, none);
	peer_sends(MAC, 1);
	is_broken_by(VIRTIO_NET_RECEIVE, long_room, none);
	peer_sends(MAC, 1);
	is_broken_by(VIRTIO_NET_RECEIVE, header_room, long_room);
}

#define NET(f) cmocka_unit_test_setup_teardown(f, plug_in, unplug)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET(the_space_has_address_and_link),
		NET(frames_are_sent_without_their_header),
		NET(frames_come_with_a_header),
		NET(frames_wait_for_buffers),
		NET(a_frame_that_does_not_fit_is_lost),
		NET(a_broadcast_is_sent_in_pieces),
		NET(what_is_no_frame_is_dropped),
		NET(a_device_without_a_port_sends_nowhere),
		NET(a_device_that_moved_asks_for_an_announcement),
		NET(a_clone_has_its_own_address),
		NET(what_comes_without_a_driver_is_dropped),
		NET(buffers_outside_memory_break_the_device),
		NET(a_frame_is_sent_once_though_its_chain_waits_for_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
