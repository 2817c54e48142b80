/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/fw_cfg.h"

#include <stdio.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

/* Physical memory: an image that must not be written, and frames. */
#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + MIB(2))
#define N_FRAMES 256

/*
 * Guest memory: ROM, private pages of the image, zeros. The first two are adjacent; the rest is
 * unmapped.
 */
#define ROM UINT64_C(0x10000)
#define COW UINT64_C(0x14000)
#define RAM MIB(2)
#define END (RAM + MIB(2))

#define READ	  2u
#define SKIP	  4u
#define SELECT(n) ((unsigned)(n) << 16 | 8u)
#define WRITE	  16u
#define ERROR	  1u

static const struct image image = {.base = IMAGE, .size = MIB(2)};
static struct ept ept;
static struct mem_map map;
static struct guest_memory memory = {.ept = &ept, .map = &map};

static uint8_t big_file[3 * PAGE_SIZE], huge_file[KIB(140)];
static struct fw_cfg_file third = {.name = "opt/huge", .data = huge_file, .len = sizeof(huge_file)};
static struct fw_cfg_file second = {.name = "opt/big", .data = big_file, .len = sizeof(big_file)};
static struct fw_cfg_file first = {.next = &second, .name = "opt/text", .data = "hello", .len = 5};
static struct fw_cfg fw_cfg;

#define TEXT_NUMBER (FW_CFG_FIRST_FILE + FW_CFG_OWN_FILES)
#define BIG_NUMBER  (TEXT_NUMBER + 1)
#define HUGE_NUMBER (BIG_NUMBER + 1)
#define JOB_NUMBER  (BIG_NUMBER + 1) /* without the huge file */

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static unsigned n_drawn;

/* Others each time. */
static void fill(void *buf, size_t len)
{
	memset(buf, (int)++n_drawn, len);
}

static void add(uint64_t gpa, uint64_t len, enum mem_kind kind, const struct image *from)
{
	struct mem_region region = {.gpa = {gpa}, .len = len, .kind = kind, .image = from};

	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&ept, &region), OK);
}

static int setup(void **state)
{
	second.next = NULL;
	frame_reset();
	memset(&map, 0, sizeof(map));
	memset(phys_arena(IMAGE, MIB(6)), 0xa5, MIB(2));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	add(ROM, COW - ROM, MEM_ROM, &image);
	add(COW, 0x4000, MEM_COW, &image);
	add(RAM, END - RAM, MEM_COW, NULL);
	for (unsigned i = 0; i < sizeof(big_file); i++)
		big_file[i] = (uint8_t)(i * 7 + (i >> 8));
	fw_cfg = (struct fw_cfg){
		.files = &first, .ram_size = MIB(300), .n_cpus = 3, .fill_random = fill};
	fw_cfg.identity = (struct identity){.name = "t-1234",
					    .template = "t",
					    .number = 1234,
					    .has_mac = true,
					    .mac = {2, 0xab, 0, 1, 2, 0xff}};
	n_drawn = 0;
	return 0;
}

static int teardown(void **state)
{
	const uint8_t *bytes = phys_to_virt(IMAGE);

	for (uint64_t i = 0; i < MIB(2); i++)
		if (bytes[i] != 0xa5)
			fail();
	ept_destroy(&ept);
	return 0;
}

static uint64_t port_in(uint16_t port, unsigned size)
{
	uint16_t start = port < FW_CFG_DMA_PORT ? FW_CFG_PORT : FW_CFG_DMA_PORT;
	struct io_access access = {.addr = port, .off = port - start, .size = size};

	return fw_cfg_class.read(&fw_cfg, &access);
}

static uint32_t port_out(uint16_t port, unsigned size, uint64_t value)
{
	uint16_t start = port < FW_CFG_DMA_PORT ? FW_CFG_PORT : FW_CFG_DMA_PORT;
	struct io_access access = {.addr = port, .off = port - start, .size = size, .value = value};

	return fw_cfg_class.write(&fw_cfg, &access);
}

static void select_number(unsigned number)
{
	assert_int_equal(port_out(FW_CFG_PORT, 2, number), 0);
}

static void in(void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len-- > 0)
		*to++ = (uint8_t)port_in(FW_CFG_PORT + 1, 1);
}

static uint64_t in_big(unsigned size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | port_in(FW_CFG_PORT + 1, 1);
	return value;
}

static uint64_t in_little(unsigned number, unsigned size)
{
	uint64_t value = 0;

	select_number(number);
	in(&value, size);
	return value;
}

/* Beyond its end an item has only zeros. */
static void item_ends(void)
{
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(port_in(FW_CFG_PORT + 1, 1), 0);
}

static void the_machines_items_are_qemus(void **state)
{
	assert_int_equal(in_little(0, 4), 0x554d4551); /* "QEMU" */
	item_ends();
	assert_int_equal(in_little(1, 4), 3);
	item_ends();
	assert_int_equal(in_little(3, 8), MIB(300));
	item_ends();
	assert_int_equal(in_little(5, 2), 3);
	item_ends();
	assert_int_equal(in_little(0xf, 2), 3);
	item_ends();
	assert_int_equal(in_little(0x4000 | 5, 2), 3); /* the "write channel" */
	assert_int_equal(in_little(0x8000 | 5, 2), 0); /* architecture-specific */
}

static void the_directory_names_every_file(void **state)
{
	static const struct {
		const char *name;
		unsigned len;
	} files[] = {{"opt/stencil/name", 64},	    {"opt/stencil/template", 64},
		     {"opt/stencil/index", 16},	    {"opt/stencil/seed", 32},
		     {"opt/stencil/mac", 18},	    {"opt/text", 5},
		     {"opt/big", sizeof(big_file)}, {"opt/stencil/job", 4096}};

	select_number(0x19);
	assert_int_equal(in_big(4), ARRAY_SIZE(files));
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		char name[56], padded[56] = "";

		assert_int_equal(in_big(4), files[i].len);
		assert_int_equal(in_big(2), 0x20 + i);
		assert_int_equal(in_big(2), 0);
		in(name, sizeof(name));
		memcpy(padded, files[i].name, strlen(files[i].name));
		assert_memory_equal(name, padded, sizeof(name));
	}
	item_ends();
}

static void text_is(unsigned number, const char *text, size_t len)
{
	char found[80], want[80];

	memset(want, '\n', sizeof(want));
	memcpy(want, text, strlen(text));
	select_number(number);
	in(found, len);
	assert_memory_equal(found, want, len);
	item_ends();
}

static void an_address_is_made_when_it_is_read(void **state)
{
	fw_cfg.machine = 0x1234;
	fw_cfg.identity.index = 2;
	fw_cfg.identity.has_mac = false;
	text_is(0x22, "1234", 16);
	assert_false(fw_cfg.identity.has_mac);
	text_is(0x24, "02:12:34:00:00:02", 18);
	assert_true(fw_cfg.identity.has_mac);
	text_is(0x24, "02:12:34:00:00:02", 18);
}

static void a_clone_reads_who_it_is(void **state)
{
	text_is(0x20, "t-1234", 64);
	text_is(0x21, "t", 64);
	text_is(0x22, "1234", 16);
	text_is(0x24, "02:ab:00:01:02:ff", 18);
	fw_cfg.identity.number = UINT32_MAX;
	text_is(0x22, "4294967295", 16);
}

static void seed_is(unsigned number)
{
	uint8_t seed[32], want[32];

	memset(want, (int)number, sizeof(want));
	in(seed, sizeof(seed));
	assert_memory_equal(seed, want, sizeof(seed));
	item_ends();
}

static void a_seed_is_drawn_when_it_is_read(void **state)
{
	text_is(0x24, "02:ab:00:01:02:ff", 18);
	select_number(0x23);
	assert_int_equal(n_drawn, 0);
	seed_is(1);
	select_number(0x23);
	seed_is(1);			  /* the same again */
	fw_cfg.identity.has_seed = false; /* a revert, or a clone */
	select_number(0x23);
	seed_is(2);
	assert_int_equal(n_drawn, 2);
}

/* Also where the template has selected the seed, and has read a part of its own. */
static void a_clone_does_not_read_the_rest_of_its_template_s_seed(void **state)
{
	uint8_t part[16], rest[16];

	select_number(0x23);
	in(part, sizeof(part));
	fw_cfg.identity.has_seed = false;
	in(rest, sizeof(rest));
	for (unsigned i = 0; i < sizeof(rest); i++)
		assert_int_equal(rest[i], 2);
}

static void job_is(const char *text)
{
	static char want[4096], found[sizeof(want)];

	memset(want, '\n', sizeof(want));
	memcpy(want, text, strlen(text));
	select_number(JOB_NUMBER);
	in(found, sizeof(found));
	assert_memory_equal(found, want, sizeof(want));
	item_ends();
}

static void a_job_is_padded_with_newlines(void **state)
{
	static char longest[4096];

	job_is("");
	fw_cfg.identity.job = "echo 1; exit 3";
	job_is("echo 1; exit 3");
	memset(longest, 'x', sizeof(longest) - 1);
	fw_cfg.identity.job = longest;
	job_is(longest);
}

static void a_clone_without_a_name_has_that_of_its_number(void **state)
{
	fw_cfg.identity.name = NULL;
	fw_cfg.identity.template = "from";
	fw_cfg.identity.number = 17;
	text_is(0x20, "from-17", 64);
	text_is(0x21, "from", 64);
}

static void what_is_no_clone_has_no_index(void **state)
{
	static char long_name[200];

	memset(long_name, 'n', sizeof(long_name) - 1);
	fw_cfg.identity.template = NULL;
	fw_cfg.identity.name = long_name;
	text_is(0x21, "", 64);
	text_is(0x22, "", 16);
	select_number(0x20);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(port_in(FW_CFG_PORT + 1, 1), i < 63 ? 'n' : '\n');
	fw_cfg.identity.name = NULL;
	text_is(0x20, "", 64);
}

static void no_selector_reads_what_is_not_there(void **state)
{
	for (unsigned number = 0; number <= UINT16_MAX; number++) {
		unsigned item = number & 0xbfff;
		bool is_there = item <= 5 || item == 0xf || item == 0x19 ||
				(item >= 0x20 && item <= JOB_NUMBER);
		unsigned any = 0;

		select_number(number);
		for (unsigned i = 0; i < 20; i++)
			any |= (unsigned)port_in(FW_CFG_PORT + 1, 1);
		assert_true(is_there || any == 0);
	}
}

static void other_accesses_do_nothing(void **state)
{
	select_number(0);
	assert_int_equal(port_out(FW_CFG_PORT, 1, 5), 0);
	assert_int_equal(port_out(FW_CFG_PORT + 1, 1, 5), 0);
	assert_true((uint16_t)port_in(FW_CFG_PORT, 2) == UINT16_MAX);
	assert_int_equal(in_big(4), 0x51454d55);
	assert_int_equal(port_out(FW_CFG_DMA_PORT + 4, 1, 5), 0);
	assert_int_equal(port_out(FW_CFG_DMA_PORT + 4, 2, 5), 0);
	assert_int_equal(port_out(FW_CFG_DMA_PORT + 2, 4, 5), 0);
	assert_int_equal(fw_cfg.dma_address, 0);
}

static void the_dma_register_has_a_signature(void **state)
{
	static const char want[] = "QEMU CFG";

	for (unsigned size = 1; size <= 4; size *= 2)
		for (unsigned off = 0; off + size <= 8; off++) {
			uint64_t value = port_in((uint16_t)(FW_CFG_DMA_PORT + off), size);

			assert_memory_equal(&value, want + off, size);
		}
}

static void put(uint64_t gpa, uint64_t value, unsigned size)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
	assert_int_equal(guest_write(&memory, at(gpa), bytes, size), OK);
}

static void write_high(uint64_t request)
{
	assert_int_equal(port_out(FW_CFG_DMA_PORT, 4, __builtin_bswap32((uint32_t)(request >> 32))),
			 0);
}

/* The instruction that starts a request, or repeats it. */
static enum status write_low(uint64_t request)
{
	assert_int_equal(port_out(FW_CFG_DMA_PORT + 4, 4, __builtin_bswap32((uint32_t)request)),
			 WISH_FW_CFG);
	return fw_cfg_transfer(&fw_cfg, &memory);
}

static unsigned n_pieces; /* of the last request */

/* Write the address as a guest does, and perform the request as the run loop does. */
static enum status start(uint64_t request)
{
	enum status status;

	write_high(request);
	for (n_pieces = 1; (status = write_low(request)) == OK && fw_cfg_is_busy(&fw_cfg);)
		n_pieces++;
	assert_false(fw_cfg_is_busy(&fw_cfg));
	return status;
}

#define REQUEST (RAM + 0x800)
#define ANOTHER (RAM + 0x900)

static void put_request(uint64_t gpa, uint32_t control, uint32_t len, uint64_t address)
{
	put(gpa, control, 4);
	put(gpa + 4, len, 4);
	put(gpa + 8, address, 8);
}

static uint32_t answer_at(uint64_t gpa)
{
	uint32_t answer;

	assert_int_equal(guest_read(&memory, at(gpa), &answer, 4), OK);
	return __builtin_bswap32(answer);
}

/* The answer that the guest finds in its request. */
static uint32_t ask(uint32_t control, uint32_t len, uint64_t address)
{
	put_request(REQUEST, control, len, address);
	assert_int_equal(start(REQUEST), OK);
	assert_int_equal(fw_cfg.dma_address, 0);
	return answer_at(REQUEST);
}

static void memory_is(uint64_t gpa, const void *want, size_t len)
{
	static uint8_t found[MIB(1)];

	assert_int_equal(guest_read(&memory, at(gpa), found, len), OK);
	assert_memory_equal(found, want, len);
}

static void a_request_reads_a_file(void **state)
{
	static const char want[8] = "hello";

	assert_int_equal(ask(SELECT(BIG_NUMBER) | READ, sizeof(big_file), RAM + 0x1234), 0);
	memory_is(RAM + 0x1234, big_file, sizeof(big_file));
	/* Part by part, then zeros beyond the end. */
	assert_int_equal(ask(SELECT(TEXT_NUMBER), 0, 0), 0);
	memset(big_file, 0xcc, sizeof(big_file));
	assert_int_equal(guest_write(&memory, at(COW), big_file, 100), OK);
	assert_int_equal(ask(READ, 2, COW), 0);
	assert_int_equal(ask(READ, 6, COW + 2), 0);
	memory_is(COW, want, sizeof(want));
	memory_is(COW + sizeof(want), big_file, 50);
}

static void a_request_reads_what_ports_read(void **state)
{
	static const unsigned numbers[] = {0, 1, 3, 5, 0x19, 0x20, 0x22, 0x23, 0x24, TEXT_NUMBER};

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint8_t want[600];

		select_number(numbers[i]);
		in(want, sizeof(want));
		assert_int_equal(ask(SELECT(numbers[i]) | READ, sizeof(want), RAM + 0x1ffe), 0);
		memory_is(RAM + 0x1ffe, want, sizeof(want));
		/* From any offset. */
		for (unsigned skip = 0; skip < sizeof(want); skip += 37) {
			assert_int_equal(ask(SELECT(numbers[i]) | SKIP, skip, 0), 0);
			assert_int_equal(ask(READ, 7, RAM + 0x3000), 0);
			memory_is(RAM + 0x3000, skip + 7 > sizeof(want) ? want : want + skip,
				  skip + 7 > sizeof(want) ? 0 : 7);
		}
	}
}

static void skipping_is_not_bounded(void **state)
{
	assert_int_equal(ask(SELECT(BIG_NUMBER) | SKIP, UINT32_MAX, UINT64_MAX), 0);
	assert_int_equal(ask(SKIP, UINT32_MAX, UINT64_MAX), 0);
	assert_int_equal(fw_cfg.offset, sizeof(big_file));
	item_ends();
	assert_int_equal(ask(SELECT(0x1000) | SKIP, UINT32_MAX, UINT64_MAX), 0);
}

static void items_cannot_be_written(void **state)
{
	assert_int_equal(ask(SELECT(TEXT_NUMBER) | WRITE, 5, RAM), ERROR);
	assert_int_equal(ask(SELECT(0x1000) | WRITE, 5, RAM), ERROR);
	assert_int_equal(ask(WRITE, 0, RAM), 0);
	assert_memory_equal(first.data, "hello", 5);
	/* A request without an operation does not fail. */
	assert_int_equal(ask(0, 100, UINT64_MAX), 0);
}

static void add_huge_file(void)
{
	second.next = &third;
	for (size_t i = 0; i < sizeof(huge_file); i++)
		huge_file[i] = (uint8_t)(i * 7 + (i >> 12));
}

/* Each piece is bounded, the whole is not. */
static void a_long_request_is_done_in_pieces(void **state)
{
	static uint8_t want[KIB(160)];

	add_huge_file();
	memcpy(want, huge_file, sizeof(huge_file));
	assert_int_equal(ask(SELECT(HUGE_NUMBER) | READ, FW_CFG_PIECE, RAM + 0x1234), 0);
	assert_int_equal(n_pieces, 1);
	memory_is(RAM + 0x1234, want, FW_CFG_PIECE);
	assert_int_equal(ask(SELECT(HUGE_NUMBER) | READ, FW_CFG_PIECE + 1, RAM + 0x1234), 0);
	assert_int_equal(n_pieces, 2);
	/* The last piece has the file's end and zeros. */
	assert_int_equal(ask(SELECT(HUGE_NUMBER) | READ, sizeof(want), RAM + 0x1234), 0);
	assert_int_equal(n_pieces, 3);
	memory_is(RAM + 0x1234, want, sizeof(want));
	assert_int_equal(fw_cfg.offset, sizeof(huge_file));
	assert_int_equal(ask(SELECT(0x1000) | READ, KIB(128), RAM + 0x1000), 0);
	assert_int_equal(n_pieces, 2);
	memset(want, 0, sizeof(want));
	memory_is(RAM + 0x1000, want, KIB(128));
	/* Where guest memory ends, the request fails. */
	assert_int_equal(ask(SELECT(TEXT_NUMBER) | READ, UINT32_MAX, END - KIB(128)), ERROR);
	assert_int_equal(n_pieces, 3);
}

/* The answer comes with the last piece; in between the guest may run. */
static void the_next_piece_needs_the_same_address(void **state)
{
	add_huge_file();
	put_request(REQUEST, SELECT(HUGE_NUMBER) | READ, FW_CFG_PIECE + 5, RAM + 0x10000);
	put_request(ANOTHER, SELECT(TEXT_NUMBER) | READ, 5, RAM + 0x1000);
	write_high(REQUEST);
	assert_int_equal(write_low(REQUEST), OK);
	assert_true(fw_cfg_is_busy(&fw_cfg));
	assert_int_equal(answer_at(REQUEST), SELECT(HUGE_NUMBER) | READ);
	/* Another request replaces it, and then it starts from the beginning. */
	assert_int_equal(write_low(ANOTHER), OK);
	assert_false(fw_cfg_is_busy(&fw_cfg));
	assert_int_equal(answer_at(ANOTHER), 0);
	memory_is(RAM + 0x1000, "hello", 5);
	assert_int_equal(write_low(REQUEST), OK);
	assert_true(fw_cfg_is_busy(&fw_cfg));
	assert_int_equal(fw_cfg.offset, FW_CFG_PIECE);
	assert_int_equal(write_low(REQUEST), OK);
	assert_false(fw_cfg_is_busy(&fw_cfg));
	assert_int_equal(answer_at(REQUEST), 0);
	memory_is(RAM + 0x10000, huge_file, FW_CFG_PIECE + 5);
}

static void a_request_that_changes_between_pieces_is_harmless(void **state)
{
	static const uint32_t lengths[] = {0, 1, FW_CFG_PIECE - 1, FW_CFG_PIECE, 2 * FW_CFG_PIECE};

	add_huge_file();
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		put_request(REQUEST, SELECT(HUGE_NUMBER) | READ, 3 * FW_CFG_PIECE, RAM + 0x10000);
		write_high(REQUEST);
		assert_int_equal(write_low(REQUEST), OK);
		put_request(REQUEST, READ, lengths[i], RAM + 0x10000);
		assert_int_equal(write_low(REQUEST), OK);
		assert_false(fw_cfg_is_busy(&fw_cfg));
		assert_int_equal(answer_at(REQUEST), 0);
	}
	put_request(REQUEST, SELECT(HUGE_NUMBER) | READ, 3 * FW_CFG_PIECE, RAM + 0x10000);
	assert_int_equal(write_low(REQUEST), OK);
	put_request(REQUEST, READ, 3 * FW_CFG_PIECE, UINT64_MAX - 5);
	assert_int_equal(write_low(REQUEST), OK);
	assert_false(fw_cfg_is_busy(&fw_cfg));
	fw_cfg_reset(&fw_cfg);
}

static void requests_to_nowhere_are_errors(void **state)
{
	static const uint64_t addresses[] = {0,	      END,	  END - 1,	  COW + 0x3fff,
					     0xf000,  UINT64_MAX, UINT64_MAX - 8, ROM - 1,
					     BIT(52), BIT(63)};
	uint64_t left = frame_available();

	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		assert_int_equal(ask(SELECT(BIG_NUMBER) | READ, PAGE_SIZE, addresses[i]), ERROR);
		assert_int_equal(ask(SELECT(0) | READ, 4, addresses[i]), ERROR);
		assert_int_equal(ask(SELECT(0x1000) | READ, 4, addresses[i]), ERROR);
		assert_int_equal(start(addresses[i]), OK); /* no request there, so no answer */
	}
	/* Except for the page that holds the requests, and its tables. */
	assert_true(left - frame_available() <= 3);
}

static void rom_is_not_written(void **state)
{
	uint64_t dropped = memory.n_dropped;
	static uint8_t unchanged[PAGE_SIZE];

	memset(unchanged, 0xa5, sizeof(unchanged));
	assert_int_equal(ask(SELECT(BIG_NUMBER) | READ, PAGE_SIZE, COW - 0x10), 0);
	memory_is(COW - 0x10, unchanged, 0x10);
	memory_is(COW, big_file + 0x10, PAGE_SIZE - 0x10);
	assert_int_equal(memory.n_dropped, dropped + 1);
	/* A "skip" request in ROM: its answer is dropped. */
	assert_int_equal(start(ROM), OK);
	memory_is(ROM, unchanged, 16);
	assert_int_equal(memory.n_dropped, dropped + 2);
}

static void no_frame_is_said(void **state)
{
	put_request(REQUEST, SELECT(BIG_NUMBER) | READ, sizeof(big_file), RAM + 0x5000);
	while (frame_available())
		assert_true(frame_alloc() != 0);
	assert_int_equal(start(REQUEST), ERR_NOMEM);
	/* Reading a request needs no frame, answering it does. */
	assert_int_equal(start(COW), ERR_NOMEM);
}

static void a_reset_forgets_what_was_selected(void **state)
{
	select_number(TEXT_NUMBER);
	(void)port_in(FW_CFG_PORT + 1, 1);
	assert_int_equal(port_out(FW_CFG_DMA_PORT, 4, 1), 0);
	assert_int_equal(port_out(FW_CFG_DMA_PORT + 4, 4, 1), WISH_FW_CFG);
	fw_cfg_reset(&fw_cfg);
	assert_int_equal(fw_cfg.dma_address, 0);
	assert_int_equal(in_big(4), 0x51454d55);
	text_is(0x20, "t-1234", 64);
}

static void numbered_items_are_in_no_directory(void **state)
{
	static struct fw_cfg_file number = {
		.name = "", .item = FW_CFG_KERNEL_SIZE, .data = "\x12\x34\x56\x78", .len = 4};
	uint8_t head[4];
	char data[5] = "";

	second.next = &number;
	select_number(FW_CFG_KERNEL_SIZE);
	in(data, 5);
	assert_memory_equal(data, "\x12\x34\x56\x78", 5);
	select_number(FW_CFG_KERNEL_ADDR);
	in(data, 1);
	assert_int_equal(data[0], 0);
	select_number(0x19);
	in(head, sizeof(head));
	assert_int_equal(head[3], FW_CFG_OWN_FILES + 2 + 1);
	/* The last file is the job's, which is empty. */
	select_number(JOB_NUMBER);
	in(data, 1);
	assert_int_equal(data[0], '\n');
	select_number(JOB_NUMBER + 1);
	in(data, 1);
	assert_int_equal(data[0], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_machines_items_are_qemus),
		TEST(the_directory_names_every_file),
		TEST(an_address_is_made_when_it_is_read),
		TEST(a_clone_reads_who_it_is),
		TEST(a_seed_is_drawn_when_it_is_read),
		TEST(a_clone_does_not_read_the_rest_of_its_template_s_seed),
		TEST(a_clone_without_a_name_has_that_of_its_number),
		TEST(what_is_no_clone_has_no_index),
		TEST(a_job_is_padded_with_newlines),
		TEST(no_selector_reads_what_is_not_there),
		TEST(other_accesses_do_nothing),
		TEST(the_dma_register_has_a_signature),
		TEST(a_request_reads_a_file),
		TEST(a_request_reads_what_ports_read),
		TEST(skipping_is_not_bounded),
		TEST(items_cannot_be_written),
		TEST(a_long_request_is_done_in_pieces),
		TEST(the_next_piece_needs_the_same_address),
		TEST(a_request_that_changes_between_pieces_is_harmless),
		TEST(requests_to_nowhere_are_errors),
		TEST(rom_is_not_written),
		TEST(no_frame_is_said),
		TEST(a_reset_forgets_what_was_selected),
		TEST(numbered_items_are_in_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
