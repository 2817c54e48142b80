/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of a console device: what they carry, and the messages about them. */
#include "hv/virtio/virtio_console.h"

#include "tests/unit/virtio_driver.h"

#define TO_DRIVER   VIRTIO_CONSOLE_CONTROL_RECEIVE
#define FROM_DRIVER VIRTIO_CONSOLE_CONTROL_SEND

#define NR_PORTS 4 /* offsets in the configuration space */
#define EMERG	 8

#define FEATURES (VIRTIO_CONSOLE_F_MULTIPORT | VIRTIO_CONSOLE_F_EMERG_WRITE)

static const struct virtio_console_config two = {
	.base = {.kind = &virtio_console, .features = FEATURES},
	.n_ports = 2,
	.port = {{.is_there = true, .is_console = true, .is_shown = true, .has_input = true},
		 {.is_there = true, .is_shown = true, .name = "agent"}},
};
static const struct virtio_console_config one = {
	.base = {.kind = &virtio_console, .n_absent = 4},
	.n_ports = 1,
	.port = {{.is_there = true, .is_console = true, .is_shown = true, .has_input = true}},
};
/* Port 0 is missing; the input goes to port 1. */
static const struct virtio_console_config second = {
	.base = {.kind = &virtio_console, .features = FEATURES},
	.n_ports = 2,
	.port = {{.is_there = false}, {.is_there = true, .is_shown = true, .has_input = true}},
};

static int set_up(void **state)
{
	setup(state);
	console_piece = (struct console_piece){0};
	return 0;
}

static void start_with(const struct virtio_console_config *config, uint64_t features)
{
	for (unsigned n = 0; n < VIRTIO_CONSOLE_QUEUES; n++) {
		put16(AVAIL(n) + 2, 0);
		put16(USED(n) + 2, 0);
	}
	start_device(&config->base, features);
}

static void start(const struct virtio_console_config *config)
{
	start_with(config, config->base.features);
}

static void notify(unsigned queue)
{
	set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

static bool is_broken(void)
{
	return get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET;
}

static void type(const char *text)
{
	console_piece.n_typed = (uint32_t)strlen(text);
	memcpy(console_piece.typed, text, strlen(text));
	virtio_console_look(&device);
}

/* A buffer of a queue for the device to write, at BUFFER + queue * 0x1000. */
static void lend(unsigned queue, uint32_t len)
{
	describe(DESC(queue), 0, (struct desc){BUFFER + queue * 0x1000, len, FLAG_WRITE, 0});
	offer(queue, 0);
	notify(queue);
	serve();
}

static void expect_received(unsigned queue, const char *text)
{
	uint8_t bytes[64];

	assert_int_equal(last_length(queue), strlen(text));
	assert_int_equal(guest_read(&memory, at(BUFFER + queue * 0x1000), bytes, strlen(text)), OK);
	assert_memory_equal(bytes, text, strlen(text));
}

static void say(uint32_t id, uint16_t event, uint16_t value)
{
	struct {
		uint32_t id;
		uint16_t event, value;
	} message = {id, event, value};

	put(BUFFER + FROM_DRIVER * 0x1000, &message, sizeof(message));
	describe(DESC(FROM_DRIVER), 0,
		 (struct desc){BUFFER + FROM_DRIVER * 0x1000, sizeof(message), 0, 0});
	offer(FROM_DRIVER, 0);
	notify(FROM_DRIVER);
	serve();
}

/* The next message that the driver is told, with the bytes that follow it. */
static void expect_told(uint32_t id, uint16_t event, const char *text)
{
	uint64_t at_message = BUFFER + TO_DRIVER * 0x1000;
	uint16_t before = n_used(TO_DRIVER);
	uint8_t bytes[64];

	lend(TO_DRIVER, 256);
	assert_int_equal(n_used(TO_DRIVER), before + 1);
	assert_int_equal(last_length(TO_DRIVER), 8 + strlen(text));
	assert_int_equal(get32(at_message), id);
	assert_int_equal(get16(at_message + 4), event);
	assert_int_equal(get16(at_message + 6), 1);
	assert_int_equal(guest_read(&memory, at(at_message + 8), bytes, strlen(text)), OK);
	assert_memory_equal(bytes, text, strlen(text));
}

static void expect_silence(void)
{
	uint16_t before = n_used(TO_DRIVER);

	lend(TO_DRIVER, 256);
	assert_int_equal(n_used(TO_DRIVER), before);
	assert_false(is_broken());
}

static void a_port_sends_in_pieces(void **state)
{
	char text[600];

	start(&two);
	memset(text, 'a', 300);
	memset(text + 300, 'b', 300);
	put(BUFFER, text, sizeof(text));
	describe(DESC(VIRTIO_CONSOLE_SEND_1), 0, (struct desc){BUFFER, 10, FLAG_NEXT, 1});
	describe(DESC(VIRTIO_CONSOLE_SEND_1), 1, (struct desc){BUFFER + 10, 590, 0, 0});
	offer(VIRTIO_CONSOLE_SEND_1, 0);
	notify(VIRTIO_CONSOLE_SEND_1);
	serve_once();
	assert_int_equal(console_piece.port, 1);
	assert_int_equal(console_piece.n_sent, VIRTIO_CONSOLE_SENT);
	assert_memory_equal(console_piece.sent, text, VIRTIO_CONSOLE_SENT);
	assert_int_equal(n_used(VIRTIO_CONSOLE_SEND_1), 0);
	serve_once();
	assert_memory_equal(console_piece.sent, text + 256, VIRTIO_CONSOLE_SENT);
	serve_once();
	assert_int_equal(console_piece.n_sent, 600 - 512);
	assert_memory_equal(console_piece.sent, text + 512, 600 - 512);
	assert_int_equal(n_used(VIRTIO_CONSOLE_SEND_1), 1);
	assert_int_equal(last_length(VIRTIO_CONSOLE_SEND_1), 0);
}

static void a_held_port_keeps_its_chain(void **state)
{
	start(&two);
	put(BUFFER, "x", 1);
	describe(DESC(VIRTIO_CONSOLE_SEND), 0, (struct desc){BUFFER, 1, 0, 0});
	offer(VIRTIO_CONSOLE_SEND, 0);
	console_piece.is_held = true;
	notify(VIRTIO_CONSOLE_SEND);
	serve();
	assert_int_equal(console_piece.n_sent, 0);
	assert_int_equal(n_used(VIRTIO_CONSOLE_SEND), 0);
	console_piece.is_held = false;
	virtio_console_look(&device);
	while (virtio_has_work(&device) && console_piece.n_sent == 0)
		serve_once();
	assert_int_equal(console_piece.sent[0], 'x');
	assert_int_equal(n_used(VIRTIO_CONSOLE_SEND), 1);
}

/* The chain's end moved after some of it was sent. */
static void a_chain_that_shrinks_breaks_the_device(void **state)
{
	start(&two);
	describe(DESC(VIRTIO_CONSOLE_SEND), 0, (struct desc){BUFFER, 600, 0, 0});
	offer(VIRTIO_CONSOLE_SEND, 0);
	notify(VIRTIO_CONSOLE_SEND);
	serve_once();
	describe(DESC(VIRTIO_CONSOLE_SEND), 0, (struct desc){BUFFER, 100, 0, 0});
	serve();
	assert_true(is_broken());
}

static void a_chain_without_an_end_breaks_the_device(void **state)
{
	for (unsigned queue = 0; queue < VIRTIO_CONSOLE_QUEUES; queue++) {
		start(&two);
		device.own = 0xffff; /* everything waits, everything is open */
		type("x");
		serve();
		describe(
			DESC(queue), 0,
			(struct desc){BUFFER, 1, FLAG_NEXT | (queue % 2 == 0 ? FLAG_WRITE : 0), 0});
		offer(queue, 0);
		notify(queue);
		serve();
		/* A message of 8 bytes is whole, and nothing is typed for port 1. */
		assert_int_equal(is_broken(), queue != FROM_DRIVER && queue != TO_DRIVER &&
						      queue != VIRTIO_CONSOLE_RECEIVE_1);
	}
}

static void typed_bytes_wait_until_the_port_is_open(void **state)
{
	start(&two);
	lend(VIRTIO_CONSOLE_RECEIVE, 4);
	type("hello");
	serve();
	assert_int_equal(n_used(VIRTIO_CONSOLE_RECEIVE), 0);
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(console_piece.n_taken, 4);
	expect_received(VIRTIO_CONSOLE_RECEIVE, "hell");
	type("");
	lend(VIRTIO_CONSOLE_RECEIVE, 4);
	assert_int_equal(n_used(VIRTIO_CONSOLE_RECEIVE), 1);
	type("o");
	serve();
	expect_received(VIRTIO_CONSOLE_RECEIVE, "o");
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 0);
	type("!");
	lend(VIRTIO_CONSOLE_RECEIVE, 4);
	assert_int_equal(n_used(VIRTIO_CONSOLE_RECEIVE), 2);
}

static void only_one_port_gets_them(void **state)
{
	start(&two);
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	lend(VIRTIO_CONSOLE_RECEIVE_1, 4);
	type("x");
	serve();
	assert_int_equal(n_used(VIRTIO_CONSOLE_RECEIVE_1), 0);
	start(&second);
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	lend(VIRTIO_CONSOLE_RECEIVE_1, 4);
	assert_int_equal(n_used(VIRTIO_CONSOLE_RECEIVE_1), 1);
	expect_received(VIRTIO_CONSOLE_RECEIVE_1, "x");
}

static void the_driver_is_told_of_ports_when_it_asks(void **state)
{
	start(&two);
	expect_silence();
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	expect_silence();
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	/* The buffers that lay there have the messages. */
	assert_int_equal(n_used(TO_DRIVER), 2);
	assert_int_equal(get32(BUFFER + TO_DRIVER * 0x1000), 1);
	assert_int_equal(get16(BUFFER + TO_DRIVER * 0x1000 + 4), VIRTIO_CONSOLE_DEVICE_ADD);
}

static void a_port_that_is_ready_gets_its_messages(void **state)
{
	start(&two);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_DEVICE_ADD, "");
	expect_told(1, VIRTIO_CONSOLE_DEVICE_ADD, "");
	say(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_told(1, VIRTIO_CONSOLE_PORT_NAME, "agent");
	expect_told(1, VIRTIO_CONSOLE_PORT_OPEN, "");
	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_told(0, VIRTIO_CONSOLE_PORT_OPEN, "");
	expect_silence();
}

static void messages_of_no_meaning_are_ignored(void **state)
{
	start(&second);
	say(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_told(1, VIRTIO_CONSOLE_DEVICE_ADD, "");
	say(0, VIRTIO_CONSOLE_PORT_READY, 1); /* is not there */
	say(2, VIRTIO_CONSOLE_PORT_READY, 1);
	say(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(1, VIRTIO_CONSOLE_PORT_READY, 0); /* the driver could not */
	say(1, VIRTIO_CONSOLE_RESIZE, 1);
	say(1, 77, 1);
	expect_silence();
}

static void a_message_needs_its_bytes(void **state)
{
	start(&two);
	describe(DESC(FROM_DRIVER), 0, (struct desc){BUFFER, 7, 0, 0});
	offer(FROM_DRIVER, 0);
	notify(FROM_DRIVER);
	serve();
	assert_true(is_broken());
	start(&two);
	say(1, VIRTIO_CONSOLE_PORT_READY, 1);
	lend(TO_DRIVER, 12); /* without the name's last byte */
	assert_true(is_broken());
	start(&two);
	say(1, VIRTIO_CONSOLE_DEVICE_READY, 1);
	lend(TO_DRIVER, 7);
	assert_true(is_broken());
}

/* The used ring gets no frame: what was done is not done again. */
static void without_memory_nothing_happens_twice(void **state)
{
	struct virtio_work work = {.host = &(struct virtio_host){.console = &console_piece}};

	start(&two);
	device.queue[TO_DRIVER].done = 13;
	work.queue = TO_DRIVER;
	assert_int_equal(virtio_console.serve(&device, &work), OK);
	assert_true(work.is_done);
	assert_int_equal(work.n_written, 13);
	work = (struct virtio_work){.host = work.host, .queue = FROM_DRIVER};
	device.queue[FROM_DRIVER].done = 8;
	assert_int_equal(virtio_console.serve(&device, &work), OK);
	assert_true(work.is_done);
	assert_int_equal(device.own, 0);
}

static void a_driver_may_do_without_messages(void **state)
{
	start(&one);
	lend(VIRTIO_CONSOLE_RECEIVE, 4);
	type("a");
	serve();
	expect_received(VIRTIO_CONSOLE_RECEIVE, "a");
	assert_int_equal(get(VIRTIO_MMIO_CONFIG + NR_PORTS), 1);
	set(VIRTIO_MMIO_QUEUE_SELECT, TO_DRIVER);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_SIZE_MAX), 0);
	/* The queues are there, but were not agreed on. */
	for (unsigned queue = TO_DRIVER; queue < VIRTIO_CONSOLE_QUEUES; queue++) {
		start_with(&two, 0);
		lend(queue, 8);
		assert_true(is_broken());
	}
}

static void the_space_has_the_number_of_ports(void **state)
{
	start(&two);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 3);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG), 0); /* no size of a terminal */
	assert_int_equal(get(VIRTIO_MMIO_CONFIG + NR_PORTS), 2);
	set(VIRTIO_MMIO_CONFIG + NR_PORTS, 9);
	assert_int_equal(get(VIRTIO_MMIO_CONFIG + NR_PORTS), 2);
}

/* Before the driver has done anything. */
static void an_emergency_write_is_one_byte(void **state)
{
	uint8_t byte;

	virtio_init(&device, &two.base);
	assert_false(virtio_console_take_emergency(&device, &byte));
	assert_int_equal(set(VIRTIO_MMIO_CONFIG + EMERG, 0x100 | 'e'), WISH_VIRTIO);
	assert_true(virtio_console_take_emergency(&device, &byte));
	assert_int_equal(byte, 'e');
	assert_false(virtio_console_take_emergency(&device, &byte));
	start(&two);
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	set(VIRTIO_MMIO_CONFIG + EMERG, 0xff);
	set(VIRTIO_MMIO_CONFIG + EMERG, 'f');
	assert_true(virtio_console_take_emergency(&device, &byte));
	assert_int_equal(byte, 'f');
	type("x");
	lend(VIRTIO_CONSOLE_RECEIVE, 1); /* the port is still open */
	expect_received(VIRTIO_CONSOLE_RECEIVE, "x");
}

#define CONSOLE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONSOLE_TEST(a_port_sends_in_pieces),
		CONSOLE_TEST(a_held_port_keeps_its_chain),
		CONSOLE_TEST(a_chain_that_shrinks_breaks_the_device),
		CONSOLE_TEST(a_chain_without_an_end_breaks_the_device),
		CONSOLE_TEST(typed_bytes_wait_until_the_port_is_open),
		CONSOLE_TEST(only_one_port_gets_them),
		CONSOLE_TEST(the_driver_is_told_of_ports_when_it_asks),
		CONSOLE_TEST(a_port_that_is_ready_gets_its_messages),
		CONSOLE_TEST(messages_of_no_meaning_are_ignored),
		CONSOLE_TEST(a_message_needs_its_bytes),
		CONSOLE_TEST(without_memory_nothing_happens_twice),
		CONSOLE_TEST(a_driver_may_do_without_messages),
		CONSOLE_TEST(the_space_has_the_number_of_ports),
		CONSOLE_TEST(an_emergency_write_is_one_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
