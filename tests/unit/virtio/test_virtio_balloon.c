/* SPDX-License-Identifier: BSD-2-Clause */
/* A balloon: pages that the driver gives away, and pages that are not its to give. */
#include "hv/virtio/virtio_balloon.h"

#include "hv/ept/merged.h"
#include "hv/guest/hidden_memory.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/virtio_driver.h"

#define INFLATE VIRTIO_BALLOON_INFLATE
#define DEFLATE VIRTIO_BALLOON_DEFLATE
#define REPORT	VIRTIO_BALLOON_REPORT

#define NUM_PAGES 0 /* offsets in the configuration space */
#define ACTUAL	  4

#define PAGES (RAM + MIB(4)) /* that are given away */

static const struct virtio_config plain = {.kind = &virtio_balloon, .n_absent = 1};
static const struct virtio_config reporting = {.kind = &virtio_balloon,
					       .features = VIRTIO_BALLOON_F_REPORTING |
							   VIRTIO_BALLOON_F_DEFLATE_ON_OOM};

static int set_up(void **state)
{
	setup(state);
	merged_reset();
	for (unsigned n = 0; n < VIRTIO_BALLOON_QUEUES; n++)
		put16(USED(n) + 2, 0);
	return 0;
}

static void start(void)
{
	start_device(&reporting, reporting.features | VIRTIO_F_INDIRECT);
}

/* Own pages, from PAGES on, each with its number. */
static void fill(unsigned n)
{
	for (uint32_t i = 0; i < n; i++)
		put(PAGES + i * PAGE_SIZE, &(uint32_t){i + 1}, 4);
}

static bool is_own(uint64_t gpa)
{
	unsigned level;

	return ept_lookup(&ept, at(gpa), &level) & EPT_OWN;
}

/* Offer page numbers to a queue: n from 'first' on. Returns the calls. */
static unsigned give(unsigned queue, uint32_t first, unsigned n)
{
	uint16_t before = n_used(queue);
	unsigned calls;

	for (uint32_t i = 0; i < n; i++)
		put(BUFFER + 4 * i, &(uint32_t){first + i}, 4);
	describe(DESC(queue), 0, (struct desc){BUFFER, 4 * n, 0, 0});
	offer(queue, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
	calls = serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(n_used(queue), (uint16_t)(before + 1));
	assert_int_equal(last_length(queue), 0);
	return calls;
}

/* Report one buffer as free. Returns the calls. */
static unsigned report(uint64_t gpa, uint32_t len)
{
	uint16_t before = n_used(REPORT);
	unsigned calls;

	describe(DESC(REPORT), 0, (struct desc){gpa, len, FLAG_WRITE, 0});
	offer(REPORT, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, REPORT);
	calls = serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(n_used(REPORT), (uint16_t)(before + 1));
	return calls;
}

static void an_inflated_page_gives_its_frame_back(void **state)
{
	uint64_t free;

	start();
	fill(3);
	/* The rings get their frames. */
	(void)give(INFLATE, 0, 1);
	(void)give(DEFLATE, 0, 1);
	free = frame_available();
	(void)give(INFLATE, (uint32_t)(PAGES / PAGE_SIZE), 2);
	assert_int_equal(frame_available(), free + 2);
	assert_false(is_own(PAGES));
	assert_int_equal(get32(PAGES), 0);
	assert_int_equal(get32(PAGES + PAGE_SIZE), 0);
	assert_int_equal(get32(PAGES + 2 * PAGE_SIZE), 3);
	/* It is there when the guest takes it back, and takes a frame when it is written. */
	(void)give(DEFLATE, (uint32_t)(PAGES / PAGE_SIZE), 2);
	assert_int_equal(frame_available(), free + 2);
	fill(1);
	assert_int_equal(frame_available(), free + 1);
	assert_int_equal(get32(PAGES), 1);
	/* A second time there is nothing to give. */
	(void)give(INFLATE, (uint32_t)(PAGES / PAGE_SIZE) + 1, 1);
	assert_int_equal(frame_available(), free + 1);
}

static void the_work_is_in_pieces(void **state)
{
	start();
	fill(200);
	/* 64, 64, 64, 8; the chain goes back; nothing is left. */
	assert_int_equal(give(INFLATE, (uint32_t)(PAGES / PAGE_SIZE), 200), 6);
	fill(200);
	assert_int_equal(report(PAGES, 200 * PAGE_SIZE), 6);
	for (unsigned i = 0; i < 200; i++)
		assert_false(is_own(PAGES + i * PAGE_SIZE));
}

/* Processors may use the pages until the caller has flushed, which it does after each piece. */
static void a_chain_is_handed_back_after_its_frames_are_free(void **state)
{
	start();
	fill(1);
	put(BUFFER, &(uint32_t){(uint32_t)(PAGES / PAGE_SIZE)}, 4);
	describe(DESC(INFLATE), 0, (struct desc){BUFFER, 4, 0, 0});
	describe(DESC(REPORT), 0, (struct desc){PAGES, PAGE_SIZE, FLAG_WRITE, 0});
	for (unsigned queue = INFLATE; queue <= REPORT; queue += REPORT) {
		fill(1);
		offer(queue, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
		serve_once();
		assert_false(is_own(PAGES));
		assert_int_equal(n_used(queue), 0);
		serve_once();
		assert_int_equal(n_used(queue), 1);
		serve();
	}
}

static void reported_pages_give_their_frames_back(void **state)
{
	uint64_t free;

	start();
	fill(4);
	(void)report(PAGES + 16 * PAGE_SIZE, PAGE_SIZE);
	free = frame_available();
	/* Parts of pages stay. */
	(void)report(PAGES + 1, 3 * PAGE_SIZE);
	assert_int_equal(frame_available(), free + 2);
	assert_int_equal(get32(PAGES), 1);
	assert_int_equal(get32(PAGES + PAGE_SIZE), 0);
	assert_int_equal(get32(PAGES + 2 * PAGE_SIZE), 0);
	assert_int_equal(get32(PAGES + 3 * PAGE_SIZE), 4);
	(void)report(PAGES + 1, PAGE_SIZE - 2);
	(void)report(PAGES, 0);
	assert_int_equal(get32(PAGES), 1);
}

/* Memory, holes and ROM in one buffer, and the rings themselves: the device finds them empty. */
static void a_report_may_lie_anywhere(void **state)
{
	uint8_t byte;

	start();
	fill(1);
	put(COW, "own", 4);
	put(SHM, "shm", 4);
	describe(DESC(REPORT), 0, (struct desc){0, (uint32_t)(PAGES + MIB(16)), FLAG_WRITE, 0});
	offer(REPORT, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, REPORT);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(n_used(REPORT), 0);
	assert_false(is_own(COW));
	assert_false(is_own(AVAIL(REPORT)));
	assert_int_equal(guest_read(&memory, at(ROM), &byte, 1), OK);
	assert_int_equal(byte, pattern(0));
	assert_int_equal(guest_read(&memory, at(SHM), &byte, 1), OK);
	assert_int_equal(byte, 's');
}

static void what_is_not_the_guests_own_stays(void **state)
{
	static const uint64_t pages[] = {
		ROM, SHM, RAM + RAM_LEN, UINT64_C(0xfeb00000), UINT64_C(0xffffffff) << 12,
	};
	uint8_t byte = 7;

	start();
	add(MEM_HIDDEN_START, MIB(1), MEM_COW, &image, 0);
	assert_int_equal(hidden_write(&memory, at(MEM_HIDDEN_START), &byte, 1), OK);
	put(SHM, "shm", 4);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		(void)give(INFLATE, (uint32_t)(pages[i] / PAGE_SIZE), 1);
	assert_int_equal(get32(SHM), 'm' << 16 | 'h' << 8 | 's');
	assert_int_equal(guest_read(&memory, at(ROM), &byte, 1), OK);
	assert_int_equal(byte, pattern(0));
	assert_int_equal(*(const uint8_t *)hidden_byte(&memory, at(MEM_HIDDEN_START)), 7);
	/* A buffer up there is not one. */
	describe(DESC(REPORT), 0, (struct desc){MEM_HIDDEN_START, PAGE_SIZE, FLAG_WRITE, 0});
	offer(REPORT, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, REPORT);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
	assert_true(ept_lookup(&ept, at(MEM_HIDDEN_START), &(unsigned){0}) & EPT_OWN);
}

/* Frames that were allocated or reserved in advance. */
static void promised_frames_stay(void **state)
{
	static const struct backend allocated = {.prealloc = true};
	struct mem_region *region = mem_map_find(&map, at(PAGES));
	struct frame_reserve *reserve = (struct frame_reserve *)&map; /* is not used */

	start();
	fill(2);
	region->backend = &allocated;
	(void)give(INFLATE, (uint32_t)(PAGES / PAGE_SIZE), 1);
	(void)report(PAGES, 2 * PAGE_SIZE);
	assert_int_equal(get32(PAGES), 1);
	region->backend = NULL;
	assert_true(mem_region_gives_back(region));
	region->reserve = reserve;
	assert_false(mem_region_gives_back(region));
	region->reserve = NULL;
	(void)report(PAGES, 2 * PAGE_SIZE);
	assert_int_equal(get32(PAGES), 0);
}

/* The template's page stays where it is: a clone's own copy goes. */
static void a_templates_pages_are_not_touched(void **state)
{
	struct ept_layer *layer;
	uint64_t below;
	unsigned level;

	start();
	fill(2);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	below = ept_lookup(&ept, at(PAGES), &level) & EPT_ADDR;
	put(PAGES + PAGE_SIZE, &(uint32_t){9}, 4);
	(void)give(INFLATE, (uint32_t)(PAGES / PAGE_SIZE), 2);
	assert_int_equal(ept_lookup(&ept, at(PAGES), &level) & EPT_ADDR, below);
	assert_int_equal(get32(PAGES), 1);
	assert_int_equal(get32(PAGES + PAGE_SIZE), 0);
	assert_int_equal(*(uint32_t *)phys_to_virt(
				 ept_lookup_below(&ept, at(PAGES + PAGE_SIZE), &level) & EPT_ADDR),
			 2);
	/* A revert has it all again. */
	ept_reset(&ept);
	ept_reclaim(&ept);
	assert_int_equal(get32(PAGES + PAGE_SIZE), 2);
	ept_layer_put(layer);
}

static void the_reporting_queue_comes_with_its_feature(void **state)
{
	start_device(&plain, 0);
	set(VIRTIO_MMIO_QUEUE_SELECT, REPORT);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_SIZE_MAX), 0);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, REPORT);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_false(virtio_has_work(&device));
	set(VIRTIO_MMIO_DEVICE_FEATURES_SELECT, 0);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_FEATURES) & BITS(5, 0), 0);
	start();
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 5);
	set(VIRTIO_MMIO_QUEUE_SELECT, REPORT);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_SIZE_MAX), VIRTQUEUE_SIZE_MAX);
}

static void a_state_cannot_have_the_queue_without_it(void **state)
{
	struct state_reader reader = {.section = "virtio"};

	start();
	assert_int_equal(virtio_check(&device, &reader), OK);
	start_device(&plain, 0);
	assert_int_equal(virtio_check(&device, &reader), OK);
	device.queue[REPORT] = device.queue[INFLATE];
	assert_int_not_equal(virtio_check(&device, &reader), OK);
}

/* It is there, but the driver has not taken the feature. */
static void reports_need_their_feature(void **state)
{
	start_device(&reporting, 0);
	fill(1);
	describe(DESC(REPORT), 0, (struct desc){PAGES, PAGE_SIZE, FLAG_WRITE, 0});
	offer(REPORT, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, REPORT);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
	assert_true(is_own(PAGES));
}

static uint32_t space(uint64_t off)
{
	return get(VIRTIO_MMIO_CONFIG + off);
}

static void the_driver_is_asked_and_answers(void **state)
{
	uint32_t generation;

	start();
	generation = get(VIRTIO_MMIO_GENERATION);
	assert_int_equal(space(NUM_PAGES), 0);
	virtio_balloon_ask(&device, 5000);
	assert_int_equal(space(NUM_PAGES), 5000);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_CHANGED);
	assert_int_equal(get(VIRTIO_MMIO_GENERATION), generation + 1);
	set(VIRTIO_MMIO_CONFIG + ACTUAL, 4000);
	assert_int_equal(space(ACTUAL), 4000);
	assert_int_equal(device.own, 4000);
	/* All else is not the driver's. */
	set(VIRTIO_MMIO_CONFIG + NUM_PAGES, 1);
	set(VIRTIO_MMIO_CONFIG + 8, 1);
	virtio_mmio_class.write(&device,
				&(struct io_access){.off = in_slot(VIRTIO_MMIO_CONFIG + ACTUAL),
						    .size = 2,
						    .value = 1});
	assert_int_equal(space(NUM_PAGES), 5000);
	assert_int_equal(space(ACTUAL), 4000);
	assert_int_equal(space(8), 0);
	/* A driver that begins again is asked for the same. */
	set(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(space(NUM_PAGES), 5000);
	assert_int_equal(space(ACTUAL), 0);
}

/* A state may say that any number of bytes is done, and a driver may shorten a chain. */
static void a_chain_without_an_end_breaks_the_device(void **state)
{
	for (unsigned queue = INFLATE; queue <= REPORT; queue += REPORT) {
		put16(USED(queue) + 2, 0);
		start();
		describe(DESC(queue), 0,
			 (struct desc){BUFFER, 4, FLAG_NEXT | (queue == REPORT ? FLAG_WRITE : 0),
				       0});
		offer(queue, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
		serve();
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
		put16(AVAIL(queue) + 2, 0);
	}
}

static void more_done_than_there_is_breaks_the_device(void **state)
{
	for (unsigned queue = INFLATE; queue <= REPORT; queue += REPORT) {
		put16(USED(queue) + 2, 0);
		start();
		put(BUFFER, &(uint32_t){0}, 4);
		describe(DESC(queue), 0,
			 (struct desc){BUFFER, 4, queue == REPORT ? FLAG_WRITE : 0, 0});
		device.queue[queue].done = 5;
		offer(queue, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
		serve();
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
		put16(AVAIL(queue) + 2, 0);
	}
}

static void page_numbers_lie_in_memory(void **state)
{
	start();
	describe(DESC(INFLATE), 0, (struct desc){RAM + RAM_LEN, 8, 0, 0});
	offer(INFLATE, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, INFLATE);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
}

#define BALLOON_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BALLOON_TEST(an_inflated_page_gives_its_frame_back),
		BALLOON_TEST(the_work_is_in_pieces),
		BALLOON_TEST(a_chain_is_handed_back_after_its_frames_are_free),
		BALLOON_TEST(reported_pages_give_their_frames_back),
		BALLOON_TEST(a_report_may_lie_anywhere),
		BALLOON_TEST(what_is_not_the_guests_own_stays),
		BALLOON_TEST(promised_frames_stay),
		BALLOON_TEST(a_templates_pages_are_not_touched),
		BALLOON_TEST(the_reporting_queue_comes_with_its_feature),
		BALLOON_TEST(a_state_cannot_have_the_queue_without_it),
		BALLOON_TEST(reports_need_their_feature),
		BALLOON_TEST(the_driver_is_asked_and_answers),
		BALLOON_TEST(a_chain_without_an_end_breaks_the_device),
		BALLOON_TEST(more_done_than_there_is_breaks_the_device),
		BALLOON_TEST(page_numbers_lie_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
