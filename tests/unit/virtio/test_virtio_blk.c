/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a block device, as a driver makes them, and as none does. */
#include "hv/virtio/virtio_blk.h"

#include "hv/ept/merged.h"
#include "hv/guest/hidden_memory.h"
#include "tests/unit/virtio_driver.h"

/* The device's blocks: 1 MiB of the image, private; the shared image; the image, read-only. */
#define PRIVATE_AT MEM_HIDDEN_START
#define SHARED_AT  (MEM_HIDDEN_START + GIB(1))
#define RO_AT	   (MEM_HIDDEN_START + GIB(2))
#define SECTORS	   (MIB(1) / VIRTIO_BLK_SECTOR)

#define HEADER BUFFER
#define STATUS (BUFFER + 0x800)
#define DATA   (BUFFER + 0x10000)

#define PLAIN (VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH)
#define ERASE (VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)

static const struct virtio_blk_config private_disk = {
	.base = {.kind = &virtio_blk, .features = PLAIN | ERASE},
	.blocks = {PRIVATE_AT},
	.n_sectors = SECTORS,
	.block_size = 512,
	.is_private = true,
	.serial = "disk0",
};
static const struct virtio_blk_config shared_disk = {
	.base = {.kind = &virtio_blk, .features = PLAIN | ERASE},
	.blocks = {SHARED_AT},
	.n_sectors = SECTORS,
	.block_size = 4096,
	.serial = "twenty characters !!",
};
static const struct virtio_blk_config ro_disk = {
	.base = {.kind = &virtio_blk, .features = PLAIN | VIRTIO_BLK_F_RO},
	.blocks = {RO_AT},
	.n_sectors = SECTORS,
	.block_size = 512,
};

static int set_up(void **state)
{
	setup(state);
	merged_reset();
	add(PRIVATE_AT, MIB(1), MEM_COW, &image, 0);
	add(SHARED_AT, MIB(1), MEM_SHARED, &shared, 0);
	add(RO_AT, MIB(1), MEM_ROM, &image, 0);
	return 0;
}

struct request {
	uint32_t type, reserved;
	uint64_t sector;
};

/* Header, 'len' bytes of data at DATA, status: in three buffers, from descriptor 0 on. */
static void make(uint32_t type, uint64_t sector, uint32_t len)
{
	bool is_in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	uint8_t none = 0xff;

	put(HEADER, &(struct request){type, 0, sector}, sizeof(struct request));
	put(STATUS, &none, 1);
	describe(DESC(0), 0, (struct desc){HEADER, 16, FLAG_NEXT, len > 0 ? 1 : 2});
	describe(DESC(0), 1, (struct desc){DATA, len, FLAG_NEXT | (is_in ? FLAG_WRITE : 0), 2});
	describe(DESC(0), 2, (struct desc){STATUS, 1, FLAG_WRITE, 0});
}

/* Offer the chain at 0. Returns its status. */
static uint8_t run(void)
{
	uint16_t n = n_used(0);

	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	serve();
	assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS);
	assert_int_equal(n_used(0), (uint16_t)(n + 1));
	return *(const uint8_t *)guest_byte(&memory, at(STATUS));
}

static void start(const struct virtio_blk_config *disk)
{
	put16(USED(0) + 2, 0);
	start_device(&disk->base, disk->base.features | VIRTIO_F_INDIRECT);
}

static uint8_t ask(uint32_t type, uint64_t sector, uint32_t len)
{
	make(type, sector, len);
	return run();
}

static uint8_t block_byte(uint64_t gpa)
{
	return *(const uint8_t *)hidden_byte(&memory, at(gpa));
}

static uint8_t data_byte(uint64_t off)
{
	return *(const uint8_t *)guest_byte(&memory, at(DATA + off));
}

/* A range of a request to erase. */
static uint8_t erase(uint32_t type, uint64_t sector, uint32_t n, uint32_t flags)
{
	struct {
		uint64_t sector;
		uint32_t n, flags;
	} range = {sector, n, flags};

	put(DATA, &range, sizeof(range));
	return ask(type, 0, sizeof(range));
}

static uint64_t space(uint64_t off, unsigned size)
{
	struct io_access access = {.off = in_slot(VIRTIO_MMIO_CONFIG) + off, .size = size};

	return virtio_mmio_class.read(&device, &access);
}

static void the_configuration_space_describes_the_disk(void **state)
{
	start(&shared_disk);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), 2);
	assert_int_equal(space(0, 8), SECTORS);
	assert_int_equal(space(12, 4), VIRTIO_BLK_SEGMENTS_MAX);
	assert_int_equal(space(20, 4), 4096);
	assert_int_equal(space(34, 2), 1);
	assert_int_equal(space(36, 4), UINT32_MAX);
	assert_int_equal(space(40, 4), 1);
	assert_int_equal(space(44, 4), 8);
	assert_int_equal(space(48, 4), UINT32_MAX);
	assert_int_equal(space(52, 4), 1);
	assert_int_equal(space(56, 1), 1);
	assert_int_equal(space(57, 4), 0);
	start(&ro_disk);
	assert_int_equal(space(36, 8), 0);
	assert_int_equal(space(48, 8), 0);
}

/* More than a piece, at an odd address. */
static void blocks_are_read(void **state)
{
	const uint32_t len = 3 * VIRTIO_PIECE + 512;

	start(&ro_disk);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 3, len), VIRTIO_BLK_S_OK);
	assert_int_equal(last_length(0), len + 1);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(data_byte(i), pattern(3 * 512 + i));
	assert_int_equal(data_byte(len), 0);
	make(VIRTIO_BLK_T_IN, SECTORS - 2, 1024);
	describe(DESC(0), 1, (struct desc){DATA + 0xffd, 1024, FLAG_NEXT | FLAG_WRITE, 2});
	assert_int_equal(run(), VIRTIO_BLK_S_OK);
	assert_int_equal(data_byte(0xffd + 1023), pattern(MIB(1) - 1));
	image_is_untouched();
}

static void blocks_are_written_privately(void **state)
{
	uint8_t bytes[9 * 512];

	memset(bytes, 0xa5, sizeof(bytes));
	start(&private_disk);
	put(DATA, bytes, sizeof(bytes));
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 7, sizeof(bytes)), VIRTIO_BLK_S_OK);
	assert_int_equal(last_length(0), 1);
	assert_int_equal(block_byte(PRIVATE_AT + 7 * 512 - 1), pattern(7 * 512 - 1));
	assert_int_equal(block_byte(PRIVATE_AT + 7 * 512), 0xa5);
	assert_int_equal(block_byte(PRIVATE_AT + 16 * 512 - 1), 0xa5);
	assert_int_equal(block_byte(PRIVATE_AT + 16 * 512), pattern(16 * 512));
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 7, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(data_byte(511), 0xa5);
	image_is_untouched();
}

static void blocks_are_written_to_a_shared_image(void **state)
{
	const uint8_t *bytes = phys_to_virt(SHARED);
	uint8_t page[4096];

	memset(page, 0x3c, sizeof(page));
	start(&shared_disk);
	put(DATA, page, sizeof(page));
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 16, 4096), VIRTIO_BLK_S_OK);
	assert_int_equal(bytes[8192], 0x3c);
	assert_int_equal(bytes[12287], 0x3c);
	assert_int_equal(bytes[12288], pattern(MIB(2) + 12288));
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 16, 4, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 16, 8, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(bytes[8192], 0);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, 64, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(bytes[0] | bytes[64 * 512 - 1], 0);
	assert_int_equal(bytes[64 * 512], pattern(MIB(2) + 64 * 512));
	image_is_untouched();
}

/* Each is answered, and the device runs on. */
static void wrong_requests_fail(void **state)
{
	static const struct {
		const struct virtio_blk_config *disk;
		uint32_t type;
		uint64_t sector;
		uint32_t len;
		enum virtio_blk_status status;
	} cases[] = {
		{&private_disk, VIRTIO_BLK_T_IN, SECTORS, 512, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_IN, SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_IN, UINT64_MAX, 512, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_IN, BIT(55), 512, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_IN, 0, 511, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_OUT, 0, 513, VIRTIO_BLK_S_IOERR},
		{&private_disk, VIRTIO_BLK_T_OUT, SECTORS, 512, VIRTIO_BLK_S_IOERR},
		{&shared_disk, VIRTIO_BLK_T_IN, 1, 4096, VIRTIO_BLK_S_IOERR},
		{&shared_disk, VIRTIO_BLK_T_OUT, 8, 512, VIRTIO_BLK_S_IOERR},
		{&ro_disk, VIRTIO_BLK_T_OUT, 0, 512, VIRTIO_BLK_S_IOERR},
		{&ro_disk, VIRTIO_BLK_T_DISCARD, 0, 16, VIRTIO_BLK_S_UNSUPP},
		{&ro_disk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, VIRTIO_BLK_S_UNSUPP},
		{&private_disk, VIRTIO_BLK_T_DISCARD, 0, 15, VIRTIO_BLK_S_UNSUPP},
		{&private_disk, VIRTIO_BLK_T_DISCARD, 0, 32, VIRTIO_BLK_S_UNSUPP},
		{&private_disk, VIRTIO_BLK_T_DISCARD, 0, 0, VIRTIO_BLK_S_UNSUPP},
		{&private_disk, 2, 0, 0, VIRTIO_BLK_S_UNSUPP},
		{&private_disk, UINT32_MAX, 0, 512, VIRTIO_BLK_S_UNSUPP},
		/* Nothing to do. */
		{&private_disk, VIRTIO_BLK_T_IN, SECTORS, 0, VIRTIO_BLK_S_OK},
		{&private_disk, VIRTIO_BLK_T_OUT, 0, 0, VIRTIO_BLK_S_OK},
		{&private_disk, VIRTIO_BLK_T_FLUSH, 0, 0, VIRTIO_BLK_S_OK},
		{&private_disk, VIRTIO_BLK_T_FLUSH, UINT64_MAX, 512, VIRTIO_BLK_S_OK},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start(cases[i].disk);
		assert_int_equal(ask(cases[i].type, cases[i].sector, cases[i].len),
				 cases[i].status);
	}
	for (unsigned i = 0; i < 4; i++) { /* flags */
		start(&private_disk);
		assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 0, 8, 1u << i), VIRTIO_BLK_S_UNSUPP);
		assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2u << i),
				 VIRTIO_BLK_S_UNSUPP);
	}
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, SECTORS - 1, 2, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, UINT64_MAX, UINT32_MAX, 0),
			 VIRTIO_BLK_S_IOERR);
	image_is_untouched();
}

/* A header over three buffers, data and status in one. */
static void requests_may_be_framed_in_any_way(void **state)
{
	start(&private_disk);
	make(VIRTIO_BLK_T_IN, 8, 512);
	describe(DESC(0), 0, (struct desc){HEADER, 3, FLAG_NEXT, 3});
	describe(DESC(0), 3, (struct desc){HEADER + 3, 6, FLAG_NEXT, 4});
	describe(DESC(0), 4, (struct desc){HEADER + 9, 7, FLAG_NEXT, 1});
	describe(DESC(0), 1, (struct desc){STATUS - 512, 513, FLAG_WRITE, 0});
	assert_int_equal(run(), VIRTIO_BLK_S_OK);
	assert_int_equal(*(const uint8_t *)guest_byte(&memory, at(STATUS - 512)), pattern(4096));
	make(VIRTIO_BLK_T_OUT, 8, 512);
	describe(DESC(0), 0, (struct desc){DATA, 16 + 512, FLAG_NEXT, 2});
	put(DATA, &(struct request){VIRTIO_BLK_T_OUT, 0, 9}, 16);
	assert_int_equal(run(), VIRTIO_BLK_S_OK);
	assert_int_equal(block_byte(PRIVATE_AT + 9 * 512), data_byte(16));
}

static void chains_that_are_no_requests_break_the_device(void **state)
{
	static const struct desc bad[][3] = {
		{{HEADER, 15, FLAG_NEXT, 2}, {0}, {STATUS, 1, FLAG_WRITE, 0}},
		{{HEADER, 16, 0, 0}, {0}, {0}},
		{{HEADER, 16, FLAG_NEXT, 1}, {DATA, 512, 0, 0}, {0}},
		{{HEADER, 16, FLAG_WRITE, 0}, {0}, {0}},
		{{HEADER, 16, FLAG_NEXT, 1}, {DATA, 0, FLAG_WRITE, 0}, {0}},
		{{HEADER, 16, FLAG_NEXT, 1},
		 {RAM + RAM_LEN, 512, FLAG_NEXT | FLAG_WRITE, 2},
		 {STATUS, 1, FLAG_WRITE, 0}},
		/* The blocks of the device, as if they were memory. */
		{{HEADER, 16, FLAG_NEXT, 1},
		 {PRIVATE_AT, 512, FLAG_NEXT | FLAG_WRITE, 2},
		 {STATUS, 1, FLAG_WRITE, 0}},
		{{PRIVATE_AT, 16, FLAG_NEXT, 2}, {0}, {STATUS, 1, FLAG_WRITE, 0}},
		{{HEADER, 16, FLAG_NEXT, 2}, {0}, {SHARED_AT, 1, FLAG_WRITE, 0}},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start(&private_disk);
		make(VIRTIO_BLK_T_IN, 0, 512);
		for (unsigned k = 0; k < 3; k++)
			describe(DESC(0), k, bad[i][k]);
		offer(0, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		serve();
		assert_int_equal(get(VIRTIO_MMIO_STATUS), STATUS_RUNS | VIRTIO_NEEDS_RESET);
		assert_int_equal(n_used(0), 0);
	}
	start(&private_disk); /* and what it would write is not there */
	make(VIRTIO_BLK_T_OUT, 0, 512);
	describe(DESC(0), 1, (struct desc){RO_AT, 512, FLAG_NEXT, 2});
	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	serve();
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
	image_is_untouched();
}

static void the_serial_number_is_told(void **state)
{
	uint8_t id[21];

	start(&private_disk);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_int_equal(last_length(0), 21);
	assert_int_equal(guest_read(&memory, at(DATA), id, 20), OK);
	assert_memory_equal(id, "disk0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	start(&shared_disk);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, 4), VIRTIO_BLK_S_OK);
	assert_int_equal(last_length(0), 5);
	assert_int_equal(guest_read(&memory, at(DATA), id, 5), OK);
	assert_memory_equal(id, "twen0", 5); /* the last byte is the first disk's */
}

/* The driver changes the request while the device works on it. */
static void a_request_that_becomes_shorter_breaks_the_device(void **state)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT,
					 VIRTIO_BLK_T_WRITE_ZEROES};
	struct virtio_host host = {.memory = &memory};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		start(&private_disk);
		if (types[i] == VIRTIO_BLK_T_WRITE_ZEROES) {
			put(DATA, &(uint64_t[]){0, 512}, 16);
			make(types[i], 0, 16);
		} else {
			make(types[i], 0, 4 * VIRTIO_PIECE);
		}
		offer(0, 0);
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_int_equal(virtio_serve(&device, &host), OK);
		assert_int_equal(device.queue[0].done, VIRTIO_PIECE);
		if (types[i] == VIRTIO_BLK_T_WRITE_ZEROES)
			put(DATA, &(uint64_t[]){0, 1}, 16);
		else
			make(types[i], 0, 512);
		assert_int_equal(virtio_serve(&device, &host), OK);
		assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
	}
	image_is_untouched();
}

/* Whatever was written, what is discarded is zeros, and its frames are free. */
static void discarded_blocks_give_their_frames_back(void **state)
{
	uint8_t bytes[8 * 4096];
	uint64_t before, written;

	memset(bytes, 0x77, sizeof(bytes));
	start(&private_disk);
	put(DATA, bytes, sizeof(bytes));
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK); /* makes the tables */
	before = ept.n_owned;
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 8, sizeof(bytes)), VIRTIO_BLK_S_OK);
	written = ept.n_owned;
	assert_true(written >= before + 8);
	/* From the middle of a page to the middle of another one. */
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 12, 56, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(ept.n_owned, written - 6);
	assert_int_equal(block_byte(PRIVATE_AT + 4096), 0x77);
	assert_int_equal(block_byte(PRIVATE_AT + 2 * 4096), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 8 * 4096 - 1), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 8 * 4096), 0x77);
	/* Zeros reach every byte. */
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 12, 56, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(block_byte(PRIVATE_AT + 12 * 512 - 1), 0x77);
	assert_int_equal(block_byte(PRIVATE_AT + 12 * 512), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 68 * 512 - 1), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 68 * 512), 0x77);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, SECTORS, 1), VIRTIO_BLK_S_OK);
	for (uint64_t off = 0; off < MIB(1); off += 512)
		assert_int_equal(block_byte(PRIVATE_AT + off), 0);
	assert_int_equal(ept.n_owned, written - 9);
	image_is_untouched();
}

static void zeros_may_keep_their_frames(void **state)
{
	start(&private_disk);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 1, 5 * VIRTIO_PIECE / 512, 0),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(block_byte(PRIVATE_AT + 511), pattern(511));
	assert_int_equal(block_byte(PRIVATE_AT + 512), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 511 + 5 * VIRTIO_PIECE), 0);
	assert_int_equal(block_byte(PRIVATE_AT + 512 + 5 * VIRTIO_PIECE),
			 pattern(512 + 5 * VIRTIO_PIECE));
	image_is_untouched();
}

/* It is done when there is a frame again, and nothing is lost. */
static void a_missing_frame_breaks_nothing(void **state)
{
	struct virtio_host host = {.memory = &memory};
	uint8_t bytes[3 * 4096];

	memset(bytes, 0x42, sizeof(bytes));
	start(&private_disk);
	put(DATA, bytes, sizeof(bytes));
	make(VIRTIO_BLK_T_OUT, 0, sizeof(bytes));
	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	ept.max_owned = ept.n_owned;
	assert_int_equal(virtio_serve(&device, &host), ERR_NOMEM);
	assert_int_equal(n_used(0), 0);
	ept.max_owned = ept.n_owned + 4;
	(void)virtio_serve(&device, &host);
	ept.max_owned = EPT_UNLIMITED;
	serve();
	assert_int_equal(n_used(0), 1);
	assert_int_equal(block_byte(PRIVATE_AT), 0x42);
	assert_int_equal(block_byte(PRIVATE_AT + sizeof(bytes) - 1), 0x42);
	assert_int_equal(block_byte(PRIVATE_AT + sizeof(bytes)), pattern(sizeof(bytes)));
}

/* The driver's own memory is not reached by the way of the blocks, and blocks not by its way. */
/* The chain at 0 is a request by its form, but some of it lies outside of memory. */
static void breaks(void)
{
	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	serve();
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_NEEDS_RESET);
}

static void buffers_outside_memory_break_the_device(void **state)
{
	static const uint32_t types[] = {VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD};

	start(&private_disk);
	make(VIRTIO_BLK_T_FLUSH, 0, 0);
	describe(DESC(0), 2, (struct desc){RAM + RAM_LEN, 1, FLAG_WRITE, 0});
	breaks();
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		start(&private_disk);
		make(types[i], 0, types[i] == VIRTIO_BLK_T_GET_ID ? 20 : 16);
		describe(DESC(0), 1,
			 (struct desc){RAM + RAM_LEN, types[i] == VIRTIO_BLK_T_GET_ID ? 20 : 16,
				       FLAG_NEXT |
					       (types[i] == VIRTIO_BLK_T_GET_ID ? FLAG_WRITE : 0),
				       2});
		breaks();
	}
}

static void blocks_are_not_memory(void **state)
{
	uint8_t byte = 1;
	uint64_t done;

	assert_null(guest_byte(&memory, at(PRIVATE_AT)));
	assert_int_equal(guest_write(&memory, at(PRIVATE_AT), &byte, 1), ERR_RANGE);
	assert_int_equal(guest_read(&memory, at(SHARED_AT), &byte, 1), ERR_RANGE);
	assert_null(hidden_byte(&memory, at(RAM)));
	assert_int_equal(hidden_write(&memory, at(RAM), &byte, 1), ERR_RANGE);
	assert_int_equal(hidden_zero(&memory, at(RO_AT), 1), ERR_RANGE);
	assert_int_equal(hidden_write(&memory, at(PRIVATE_AT + MIB(1) - 1), &done, 2), ERR_RANGE);
	assert_int_equal(hidden_discard(&memory, at(RO_AT), PAGE_SIZE, &done), ERR_RANGE);
	assert_int_equal(hidden_discard(&memory, at(SHARED_AT), PAGE_SIZE, &done), ERR_RANGE);
	assert_int_equal(hidden_discard(&memory, at(PRIVATE_AT + MIB(1)), PAGE_SIZE, &done),
			 ERR_RANGE);
}

#define BLK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLK_TEST(the_configuration_space_describes_the_disk),
		BLK_TEST(blocks_are_read),
		BLK_TEST(blocks_are_written_privately),
		BLK_TEST(blocks_are_written_to_a_shared_image),
		BLK_TEST(wrong_requests_fail),
		BLK_TEST(requests_may_be_framed_in_any_way),
		BLK_TEST(chains_that_are_no_requests_break_the_device),
		BLK_TEST(the_serial_number_is_told),
		BLK_TEST(a_request_that_becomes_shorter_breaks_the_device),
		BLK_TEST(discarded_blocks_give_their_frames_back),
		BLK_TEST(zeros_may_keep_their_frames),
		BLK_TEST(a_missing_frame_breaks_nothing),
		BLK_TEST(buffers_outside_memory_break_the_device),
		BLK_TEST(blocks_are_not_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
