/* SPDX-License-Identifier: BSD-2-Clause */
/* Packed queues, with a driver that keeps to the rules, and one that does not. */
#include "hv/virtio/packed_ring.h"

#include "hv/virtio/virtio_rng.h"
#include "tests/unit/virtio_driver.h"

#define ALL	   (VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_F_RING_PACKED)
#define FLAG_AVAIL 0x80
#define FLAG_USED  0x8000

static const struct virtio_config rng_config = {.kind = &virtio_rng,
						.features = VIRTIO_F_RING_PACKED};

/* The driver's side of queue 0. */
static unsigned size, at_slot;
static bool wrap;

static void start(uint64_t features, unsigned n)
{
	static const uint8_t nothing[16 * RING_SIZE];

	start_device(&rng_config, features | VIRTIO_F_RING_PACKED);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	set(VIRTIO_MMIO_QUEUE_SIZE, n);
	set_address(VIRTIO_MMIO_QUEUE_DESC, DESC(0));
	set_address(VIRTIO_MMIO_QUEUE_DRIVER, AVAIL(0));
	set_address(VIRTIO_MMIO_QUEUE_DEVICE, USED(0));
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	put(DESC(0), nothing, sizeof(nothing));
	put(AVAIL(0), nothing, 4);
	put(USED(0), nothing, 4);
	size = n;
	at_slot = 0;
	wrap = true;
}

/* Put a descriptor in the ring's next place. Its identifier is 'id'. */
static void append(uint64_t addr, uint32_t len, uint16_t flags, uint16_t id)
{
	struct packed_descriptor desc = {addr, len, id, flags};

	desc.flags |= wrap ? FLAG_AVAIL : FLAG_USED;
	put(DESC(0) + 16 * at_slot, &desc, sizeof(desc));
	if (++at_slot == size) {
		at_slot = 0;
		wrap = !wrap;
	}
}

static struct packed_descriptor descriptor(unsigned slot)
{
	struct packed_descriptor desc;

	assert_int_equal(guest_read(&memory, at(DESC(0) + 16 * slot), &desc, sizeof(desc)), OK);
	return desc;
}

/* Serve, and take the interrupt back. Returns whether there was one. */
static bool kick(void)
{
	bool told;

	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	serve();
	told = get(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_USED;
	set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_USED);
	return told;
}

static void is_broken(void)
{
	kick();
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
}

static void a_chain_comes_back_in_its_first_place(void **state)
{
	start(0, RING_SIZE);
	append(BUFFER, 100, FLAG_WRITE | FLAG_NEXT, 7);
	append(BUFFER + 0x1000, 50, FLAG_WRITE, 9);
	assert_true(kick());
	assert_int_equal(descriptor(0).id, 9);
	assert_int_equal(descriptor(0).len, 150);
	assert_int_equal(descriptor(0).flags, FLAG_AVAIL | FLAG_USED | FLAG_WRITE);
	assert_int_equal(descriptor(1).flags, FLAG_AVAIL | FLAG_WRITE);
	assert_int_equal(device.queue[0].next_avail, 2);
	assert_int_equal(*(const uint8_t *)guest_byte(&memory, at(BUFFER + 0x1000 + 49)),
			 *(const uint8_t *)guest_byte(&memory, at(BUFFER)));
	assert_false(kick()); /* nothing more is available */
}

static void a_chain_that_takes_nothing_has_no_length(void **state)
{
	start(0, RING_SIZE);
	append(BUFFER, 100, 0, 3);
	assert_true(kick());
	assert_int_equal(descriptor(0).len, 0);
	assert_int_equal(descriptor(0).flags, FLAG_AVAIL | FLAG_USED);
}

static void indirect_tables_have_no_next(void **state)
{
	static const struct packed_descriptor table[] = {{BUFFER, 10, 0, FLAG_WRITE},
							 {BUFFER + 64, 20, 0, FLAG_WRITE}};

	start(VIRTIO_F_INDIRECT, RING_SIZE);
	put(TABLE, table, sizeof(table));
	append(TABLE, sizeof(table), FLAG_INDIRECT, 5);
	assert_true(kick());
	assert_int_equal(descriptor(0).id, 5);
	assert_int_equal(descriptor(0).len, 30);
}

/* Chains lie over the ring's end, and each round turns the wrap counter. */
static void rounds_of_any_size_turn(void **state)
{
	for (unsigned n = 3; n <= RING_SIZE; n++) {
		start(VIRTIO_F_EVENT_INDEX, n);
		for (uint16_t i = 0; i < 100; i++) {
			unsigned first = at_slot;
			bool counter = wrap;

			append(BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0);
			append(BUFFER + 1, 1, FLAG_WRITE, i);
			kick();
			assert_int_equal(descriptor(first).id, i);
			assert_int_equal(descriptor(first).len, 2);
			assert_int_equal(descriptor(first).flags,
					 (counter ? FLAG_AVAIL | FLAG_USED : 0) | FLAG_WRITE);
			/* Notify of the next one. */
			assert_int_equal(get16(USED(0)), at_slot | (wrap ? 0x8000 : 0));
			assert_int_equal(get16(USED(0) + 2), 2);
		}
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	}
}

/* The driver's wish: 'flags', at a descriptor of the first or the second round. */
static void wish(uint16_t flags, uint16_t slot, bool counter)
{
	put16(AVAIL(0), (uint16_t)(slot | (counter ? 0x8000 : 0)));
	put16(AVAIL(0) + 2, flags);
}

static void interrupts_come_when_they_are_wanted(void **state)
{
	start(0, 4);
	wish(1, 0, false); /* never */
	append(BUFFER, 1, FLAG_WRITE, 0);
	assert_false(kick());
	wish(2, 3, true); /* is not agreed on */
	append(BUFFER, 1, FLAG_WRITE, 0);
	assert_true(kick());
	start(VIRTIO_F_EVENT_INDEX, 4);
	for (unsigned i = 0; i < 24; i++) {
		wish(2, 1, false); /* the second descriptor of each second round */
		append(BUFFER, 1, FLAG_WRITE, 0);
		assert_int_equal(kick(), i % 8 == 5);
	}
	wish(2, 1, true); /* inside a chain of three */
	append(BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0);
	append(BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0);
	append(BUFFER, 1, FLAG_WRITE, 0);
	assert_true(kick());
	wish(2, 0x7fff, true); /* nowhere */
	append(BUFFER, 1, FLAG_WRITE, 0);
	kick();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
}

static void bad_chains_break_the_device(void **state)
{
	static const struct packed_descriptor nested = {TABLE, 16, 0, FLAG_INDIRECT};

	start(ALL, 4); /* no end */
	for (unsigned i = 0; i < 4; i++)
		append(BUFFER, 1, FLAG_WRITE | FLAG_NEXT, 0);
	is_broken();
	start(ALL, 4);
	append(RAM + RAM_LEN, 1, FLAG_WRITE, 0);
	is_broken();
	start(ALL, 4);
	append(TABLE, 15, FLAG_INDIRECT, 0);
	is_broken();
	start(ALL, 4);
	append(TABLE, 16, FLAG_INDIRECT | FLAG_NEXT, 0);
	append(BUFFER, 1, FLAG_WRITE, 0);
	is_broken();
	start(ALL, 4);
	put(TABLE, &nested, sizeof(nested));
	append(TABLE, 16, FLAG_INDIRECT, 0);
	is_broken();
	start(0, 4); /* tables are not agreed on */
	append(TABLE, 16, FLAG_INDIRECT, 0);
	is_broken();
}

static void areas_that_leave_memory_break_the_device(void **state)
{
	for (unsigned area = 0; area < 3; area++) {
		start(ALL, 4);
		append(BUFFER, 1, FLAG_WRITE, 0);
		set(VIRTIO_MMIO_QUEUE_READY, 0);
		set(VIRTIO_MMIO_QUEUE_SIZE, 4);
		set_address(VIRTIO_MMIO_QUEUE_DESC, area == 0 ? RAM + RAM_LEN - 8 : DESC(0));
		set_address(VIRTIO_MMIO_QUEUE_DRIVER, area == 1 ? RAM + RAM_LEN - 2 : AVAIL(0));
		set_address(VIRTIO_MMIO_QUEUE_DEVICE, area == 2 ? RAM + RAM_LEN - 2 : USED(0));
		set(VIRTIO_MMIO_QUEUE_READY, 1);
		is_broken();
	}
}

static void chains_that_leave_memory_break_the_device(void **state)
{
	static const struct packed_descriptor last = {BUFFER, 1, 0,
						      FLAG_WRITE | FLAG_NEXT | FLAG_AVAIL};

	start(ALL, 4);
	append(RAM + RAM_LEN, 16, FLAG_INDIRECT, 0);
	is_broken();
	start(ALL, 4); /* the ring's second descriptor */
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	set(VIRTIO_MMIO_QUEUE_SIZE, 4);
	set_address(VIRTIO_MMIO_QUEUE_DESC, RAM + RAM_LEN - 16);
	set_address(VIRTIO_MMIO_QUEUE_DRIVER, AVAIL(0));
	set_address(VIRTIO_MMIO_QUEUE_DEVICE, USED(0));
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	put(RAM + RAM_LEN - 16, &last, sizeof(last));
	is_broken();
}

/* Without a frame, the chain stays the next one. */
static void a_missing_frame_breaks_nothing(void **state)
{
	struct virtio_host host = {.memory = &memory, .fill_random = next_random};
	struct virtqueue_chain chain;
	bool tell;

	start(0, RING_SIZE);
	append(BUFFER, 1, FLAG_WRITE, 4);
	assert_int_equal(virtqueue_get(&device.queue[0], host.memory, &chain), OK);
	assert_int_equal(chain.head, 4);
	assert_int_equal(device.queue[0].next_avail, 0);
	assert_int_equal(virtqueue_put(&device.queue[0], &chain, 1, &tell), OK);
	assert_int_equal(device.queue[0].next_avail, 1);
	assert_int_equal(virtqueue_get(&device.queue[0], host.memory, &chain), ERR_NOTFOUND);
}

static void sizes_and_positions_are_checked(void **state)
{
	struct state_reader reader = {.section = "virtio"};

	start(0, 6);
	device.queue[0].next_avail = 11;
	assert_int_equal(virtio_check(&device, &reader), OK);
	device.queue[0].next_avail = 12;
	assert_int_not_equal(virtio_check(&device, &reader), OK);
	start_device(&rng_config, 0);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	set(VIRTIO_MMIO_QUEUE_SIZE, 6); /* the queue is split */
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_chain_comes_back_in_its_first_place),
		TEST(a_chain_that_takes_nothing_has_no_length),
		TEST(indirect_tables_have_no_next),
		TEST(rounds_of_any_size_turn),
		TEST(interrupts_come_when_they_are_wanted),
		TEST(bad_chains_break_the_device),
		TEST(areas_that_leave_memory_break_the_device),
		TEST(chains_that_leave_memory_break_the_device),
		TEST(a_missing_frame_breaks_nothing),
		TEST(sizes_and_positions_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
