/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets' ports: packets come to their CID, none is lost, and who had to wait is woken. */
#include "hv/net/vsock.c"

#include <pthread.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#define FRAMES	 MIB(2)
#define N_PORTS	 12
#define N_FRAMES (NET_PORT_FRAMES * N_PORTS)

static unsigned n_wakes[N_PORTS];

static void wake(void *owner)
{
	__atomic_fetch_add((unsigned *)owner, 1, __ATOMIC_RELAXED);
}

static int setup(void **state)
{
	frame_reset();
	(void)phys_arena(FRAMES, align_up(N_FRAMES * PAGE_SIZE, MIB(2)));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	memset(n_wakes, 0, sizeof(n_wakes));
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

static struct net_port *plug(unsigned n, uint64_t cid)
{
	struct net_port_config config = {.name = "a", .wake = wake, .owner = &n_wakes[n]};
	struct net_port *port;

	assert_int_equal(vsock_connect(&config, cid, &port), OK);
	return port;
}

static enum status send(struct net_port *port, uint64_t cid, uint32_t mark)
{
	struct vsock_header header = {.dst_cid = cid, .src_port = mark, .len = 4};

	memcpy(port->frame, &header, sizeof(header));
	memcpy(port->frame + sizeof(header), &mark, 4);
	return vsock_send(port);
}

static void gets(struct net_port *port, uint32_t mark)
{
	const uint8_t *packet;
	uint32_t data;

	assert_int_equal(net_next(port, &packet), sizeof(struct vsock_header) + 4);
	memcpy(&data, packet + sizeof(struct vsock_header), 4);
	assert_int_equal(data, mark);
	net_take(port);
	vsock_taken(port);
}

static void packets_come_to_their_cid(void **state)
{
	struct net_port *a = plug(0, 3), *b = plug(1, 4), *far = plug(2, 3 + 512);

	assert_int_equal(send(a, 4, 1), OK);
	assert_int_equal(send(b, 3, 2), OK);
	assert_int_equal(send(b, 3 + 512, 3), OK); /* in the same list */
	assert_int_equal(send(b, 4, 4), OK);	   /* to itself */
	assert_int_equal(send(a, 5, 5), ERR_NOTFOUND);
	assert_int_equal(send(a, UINT64_MAX, 5), ERR_NOTFOUND);
	gets(b, 1);
	gets(a, 2);
	gets(far, 3);
	gets(b, 4);
	assert_int_equal(n_wakes[0], 1);
	vsock_disconnect(a);
	assert_int_equal(send(b, 3, 6), ERR_NOTFOUND);
	vsock_disconnect(far);
	vsock_disconnect(b);
}

static void a_cid_has_one_port(void **state)
{
	struct net_port_config config = {.name = "b", .wake = wake, .owner = &n_wakes[1]};
	struct net_port *a = plug(0, 3), *b = NULL;

	assert_int_equal(vsock_connect(&config, 3, &b), ERR_RANGE);
	assert_null(b);
	vsock_disconnect(a);
	a = plug(0, 3);
	while (frame_alloc() != 0)
		;
	assert_int_equal(vsock_connect(&config, 4, &b), ERR_NOMEM);
	vsock_disconnect(a);
	frame_reset();
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
}

static void a_port_without_a_driver_is_not_there(void **state)
{
	struct net_port *a = plug(0, 3), *b = plug(1, 4);

	b->is_closed = true;
	assert_int_equal(send(a, 4, 1), ERR_NOTFOUND);
	b->is_closed = false;
	assert_int_equal(send(a, 4, 1), OK);
	vsock_disconnect(a);
	vsock_disconnect(b);
}

static void a_full_ring_makes_senders_wait(void **state)
{
	struct net_port *b = plug(0, 3), *from[N_PORTS - 1];

	for (unsigned i = 0; i < N_PORTS - 1; i++)
		from[i] = plug(i + 1, 100 + i);
	for (unsigned i = 0; i < NET_RING_SIZE; i++)
		assert_int_equal(send(from[0], 3, i), OK);
	for (unsigned i = 0; i < N_PORTS - 1; i++)
		assert_int_equal(send(from[i], 3, 99), ERR_BUSY);
	assert_int_equal(send(from[0], 3, 99), ERR_BUSY); /* once more */
	/* Others are reached. */
	assert_int_equal(send(from[1], 102, 1), OK);
	gets(from[2], 1);
	memset(n_wakes, 0, sizeof(n_wakes));
	for (unsigned i = 0; i < NET_RING_SIZE; i++) {
		for (unsigned n = 1; n < N_PORTS; n++)
			assert_int_equal(n_wakes[n], i >= NET_RING_SIZE / 2);
		gets(b, i);
		for (unsigned n = 1; n < N_PORTS; n++)
			net_has_news(from[n - 1]);
	}
	for (unsigned i = 0; i < N_PORTS - 1; i++)
		assert_int_equal(send(from[i], 3, i), OK);
	for (unsigned i = 0; i < N_PORTS - 1; i++)
		vsock_disconnect(from[i]);
	vsock_disconnect(b);
}

static void who_waits_may_leave(void **state)
{
	struct net_port *a = plug(0, 3), *b = plug(1, 4), *c = plug(2, 5);

	while (send(a, 5, 1) == OK)
		;
	assert_int_equal(send(b, 5, 1), ERR_BUSY);
	vsock_disconnect(a); /* not the first in the list */
	memset(n_wakes, 0, sizeof(n_wakes));
	net_flush(c);
	vsock_taken(c);
	assert_int_equal(n_wakes[0], 0);
	assert_int_equal(n_wakes[1], 1);
	vsock_disconnect(b);
	vsock_disconnect(c);
}

static void who_waits_between_two_others_may_leave(void **state)
{
	struct net_port *to = plug(3, 6), *from[3];

	for (unsigned i = 0; i < 3; i++) {
		from[i] = plug(i, 3 + i);
		while (send(from[i], 6, 1) == OK)
			;
	}
	vsock_disconnect(from[1]);
	memset(n_wakes, 0, sizeof(n_wakes));
	net_flush(to);
	vsock_taken(to);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(n_wakes[i], i != 1);
	vsock_disconnect(from[0]);
	vsock_disconnect(from[2]);
	vsock_disconnect(to);
}

static void who_is_waited_for_may_leave(void **state)
{
	struct net_port *to = plug(0, 3), *from[N_PORTS - 1];

	for (unsigned i = 0; i < N_PORTS - 1; i++) {
		from[i] = plug(i + 1, 100 + i);
		while (send(from[i], 3, 1) == OK)
			;
	}
	memset(n_wakes, 0, sizeof(n_wakes));
	vsock_disconnect(to);
	for (unsigned i = 0; i < N_PORTS - 1; i++) {
		assert_int_equal(n_wakes[i + 1], 1);
		assert_int_equal(send(from[i], 3, 1), ERR_NOTFOUND);
		/* It may wait for itself, too. */
		while (send(from[i], 100 + i, 1) == OK)
			;
		vsock_disconnect(from[i]);
	}
}

static void *leave(void *port)
{
	vsock_disconnect(port);
	return NULL;
}

/* What has changed between a full ring and the wait for it. */
static void who_need_not_wait_does_not(void **state)
{
	struct net_port *a = plug(0, 3), *b = plug(1, 4);
	pthread_t thread;

	assert_int_equal(wait_for(a, b), OK); /* there is room */
	assert_null(b->first_waiter);
	hold(b);
	assert_int_equal(pthread_create(&thread, NULL, leave, b), 0);
	while (send(a, 4, 1) == OK) /* it leaves, and cannot be gone */
		net_flush(b);
	assert_int_equal(wait_for(a, b), ERR_NOTFOUND);
	release(b);
	pthread_join(thread, NULL);
	vsock_disconnect(a);
}

/* Two senders and a receiver at once: each packet comes, in its sender's order. */
#define N_SENT 20000

static void *send_all(void *port)
{
	unsigned *woken = ((struct net_port *)port)->config.owner;

	for (uint32_t i = 0; i < N_SENT;) {
		unsigned before = __atomic_load_n(woken, __ATOMIC_SEQ_CST);

		net_has_news(port);
		if (send(port, 5, i) == OK)
			i++;
		else
			while (__atomic_load_n(woken, __ATOMIC_SEQ_CST) == before)
				sched_yield();
	}
	return NULL;
}

static void no_wake_is_missed(void **state)
{
	struct net_port *from[2] = {plug(0, 3), plug(1, 4)}, *to = plug(2, 5);
	uint32_t next[2] = {0};
	pthread_t thread[2];

	/* The packets say who sent them by the source's port, the data who and which. */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, send_all, from[i]), 0);
	while (next[0] + next[1] < 2 * N_SENT) {
		const uint8_t *packet;
		uint32_t data;

		if (net_next(to, &packet) == 0) {
			sched_yield();
			continue;
		}
		memcpy(&data, packet + sizeof(struct vsock_header), 4);
		next[data == next[0] ? 0 : 1]++;
		net_take(to);
		vsock_taken(to);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(next[0], N_SENT);
	assert_int_equal(next[1], N_SENT);
	for (unsigned i = 0; i < 2; i++)
		vsock_disconnect(from[i]);
	vsock_disconnect(to);
}

#define VSOCK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VSOCK_TEST(packets_come_to_their_cid),
		VSOCK_TEST(a_cid_has_one_port),
		VSOCK_TEST(a_port_without_a_driver_is_not_there),
		VSOCK_TEST(a_full_ring_makes_senders_wait),
		VSOCK_TEST(who_waits_may_leave),
		VSOCK_TEST(who_waits_between_two_others_may_leave),
		VSOCK_TEST(who_is_waited_for_may_leave),
		VSOCK_TEST(who_need_not_wait_does_not),
		VSOCK_TEST(no_wake_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
