/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers, rings and entropy, with a driver that keeps to the rules, and one that does not. */
#include "hv/virtio/virtio.h"

#include "hv/virtio/virtio_rng.h"
#include "tests/unit/virtio_driver.h"

#define ALL (VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX)

/* Copies what it reads to what it writes, 64 bytes at a time. */
static enum status echo(struct virtio *of, struct virtio_work *work)
{
	uint64_t *done = &of->queue[work->queue].done, readable, writable, n;
	struct virtqueue_chain to = work->chain, from = work->chain;
	uint8_t bytes[64];

	TRY(virtqueue_measure(&work->chain, &readable, &writable));
	if (*done > readable || writable < readable)
		return ERR_CORRUPT;
	n = readable - *done < sizeof(bytes) ? readable - *done : sizeof(bytes);
	TRY(virtqueue_skip(&from, false, *done));
	TRY(virtqueue_read(&from, bytes, n));
	TRY(virtqueue_skip(&to, true, *done));
	TRY(virtqueue_write(&to, bytes, n));
	*done += n;
	work->is_done = *done == readable;
	work->n_written = (uint32_t)*done;
	return OK;
}

static const struct virtio_kind echo_kind = {
	.driver = "echo", .id = 42, .n_queues = 2, .serve = echo};
static const struct virtio_config echo_config = {.kind = &echo_kind};
/* Its queue 0 waits for what comes in: this is the next byte, 0: none. */
static uint8_t next_byte;

static enum status hand_in(struct virtio *of, struct virtio_work *work)
{
	if (next_byte == 0)
		return ERR_BUSY;
	TRY(virtqueue_write(&work->chain, &next_byte, 1));
	next_byte = 0;
	work->n_written = 1;
	work->is_done = true;
	return OK;
}

static void describe_inlet(const struct virtio *of, uint8_t space[VIRTIO_SPACE_SIZE])
{
	for (unsigned i = 0; i < 12; i++)
		space[i] = (uint8_t)(i + 1);
}

static const struct virtio_kind inlet_kind = {
	.driver = "inlet", .id = 43, .n_queues = 1, .serve = hand_in, .describe = describe_inlet};
static const struct virtio_config inlet_config = {.kind = &inlet_kind, .features = BIT(5)};
static const struct virtio_config rng_config = {.kind = &virtio_rng};

static void kick(unsigned n)
{
	assert_int_equal(set(VIRTIO_MMIO_QUEUE_NOTIFY, n), WISH_VIRTIO);
}

/* The device asks for a reset, tells so, and does nothing more until the driver obeys. */
static void is_broken(void)
{
	kick(0);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
	assert_true(get(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_CHANGED);
	kick(0);
	assert_false(virtio_has_work(&device));
	set(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}

static void registers_say_what_the_device_is(void **state)
{
	virtio_init(&device, &rng_config);
	assert_int_equal(get(VIRTIO_MMIO_MAGIC_VALUE), VIRTIO_MMIO_MAGIC);
	assert_int_equal(get(VIRTIO_MMIO_VERSION_NUMBER), 2);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 4);
	assert_int_equal(get(VIRTIO_MMIO_VENDOR_ID), VIRTIO_MMIO_VENDOR);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_SIZE_MAX), VIRTQUEUE_SIZE_MAX);
	set(VIRTIO_MMIO_QUEUE_SELECT, 1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_SIZE_MAX), 0);
	assert_int_equal(get(VIRTIO_MMIO_SHM_LENGTH), UINT32_MAX);
	assert_int_equal(get(VIRTIO_MMIO_SHM_BASE + 4), UINT32_MAX);
	for (uint32_t half = 0; half < 3; half++) {
		set(VIRTIO_MMIO_DEVICE_FEATURES_SELECT, half);
		assert_int_equal(get(VIRTIO_MMIO_DEVICE_FEATURES), half == 0   ? ALL
								   : half == 1 ? 1
									       : 0);
	}
}

static void accesses_of_other_sizes_do_nothing(void **state)
{
	struct io_access access = {.off = in_slot(VIRTIO_MMIO_STATUS), .size = 1, .value = 1};

	virtio_init(&device, &rng_config);
	assert_int_equal(virtio_mmio_class.write(&device, &access), 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
	access.off = in_slot(VIRTIO_MMIO_MAGIC_VALUE);
	assert_int_equal(virtio_mmio_class.read(&device, &access), 0);
	assert_int_equal(get(VIRTIO_MMIO_MAGIC_VALUE + 2), 0);
}

static uint64_t read_space(uint64_t off, unsigned size)
{
	struct io_access access = {.off = in_slot(VIRTIO_MMIO_CONFIG) + off, .size = size};

	return virtio_mmio_class.read(&device, &access);
}

static void the_configuration_space_is_read_in_any_size(void **state)
{
	virtio_init(&device, &inlet_config);
	assert_int_equal(read_space(0, 1), 1);
	assert_int_equal(read_space(1, 2), 0x0302);
	assert_int_equal(read_space(3, 4), 0x07060504);
	assert_int_equal(read_space(4, 8), 0x0c0b0a0908070605);
	assert_int_equal(read_space(12, 4), 0);
	assert_int_equal(read_space(VIRTIO_SPACE_SIZE - 1, 1), 0);
	assert_int_equal(read_space(VIRTIO_SPACE_SIZE - 1, 2), 0);
	assert_int_equal(read_space(0xfc, 4), 0);
	virtio_init(&device, &rng_config);
	assert_int_equal(read_space(0, 4), 0);
}

static void a_device_has_features_of_its_own(void **state)
{
	start_device(&inlet_config, BIT(5));
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	virtio_init(&device, &rng_config);
	set(VIRTIO_MMIO_STATUS, STATUS_BEFORE);
	set_features(VIRTIO_F_VERSION_1 | BIT(5));
	set(VIRTIO_MMIO_STATUS, STATUS_RUNS);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_BEFORE);
}

static void a_buffer_waits_for_what_comes_in(void **state)
{
	start_device(&inlet_config, 0);
	describe(DESC(0), 0, (struct desc){BUFFER, 16, FLAG_WRITE, 0});
	offer(0, 0);
	kick(0);
	serve();
	assert_int_equal(n_used(0), 0);
	assert_false(virtio_has_work(&device));
	next_byte = 77;
	virtio_notify(&device, 0);
	serve();
	assert_int_equal(n_used(0), 1);
	assert_int_equal(last_length(0), 1);
	assert_int_equal(*(const uint8_t *)guest_byte(&memory, at(BUFFER)), 77);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_USED);
}

static void impossible_features_are_not_taken(void **state)
{
	static const uint64_t refused[] = {0, ALL, VIRTIO_F_VERSION_1 | BIT(0),
					   VIRTIO_F_VERSION_1 | BIT(63)};

	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		virtio_init(&device, &rng_config);
		set(VIRTIO_MMIO_STATUS, STATUS_BEFORE);
		set_features(refused[i]);
		set(VIRTIO_MMIO_STATUS, STATUS_RUNS);
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_BEFORE);
		start_queue(0); /* before the features are agreed on */
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_BEFORE | VIRTIO_NEEDS_RESET);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
	}
	start_device(&rng_config, ALL);
	set_features(VIRTIO_F_VERSION_1); /* too late */
	assert_true(device.driver_features == (ALL | VIRTIO_F_VERSION_1));
}

static void a_queue_has_a_possible_size(void **state)
{
	static const uint32_t sizes[] = {0, 3, 2 * VIRTQUEUE_SIZE_MAX, 0x10000, 0x10001};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		start_device(&rng_config, 0);
		set(VIRTIO_MMIO_QUEUE_READY, 0);
		set(VIRTIO_MMIO_QUEUE_SIZE, sizes[i]);
		set(VIRTIO_MMIO_QUEUE_READY, 1);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
		assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
	}
	start_device(&rng_config, 0);
	set(VIRTIO_MMIO_QUEUE_SIZE, 4); /* it is in use */
	set_address(VIRTIO_MMIO_QUEUE_DESC, 0);
	assert_int_equal(device.queue[0].size, RING_SIZE);
	assert_true(device.queue[0].desc == DESC(0));
}

static void random_bytes_come_back(void **state)
{
	uint8_t first, second;

	start_device(&rng_config, 0);
	describe(DESC(0), 0, (struct desc){BUFFER, 100, FLAG_WRITE | FLAG_NEXT, 5});
	describe(DESC(0), 5, (struct desc){BUFFER + 0x1000, 1000, FLAG_WRITE, 0});
	offer(0, 0);
	kick(0);
	assert_int_equal(serve(), 2); /* the chain, and nothing more */
	assert_int_equal(n_used(0), 1);
	assert_int_equal(get32(USED(0) + 4), 0);
	assert_int_equal(last_length(0), 256);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_USED);
	set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_USED);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	first = *(const uint8_t *)guest_byte(&memory, at(BUFFER + 99));
	assert_int_equal(*(const uint8_t *)guest_byte(&memory, at(BUFFER + 0x1000)), first);
	assert_int_equal(*(const uint8_t *)guest_byte(&memory, at(BUFFER + 0x1000 + 156)), 0);
	offer(0, 5);
	kick(0);
	serve();
	second = *(const uint8_t *)guest_byte(&memory, at(BUFFER + 0x1000));
	assert_int_not_equal(first, second);
}

/* More bytes than one piece has, over buffers of any length, through a table. */
static void a_chain_is_done_in_pieces(void **state)
{
	uint8_t sent[200], back[200] = {0};

	for (unsigned i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 3 + 1);
	put(BUFFER, sent, sizeof(sent));
	start_device(&echo_config, ALL);
	describe(DESC(1), 3, (struct desc){TABLE, 5 * 16, FLAG_INDIRECT, 0});
	describe(TABLE, 0, (struct desc){BUFFER, 90, FLAG_NEXT, 2});
	describe(TABLE, 2, (struct desc){BUFFER + 90, 110, FLAG_NEXT, 1});
	describe(TABLE, 1, (struct desc){BUFFER + 0x3000, 0, FLAG_NEXT | FLAG_WRITE, 4});
	describe(TABLE, 4, (struct desc){BUFFER + 0x1fff, 199, FLAG_NEXT | FLAG_WRITE, 3});
	describe(TABLE, 3, (struct desc){BUFFER + 0x1fff + 199, 7, FLAG_WRITE, 0});
	offer(1, 3);
	kick(1);
	assert_int_equal(serve(), 4 + 1);
	assert_int_equal(n_used(1), 1);
	assert_int_equal(get32(USED(1) + 4), 3);
	assert_int_equal(last_length(1), 200);
	assert_int_equal(guest_read(&memory, at(BUFFER + 0x1fff), back, sizeof(back)), OK);
	assert_memory_equal(back, sent, sizeof(back));
}

/* A copy of a device with half a chain does the rest by itself, as a clone does. */
static void a_copy_continues_where_it_is(void **state)
{
	struct virtio_host host = {.memory = &memory, .fill_random = next_random};
	struct virtio copy;

	start_device(&echo_config, 0);
	describe(DESC(0), 0, (struct desc){BUFFER, 200, FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){BUFFER + 0x1000, 200, FLAG_WRITE, 0});
	offer(0, 0);
	kick(0);
	assert_int_equal(virtio_serve(&device, &host), OK);
	copy = device;
	assert_int_equal(device.queue[0].done, 64);
	serve();
	assert_int_equal(n_used(0), 1);
	put16(USED(0) + 2, 0);
	device = copy;
	assert_int_equal(serve(), 4);
	assert_int_equal(n_used(0), 1);
	assert_int_equal(device.queue[0].done, 0);
}

static void interrupts_come_when_they_are_wanted(void **state)
{
	describe(DESC(0), 0, (struct desc){BUFFER, 16, FLAG_WRITE, 0});
	for (unsigned event_index = 0; event_index < 2; event_index++) {
		start_device(&rng_config, event_index ? VIRTIO_F_EVENT_INDEX : 0);
		put16(USED(0) + 2, 0);
		put16(AVAIL(0), !event_index);		/* "no interrupt" */
		put16(AVAIL(0) + 4 + 2 * RING_SIZE, 2); /* after the third */
		for (unsigned i = 0; i < 4; i++) {
			offer(0, 0);
			kick(0);
			serve();
			assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS),
					 event_index && i >= 2 ? VIRTIO_USED : 0);
			if (event_index) /* notify of the next one */
				assert_int_equal(get16(USED(0) + 4 + 8 * RING_SIZE), i + 1);
		}
	}
}

static void indices_wrap(void **state)
{
	start_device(&rng_config, VIRTIO_F_EVENT_INDEX);
	describe(DESC(0), 0, (struct desc){BUFFER, 1, FLAG_WRITE, 0});
	put16(USED(0) + 2, 0);
	for (uint32_t i = 0; i < 0x10005; i++) {
		offer(0, 0);
		kick(0);
		serve();
	}
	assert_int_equal(n_used(0), 5);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
}

static void what_is_not_notified_of_waits(void **state)
{
	start_device(&rng_config, 0);
	describe(DESC(0), 0, (struct desc){BUFFER, 1, FLAG_WRITE, 0});
	offer(0, 0);
	assert_int_equal(serve(), 0);
	kick(1); /* there is no such queue */
	kick(UINT32_MAX);
	assert_int_equal(serve(), 0);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	kick(0);
	assert_int_equal(serve(), 0);
}

static void chains_with_loops_end(void **state)
{
	start_device(&rng_config, ALL);
	describe(DESC(0), 0, (struct desc){BUFFER, 0, FLAG_WRITE | FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){BUFFER, 0, FLAG_WRITE | FLAG_NEXT, 0});
	offer(0, 0);
	is_broken();
	start_device(&rng_config, ALL);
	describe(DESC(0), 0, (struct desc){TABLE, 64, FLAG_INDIRECT, 0});
	describe(TABLE, 0, (struct desc){BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0});
	offer(0, 0);
	is_broken();
}

static void bad_descriptors_break_the_device(void **state)
{
	static const struct desc bad[] = {
		{BUFFER, 16, FLAG_WRITE | FLAG_NEXT, RING_SIZE},
		{BUFFER, 16, FLAG_WRITE | FLAG_NEXT, 0xffff},
		{RAM + RAM_LEN - 8, 16, FLAG_WRITE, 0},
		{RAM + RAM_LEN, 16, FLAG_WRITE, 0},
		{UINT64_MAX - 7, 16, FLAG_WRITE, 0},
		{VIRTQUEUE_GPA_END - 8, 16, FLAG_WRITE, 0},
		{VIRTQUEUE_GPA_END, 16, FLAG_WRITE, 0},
		{TABLE, 0, FLAG_INDIRECT, 0},
		{TABLE, 24, FLAG_INDIRECT, 0},
		{TABLE, 16, FLAG_INDIRECT | FLAG_NEXT, 1},
		{TABLE + 16, 16, FLAG_INDIRECT, 0}, /* which is another one */
		{UINT64_MAX - 15, 32, FLAG_INDIRECT, 0},
		{RAM + RAM_LEN, 16, FLAG_INDIRECT, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start_device(&rng_config, ALL);
		describe(TABLE, 1, (struct desc){TABLE, 16, FLAG_INDIRECT, 0});
		describe(DESC(0), 2, bad[i]);
		offer(0, 2);
		is_broken();
	}
	start_device(&rng_config, 0); /* tables are not agreed on */
	describe(TABLE, 0, (struct desc){BUFFER, 16, FLAG_WRITE, 0});
	describe(DESC(0), 0, (struct desc){TABLE, 16, FLAG_INDIRECT, 0});
	offer(0, 0);
	is_broken();
	start_device(&rng_config, 0); /* to read, after one to write */
	describe(DESC(0), 0, (struct desc){BUFFER, 16, FLAG_WRITE | FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){BUFFER, 16, 0, 0});
	offer(0, 0);
	is_broken();
}

static void bad_rings_break_the_device(void **state)
{
	static const uint64_t bad[] = {0, RAM + RAM_LEN - 2, UINT64_MAX - 4, BIT(47)};

	for (unsigned area = 0; area < 3; area++)
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			start_device(&rng_config, ALL);
			set(VIRTIO_MMIO_QUEUE_READY, 0);
			start_queue(0);
			set(VIRTIO_MMIO_QUEUE_READY, 0);
			set(VIRTIO_MMIO_QUEUE_SIZE, RING_SIZE);
			set_address(VIRTIO_MMIO_QUEUE_DESC, area == 0 ? bad[i] : DESC(0));
			set_address(VIRTIO_MMIO_QUEUE_DRIVER, area == 1 ? bad[i] : AVAIL(0));
			set_address(VIRTIO_MMIO_QUEUE_DEVICE, area == 2 ? bad[i] : USED(0));
			set(VIRTIO_MMIO_QUEUE_READY, 1);
			describe(DESC(0), 0, (struct desc){BUFFER, 1, FLAG_WRITE, 0});
			offer(0, 0);
			is_broken();
		}
	start_device(&rng_config, 0);
	offer(0, RING_SIZE); /* a head beyond the table */
	is_broken();
	start_device(&rng_config, 0);
	put16(AVAIL(0) + 2, RING_SIZE + 1); /* more chains than there is room for */
	is_broken();
}

/* The ends of rings are found one access at a time. */
static void rings_that_leave_memory_break_the_device(void **state)
{
	static const struct {
		uint64_t driver, device;
		uint64_t features;
	} bad[] = {
		{RAM + RAM_LEN - 4, USED(0), 0},
		{RAM - 2, USED(0), 0},
		{RAM + RAM_LEN - 4 - 2 * RING_SIZE, USED(0), VIRTIO_F_EVENT_INDEX},
		{AVAIL(0), RAM - 4, 0},
		{AVAIL(0), RAM + RAM_LEN - 4 - 8 * RING_SIZE, VIRTIO_F_EVENT_INDEX},
	};
	static const uint16_t head = 0, one = 1;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start_device(&rng_config, bad[i].features);
		set(VIRTIO_MMIO_QUEUE_READY, 0);
		set(VIRTIO_MMIO_QUEUE_SIZE, RING_SIZE);
		set_address(VIRTIO_MMIO_QUEUE_DESC, DESC(0));
		set_address(VIRTIO_MMIO_QUEUE_DRIVER, bad[i].driver);
		set_address(VIRTIO_MMIO_QUEUE_DEVICE, bad[i].device);
		set(VIRTIO_MMIO_QUEUE_READY, 1);
		describe(DESC(0), 0, (struct desc){BUFFER, 1, FLAG_WRITE, 0});
		put(bad[i].driver + 2, &one, sizeof(one));
		(void)guest_write(&memory, at(bad[i].driver + 4), &head, sizeof(head));
		is_broken();
	}
	start_device(&echo_config, 0); /* what it reads is not there */
	describe(DESC(0), 0, (struct desc){RAM + RAM_LEN, 8, FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){BUFFER, 8, FLAG_WRITE, 0});
	offer(0, 0);
	is_broken();
}

static void tables_are_neither_nested_nor_left(void **state)
{
	static const struct desc bad[] = {{TABLE, 32, FLAG_INDIRECT, 0},
					  {BUFFER, 1, FLAG_WRITE, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start_device(&rng_config, ALL);
		describe(DESC(0), 0, (struct desc){TABLE, 32, FLAG_INDIRECT, 0});
		describe(TABLE, 0, (struct desc){BUFFER, 1, FLAG_WRITE | FLAG_NEXT, i ? 2 : 1});
		describe(TABLE, 1, bad[i]);
		offer(0, 0);
		is_broken();
	}
}

/* A chain may have changed since it was measured. */
static void a_chain_ends_where_it_ends(void **state)
{
	struct virtqueue_chain chain;
	uint8_t bytes[11];

	start_device(&rng_config, 0);
	describe(DESC(0), 0, (struct desc){BUFFER, 10, FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){BUFFER, 10, FLAG_WRITE, 0});
	offer(0, 0);
	assert_int_equal(virtqueue_get(&device.queue[0], &memory, &chain), OK);
	assert_int_equal(virtqueue_read(&chain, bytes, sizeof(bytes)), ERR_NOTFOUND);
	assert_int_equal(virtqueue_write(&chain, bytes, sizeof(bytes)), ERR_NOTFOUND);
	assert_int_equal(virtqueue_get(&device.queue[0], &memory, &chain), OK);
	assert_int_equal(virtqueue_skip(&chain, false, sizeof(bytes)), ERR_NOTFOUND);
	assert_int_equal(virtqueue_skip(&chain, true, 10), OK);
	assert_int_equal(virtqueue_skip(&chain, true, 1), ERR_NOTFOUND);
}

static void what_does_not_exist_is_not_set_up(void **state)
{
	struct virtio_host host = {.memory = &memory};
	struct virtio before;

	start_device(&rng_config, 0);
	set(VIRTIO_MMIO_QUEUE_SELECT, 1);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SELECT, 2);
	before = device;
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	set(VIRTIO_MMIO_QUEUE_SIZE, 8);
	virtio_write_features(&device, 2, UINT32_MAX);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
	assert_int_equal(virtio_serve(&device, &host), OK);
	assert_memory_equal(&device, &before, sizeof(before));
	virtio_init(&device, &rng_config);
	virtio_write_features(&device, 2, UINT32_MAX);
	assert_true(device.driver_features == 0);
}

/* The device tries again when there is a frame. */
static void a_missing_frame_breaks_nothing(void **state)
{
	struct virtio_host host = {.memory = &memory, .fill_random = next_random};

	start_device(&rng_config, 0);
	put16(USED(0) + 2, 0);
	describe(DESC(0), 0, (struct desc){BUFFER + MIB(1), 16, FLAG_WRITE, 0});
	offer(0, 0);
	kick(0);
	ept.max_owned = ept.n_owned;
	assert_int_equal(virtio_serve(&device, &host), ERR_NOMEM);
	assert_in_range(host.at.raw, BUFFER + MIB(1), BUFFER + MIB(1) + 16);
	assert_true(virtio_has_work(&device));
	assert_int_equal(n_used(0), 0);
	ept.max_owned = EPT_UNLIMITED;
	serve();
	assert_int_equal(n_used(0), 1);
}

/* Of another machine: each is refused, not believed. */
static void impossible_states_are_refused(void **state)
{
	struct state_reader reader = {.section = "virtio"};
	struct virtio good;

	virtio_init(&device, &rng_config);
	assert_int_equal(virtio_mmio_class.check(&device, &reader), OK);
	device.notified = 1;
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);

	start_device(&rng_config, ALL);
	good = device;
	assert_int_equal(virtio_mmio_class.check(&device, &reader), OK);
	device.driver_features |= BIT(5);
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);
	device = good;
	device.queue[0].size = 5;
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);
	device = good;
	device.queue[1] = device.queue[0];
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);
	device = good;
	device.notified = 2;
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);
	device = good;
	device.notified = 1;
	device.status |= VIRTIO_NEEDS_RESET;
	assert_int_equal(virtio_mmio_class.check(&device, &reader), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_say_what_the_device_is),
		TEST(accesses_of_other_sizes_do_nothing),
		TEST(the_configuration_space_is_read_in_any_size),
		TEST(a_device_has_features_of_its_own),
		TEST(a_buffer_waits_for_what_comes_in),
		TEST(impossible_features_are_not_taken),
		TEST(a_queue_has_a_possible_size),
		TEST(random_bytes_come_back),
		TEST(a_chain_is_done_in_pieces),
		TEST(a_copy_continues_where_it_is),
		TEST(interrupts_come_when_they_are_wanted),
		TEST(indices_wrap),
		TEST(what_is_not_notified_of_waits),
		TEST(chains_with_loops_end),
		TEST(bad_descriptors_break_the_device),
		TEST(bad_rings_break_the_device),
		TEST(rings_that_leave_memory_break_the_device),
		TEST(tables_are_neither_nested_nor_left),
		TEST(a_chain_ends_where_it_ends),
		TEST(what_does_not_exist_is_not_set_up),
		TEST(a_missing_frame_breaks_nothing),
		TEST(impossible_states_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
