/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that a driver finds by the device, and its requests to flush. */
#include "hv/virtio/virtio_pmem.h"

#include "tests/unit/virtio_driver.h"

#define ANSWER (BUFFER + 0x100)

static const struct virtio_pmem_config config = {
	.base = {.kind = &virtio_pmem}, .start = UINT64_C(0x140000000), .len = MIB(6)};

static int set_up(void **state)
{
	setup(state);
	put16(USED(0) + 2, 0);
	start_device(&config.base, 0);
	return 0;
}

/* Hand a request over, of 'len' bytes, with room for an answer. */
static void request(uint32_t type, uint32_t len, uint32_t room)
{
	put(BUFFER, &type, sizeof(type));
	put(ANSWER, &(uint32_t){0x55555555}, 4);
	describe(DESC(0), 0, (struct desc){BUFFER, len, FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){ANSWER, room, FLAG_WRITE, 0});
	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	(void)serve();
}

static void the_device_tells_where_the_memory_is(void **state)
{
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 27);
	assert_int_equal(virtio_read_space(&device, 0, 8), config.start);
	assert_int_equal(virtio_read_space(&device, 8, 8), config.len);
	assert_int_equal(virtio_read_space(&device, 16, 4), 0);
	virtio_write_space(&device, 0, 4, 1);
	assert_int_equal(virtio_read_space(&device, 0, 8), config.start);
}

static void a_flush_is_done_at_once(void **state)
{
	request(VIRTIO_PMEM_REQ_TYPE_FLUSH, 4, 4);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(n_used(0), 1);
	assert_int_equal(last_length(0), 4);
	assert_int_equal(get32(ANSWER), 0);
	/* More room than the answer takes, as an old driver has it. */
	request(VIRTIO_PMEM_REQ_TYPE_FLUSH, 8, 64);
	assert_int_equal(last_length(0), 4);
	assert_int_equal(get32(ANSWER), 0);
}

static void other_requests_fail(void **state)
{
	request(1, 4, 4);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(get32(ANSWER), UINT32_MAX);
}

static void a_request_without_room_breaks_the_device(void **state)
{
	static const uint32_t rooms[][2] = {{3, 4}, {4, 3}};

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		put16(USED(0) + 2, 0);
		start_device(&config.base, 0);
		request(0, rooms[i][0], rooms[i][1]);
		assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
		assert_int_equal(n_used(0), 0);
		assert_int_equal(get32(ANSWER), 0x55555555);
	}
}

static void buffers_outside_memory_break_the_device(void **state)
{
	for (unsigned bad = 0; bad < 2; bad++) {
		start_device(&config.base, 0);
		put16(USED(0) + 2, 0);
		describe(DESC(0), 0, (struct desc){bad == 0 ? BIT(46) : BUFFER, 4, FLAG_NEXT, 1});
		describe(DESC(0), 1, (struct desc){bad == 1 ? BIT(46) : ANSWER, 4, FLAG_WRITE, 0});
		offer(0, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		(void)serve();
		assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_device_tells_where_the_memory_is, set_up,
						teardown),
		cmocka_unit_test_setup_teardown(a_flush_is_done_at_once, set_up, teardown),
		cmocka_unit_test_setup_teardown(other_requests_fail, set_up, teardown),
		cmocka_unit_test_setup_teardown(a_request_without_room_breaks_the_device, set_up,
						teardown),
		cmocka_unit_test_setup_teardown(buffers_outside_memory_break_the_device, set_up,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
