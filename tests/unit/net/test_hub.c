/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of two hubs: what is sent comes where it belongs, nowhere else, and only once. */
#include "hv/net/hub.h"

#include <pthread.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#define FRAMES	 MIB(2)
#define N_FRAMES (NET_PORT_FRAMES * 80)
#define GROUP	 UINT64_C(0xffffffffffff)

static unsigned n_wakes;

static void wake(void *owner)
{
	assert_ptr_equal(owner, &n_wakes);
	__atomic_fetch_add(&n_wakes, 1, __ATOMIC_RELAXED);
}

static int setup(void **state)
{
	frame_reset();
	(void)phys_arena(FRAMES, align_up(N_FRAMES * PAGE_SIZE, MIB(2)));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	n_wakes = 0;
	return 0;
}

static struct net_port_config config_of(unsigned hub, const char *name)
{
	return (struct net_port_config){
		.name = name, .hub = hub, .seed = 42, .wake = wake, .owner = &n_wakes};
}

static struct net_port *plug(unsigned hub, const char *name)
{
	struct net_port_config config = config_of(hub, name);
	struct net_port *port;

	assert_int_equal(net_connect(&config, &port), OK);
	return port;
}

static int unplugged(void **state)
{
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

/* Returns the calls. */
static unsigned send(struct net_port *port, uint64_t to, uint64_t from, uint8_t mark)
{
	uint64_t progress = 0;
	unsigned n = 1;

	memcpy(port->frame, &to, 6);
	memcpy(port->frame + 6, &from, 6);
	memset(port->frame + 12, mark, 48);
	for (; !net_send(port, 60, &progress); n++)
		assert_true(n < NET_PORTS_MAX);
	return n;
}

static void gets(struct net_port *port, uint8_t mark)
{
	const uint8_t *frame;

	assert_int_equal(net_next(port, &frame), 60);
	assert_int_equal(frame[12], mark);
	assert_int_equal(frame[59], mark);
	net_take(port);
}

static void gets_nothing(struct net_port *port)
{
	const uint8_t *frame;

	assert_int_equal(net_next(port, &frame), 0);
}

static void frames_for_all_go_to_all_others_of_the_hub(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b"), *c = plug(0, "c"), *d = plug(1, "d");

	send(a, GROUP, 0x0a02, 1);
	gets(b, 1);
	gets(c, 1);
	gets_nothing(b);
	gets_nothing(a);
	gets_nothing(d);
	net_disconnect(a);
	net_disconnect(b);
	net_disconnect(c);
	net_disconnect(d);
}

static void the_hub_learns_where_an_address_is(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b"), *c = plug(0, "c");

	send(a, 0x0b02, 0x0a02, 1); /* not known yet */
	gets(b, 1);
	gets(c, 1);
	send(b, 0x0a02, 0x0b02, 2);
	gets(a, 2);
	gets_nothing(c);
	send(a, 0x0b02, 0x0a02, 3);
	gets(b, 3);
	gets_nothing(c);
	/* To itself: nowhere. */
	send(a, 0x0a02, 0x0a02, 4);
	gets_nothing(a);
	gets_nothing(b);
	/* An address is where it was last seen. */
	send(c, 0x0b02, 0x0a02, 5);
	gets(b, 5);
	send(b, 0x0a02, 0x0b02, 6);
	gets(c, 6);
	gets_nothing(a);
	/* It is forgotten with its port. */
	net_disconnect(c);
	send(b, 0x0a02, 0x0b02, 7);
	gets(a, 7);
	net_disconnect(a);
	net_disconnect(b);
}

static void a_port_has_a_few_addresses(void **state)
{
	struct net_port *a = plug(3, "a"), *b = plug(3, "b"), *c = plug(3, "c");
	struct net_port_line line;
	unsigned slot = 0;

	send(b, GROUP, 0x0b02, 1);
	for (unsigned i = 0; i <= NET_ADDRESSES; i++)
		send(a, 0x0b02, 0x0a02 + i * 0x10000, 2);
	send(a, 0x0b02, GROUP, 2); /* not learned, like zero */
	send(a, 0x0b02, 0, 2);
	assert_true(net_describe(3, &slot, &line));
	assert_string_equal(line.name, "a");
	assert_int_equal(line.n_addresses, NET_ADDRESSES);
	assert_int_equal(line.counts.n_sent, NET_ADDRESSES + 3);
	/* The oldest is not known any more, the next one is; b's is, whatever a has sent. */
	net_flush(a);
	net_flush(b);
	net_flush(c);
	send(b, 0x0a02, 0x0b02, 3);
	gets(a, 3);
	gets(c, 3);
	send(b, 0x10a02, 0x0b02, 4);
	gets(a, 4);
	gets_nothing(c);
	send(c, 0x0b02, 0x0c02, 5);
	gets(b, 5);
	gets_nothing(a);
	net_disconnect(a);
	net_disconnect(b);
	net_disconnect(c);
}

static void a_frame_that_finds_the_ring_full_is_dropped(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b");

	for (unsigned i = 0; i < NET_RING_SIZE + 5; i++)
		send(a, GROUP, 0x0a02, (uint8_t)i);
	assert_int_equal(b->counts.n_dropped, 5);
	assert_int_equal(n_wakes, 1); /* once, until the owner looks */
	assert_true(net_has_news(b));
	assert_false(net_has_news(b));
	for (unsigned i = 0; i < NET_RING_SIZE; i++)
		gets(b, (uint8_t)i);
	gets_nothing(b);
	assert_int_equal(b->counts.n_received, NET_RING_SIZE);
	send(a, GROUP, 0x0a02, 99);
	assert_int_equal(n_wakes, 2);
	net_flush(b);
	gets_nothing(b);
	net_disconnect(a);
	net_disconnect(b);
}

static void frames_of_other_lengths_are_not_sent(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b");
	const uint8_t *frame;
	uint64_t progress = 0;

	assert_true(net_send(a, NET_FRAME_MIN - 1, &progress));
	assert_true(net_send(a, NET_FRAME_MAX + 1, &progress));
	assert_int_equal(a->counts.n_malformed, 2);
	gets_nothing(b);
	assert_true(net_send(a, NET_FRAME_MIN, &progress));
	assert_int_equal(net_next(b, &frame), NET_FRAME_MIN);
	net_take(b);
	progress = 0;
	assert_true(net_send(a, NET_FRAME_MAX, &progress));
	assert_int_equal(net_next(b, &frame), NET_FRAME_MAX);
	net_disconnect(a);
	net_disconnect(b);
}

static void many_ports_are_served_in_pieces(void **state)
{
	enum { N = 30 };
	struct net_port *port[N];
	uint64_t progress = UINT64_MAX;

	for (unsigned i = 0; i < N; i++)
		port[i] = plug(NET_HUBS - 1, "p");
	assert_int_equal(send(port[4], GROUP, 0x0a02, 7), 4);
	for (unsigned i = 0; i < N; i++)
		if (i != 4)
			gets(port[i], 7);
	gets_nothing(port[4]);
	/* What a saved state has claimed to be done. */
	assert_true(net_send(port[4], 60, &progress));
	gets_nothing(port[5]);
	/* A slot is used again. */
	net_disconnect(port[3]);
	port[3] = plug(NET_HUBS - 1, "new");
	assert_int_equal(port[3]->slot, 3);
	for (unsigned i = 0; i < N; i++)
		net_disconnect(port[i]);
}

/* Slots of ports that have gone are looked at in pieces, too. */
static void a_hub_with_few_ports_left_is_walked_in_pieces(void **state)
{
	enum { N = 70 };
	struct net_port *port[N];

	for (unsigned i = 0; i < N; i++)
		port[i] = plug(0, "p");
	for (unsigned i = 1; i < N - 1; i++)
		net_disconnect(port[i]);
	assert_int_equal(send(port[0], GROUP, 0x0a02, 7), 2);
	gets(port[N - 1], 7);
	net_disconnect(port[0]);
	net_disconnect(port[N - 1]);
}

static void ports_are_described_in_their_order(void **state)
{
	struct net_port *a = plug(5, "a"), *b = plug(5, "b");
	struct net_port_line line;
	unsigned slot = 0;

	net_disconnect(a);
	assert_true(net_describe(5, &slot, &line));
	assert_int_equal(slot, 1);
	assert_string_equal(line.name, "b");
	slot++;
	assert_false(net_describe(5, &slot, &line));
	net_disconnect(b);
	slot = 0;
	assert_false(net_describe(5, &slot, &line));
}

static void without_memory_there_is_no_port(void **state)
{
	struct net_port_config config = config_of(0, "a");
	struct net_port *port;
	phys_t taken = 0, frame;

	/* One frame more each time: the port's own, its ring, the hub's two. */
	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = taken;
		taken = frame;
	}
	for (unsigned n = 0; n < NET_PORT_FRAMES + 2; n++) {
		assert_int_equal(net_connect(&config, &port), ERR_NOMEM);
		frame = taken;
		taken = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
		assert_int_equal(frame_available(), n + 1);
	}
	assert_int_equal(net_connect(&config, &port), OK);
	assert_int_equal(frame_available(), 0);
	net_disconnect(port);
	while ((frame = taken) != 0) {
		taken = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
}

/* Two senders fill one ring, while its owner empties it. */

#define SENT 20000
static _Thread_local struct frame_stack own_stack;

static void *send_many(void *context)
{
	struct net_port *port = context;

	stack_here = &own_stack;
	for (unsigned i = 0; i < SENT; i++)
		send(port, 0x0c02, 0x0a02 + (uint64_t)port->slot * 0x100000000, (uint8_t)(i % 251));
	return NULL;
}

static void senders_do_not_disturb_each_other(void **state)
{
	struct net_port *port[] = {plug(0, "a"), plug(0, "b")}, *c = plug(0, "c");
	pthread_t thread[2];
	uint64_t n = 0;
	const uint8_t *frame;

	send(c, GROUP, 0x0c02, 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, send_many, port[i]), 0);
	while (n + __atomic_load_n(&c->counts.n_dropped, __ATOMIC_RELAXED) < UINT64_C(2) * SENT) {
		if (net_next(c, &frame) == 0)
			continue;
		for (unsigned i = 13; i < 60; i++)
			assert_int_equal(frame[i], frame[12]);
		net_take(c);
		n++;
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	gets_nothing(c);
	net_disconnect(port[0]);
	net_disconnect(port[1]);
	net_disconnect(c);
}

/* So many addresses that several have the same hash. */
static void addresses_with_the_same_hash_are_told_apart(void **state)
{
	enum { PORTS = 30 };
	struct net_port *port[PORTS];

	for (unsigned i = 0; i < PORTS; i++)
		port[i] = plug(0, "a");
	for (unsigned i = 0; i < PORTS; i++)
		for (unsigned n = 0; n < NET_ADDRESSES; n++)
			send(port[i], 0x0a02, 0x0200 + 0x10000 * (i * NET_ADDRESSES + n), 1);
	for (unsigned i = 0; i < PORTS; i++)
		net_flush(port[i]);
	for (unsigned i = 1; i < PORTS; i++)
		for (unsigned n = 0; n < NET_ADDRESSES; n++) {
			send(port[0], 0x0200 + 0x10000 * (i * NET_ADDRESSES + n), 0x0200, 2);
			gets(port[i], 2);
		}
	for (unsigned i = 0; i < PORTS; i++)
		net_disconnect(port[i]);
}

static void a_full_ring_is_flushed(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b");

	for (unsigned i = 0; i < NET_RING_SIZE; i++)
		send(a, GROUP, 0x0a02, 1);
	assert_true(net_has_news(b));
	assert_false(net_has_news(b));
	net_flush(b);
	gets_nothing(b);
	net_disconnect(a);
	net_disconnect(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, unplugged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_for_all_go_to_all_others_of_the_hub),
		TEST(the_hub_learns_where_an_address_is),
		TEST(a_port_has_a_few_addresses),
		TEST(a_frame_that_finds_the_ring_full_is_dropped),
		TEST(frames_of_other_lengths_are_not_sent),
		TEST(many_ports_are_served_in_pieces),
		TEST(a_hub_with_few_ports_left_is_walked_in_pieces),
		TEST(ports_are_described_in_their_order),
		TEST(without_memory_there_is_no_port),
		TEST(addresses_with_the_same_hash_are_told_apart),
		TEST(a_full_ring_is_flushed),
		TEST(senders_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
