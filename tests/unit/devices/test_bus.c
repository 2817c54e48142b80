/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/bus.h"

#include <string.h>

#include "tests/unit/support.h"

/* A device that is memory and records its accesses. */
struct memory {
	uint8_t bytes[64];
	unsigned n;
	struct io_access access[16];
};

static void note(struct memory *memory, const struct io_access *access, uint64_t value)
{
	assert_true(memory->n < ARRAY_SIZE(memory->access));
	memory->access[memory->n] = *access;
	memory->access[memory->n++].value = value;
}

static uint64_t memory_read(void *dev, const struct io_access *access)
{
	struct memory *memory = dev;
	uint64_t value = UINT64_MAX; /* garbage above 'size' must be cut off */

	assert_true(access->off + access->size <= sizeof(memory->bytes));
	memcpy(&value, memory->bytes + access->off, access->size);
	note(memory, access, value);
	return value;
}

/* Returns a wish for each bit of the first byte written. */
static uint32_t memory_write(void *dev, const struct io_access *access)
{
	struct memory *memory = dev;

	assert_true(access->off + access->size <= sizeof(memory->bytes));
	memcpy(memory->bytes + access->off, &access->value, access->size);
	note(memory, access, access->value);
	return (uint8_t)access->value;
}

static const struct device_class memory_class = {.read = memory_read, .write = memory_write};

/* A device of any length that only counts. */
static uint32_t count_write(void *dev, const struct io_access *access)
{
	((struct memory *)dev)->n++;
	return 0;
}

static const struct device_class counter_class = {.read = memory_read, .write = count_write};

/* Devices can be anywhere in this test: their places are counted from address 1. */
#define ORIGIN	   ((char *)1)
#define PLACE(dev) ((size_t)(dev) - (size_t)ORIGIN)

static uint64_t bus_read(const struct io_bus *bus, uint64_t addr, unsigned size, uint64_t now)
{
	return io_bus_read(bus, ORIGIN,
			   &(struct io_access){.addr = addr, .size = size, .now = now});
}

static uint32_t bus_write(const struct io_bus *bus, uint64_t addr, unsigned size, uint64_t value,
			  uint64_t now)
{
	struct io_access access = {.addr = addr, .size = size, .value = value, .now = now};

	return io_bus_write(bus, ORIGIN, &access);
}

static enum status add(struct io_bus *bus, uint64_t start, uint64_t len, unsigned width, void *dev)
{
	return io_bus_add(bus, &(struct io_range){.start = start,
						  .len = len,
						  .width = width,
						  .class = &memory_class,
						  .dev = PLACE(dev)});
}

static uint64_t ones(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static void an_access_reaches_its_device_whole(void **state)
{
	for (unsigned size = 1; size <= 8; size *= 2) {
		struct io_bus bus = {0};
		struct memory memory = {.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9}};

		assert_int_equal(add(&bus, 0x3f8, 16, 8, &memory), OK);
		assert_true(bus_read(&bus, 0x3f9, size, 77) ==
			    (UINT64_C(0x0908070605040302) & ones(size)));
		bus_write(&bus, 0x3fa, size, UINT64_MAX, 78);
		assert_int_equal(memory.n, 2);
		assert_int_equal(memory.access[0].addr, 0x3f9);
		assert_int_equal(memory.access[0].off, 1);
		assert_int_equal(memory.access[0].size, size);
		assert_int_equal(memory.access[0].now, 77);
		assert_int_equal(memory.access[1].off, 2);
		assert_int_equal(memory.access[1].size, size);
		assert_true(memory.access[1].value == ones(size));
		assert_int_equal(memory.access[1].now, 78);
	}
}

static void check_nobody_is_there(const struct io_bus *bus, uint64_t addr)
{
	for (unsigned size = 1; size <= 8; size *= 2) {
		assert_true(bus_read(bus, addr, size, 0) == ones(size));
		bus_write(bus, addr, size, 0, 0);
	}
}

static void nobody_reads_as_ones_and_swallows_writes(void **state)
{
	struct io_bus bus = {0};
	struct memory memory = {0};

	check_nobody_is_there(&bus, 0x80);
	assert_int_equal(add(&bus, 0x78, 8, 1, &memory), OK);
	check_nobody_is_there(&bus, 0x80);
	check_nobody_is_there(&bus, 0);
	assert_int_equal(add(&bus, 0x88, 8, 1, &memory), OK);
	check_nobody_is_there(&bus, 0x80);
	check_nobody_is_there(&bus, 0x90);
	assert_int_equal(memory.n, 0);
}

/*
 * Every order of adding five ranges, and every address: the search finds what a linear search
 * would.
 */
static void ranges_are_found_whatever_the_order(void **state)
{
	static const uint64_t start[] = {3, 5, 9, 20, 21}, len[] = {2, 3, 1, 1, 4};
	struct memory memory[5];
	unsigned order[5];

	for (unsigned code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
		struct io_bus bus = {0};
		unsigned seen = 0;

		for (unsigned i = 0, rest = code; i < 5; i++, rest /= 5)
			seen |= 1u << (order[i] = rest % 5);
		if (seen != 31)
			continue;
		memset(memory, 0, sizeof(memory));
		for (unsigned i = 0; i < 5; i++) {
			memset(memory[i].bytes, (int)i, sizeof(memory[i].bytes));
			assert_int_equal(
				add(&bus, start[order[i]], len[order[i]], 1, &memory[order[i]]),
				OK);
		}
		for (uint64_t addr = 0; addr < 30; addr++) {
			uint64_t expect = 0xff;

			for (unsigned i = 0; i < 5; i++)
				if (addr >= start[i] && addr < start[i] + len[i])
					expect = i;
			assert_int_equal(bus_read(&bus, addr, 1, 0), expect);
		}
	}
}

/* Addresses 512 apart share a guess, and a large range competes for all guesses. */
static void ranges_that_are_guessed_alike_are_all_found(void **state)
{
	static const uint64_t start[] = {0x10, 0x14, 0x17, 0x210, 0x410, 0x1000, 0x3010};
	static const uint64_t len[] = {2, 2, 1, 8, 1, 0x2000, 0x10};
	static struct memory memory[7];
	struct io_bus bus = {0};

	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(io_bus_add(&bus, &(struct io_range){.start = start[i],
								     .len = len[i],
								     .width = 1,
								     .class = &counter_class,
								     .dev = PLACE(&memory[i])}),
				 OK);
	for (uint64_t addr = 0; addr < 0x4000; addr++) {
		const struct io_range *hit = NULL;

		for (unsigned i = 0; i < 7; i++)
			if (addr >= start[i] && addr < start[i] + len[i])
				hit = &bus.range[i];
		for (unsigned i = 0; i < 7; i++)
			memory[i].n = 0;
		bus_write(&bus, addr, 1, 0x5a, 0);
		for (unsigned i = 0; i < 7; i++)
			assert_int_equal(memory[i].n, hit == &bus.range[i]);
	}
}

static void a_range_on_anothers_addresses_is_refused(void **state)
{
	struct memory memory = {0};

	for (uint64_t start = 0; start < 12; start++) {
		for (uint64_t len = 1; len < 12; len++) {
			struct io_bus bus = {0}, before;
			bool overlaps =
				(start < 5 && start + len > 3) || (start < 9 && start + len > 7);

			assert_int_equal(add(&bus, 7, 2, 1, &memory), OK);
			assert_int_equal(add(&bus, 3, 2, 1, &memory), OK);
			before = bus;
			assert_int_equal(add(&bus, start, len, 1, &memory),
					 overlaps ? ERR_OVERLAP : OK);
			assert_int_equal(bus.n, overlaps ? 2 : 3);
			if (overlaps)
				assert_memory_equal(&bus, &before, sizeof(bus));
		}
	}
}

static void a_range_that_makes_no_sense_is_refused(void **state)
{
	static const struct device_class no_read = {.write = memory_write};
	static const struct device_class no_write = {.read = memory_read};
	struct io_bus bus = {0};
	struct memory memory = {0};
	struct io_range range = {.start = 1, .len = 1, .width = 1, .dev = PLACE(&memory)};

	assert_int_equal(io_bus_add(&bus, &range), ERR_INVAL);
	range.class = &no_read;
	assert_int_equal(io_bus_add(&bus, &range), ERR_INVAL);
	range.class = &no_write;
	assert_int_equal(io_bus_add(&bus, &range), ERR_INVAL);
	assert_int_equal(add(&bus, 1, 0, 1, &memory), ERR_INVAL);
	for (unsigned width = 0; width < 20; width++)
		assert_int_equal(add(&bus, 100 * width, 1, width, &memory),
				 width == 1 || width == 2 || width == 4 || width == 8 ? OK
										      : ERR_INVAL);
	assert_int_equal(add(&bus, UINT64_MAX, 2, 1, &memory), ERR_RANGE);
	assert_int_equal(add(&bus, 2000, UINT64_MAX, 1, &memory), ERR_RANGE);
	assert_int_equal(bus.n, 4);
	assert_int_equal(add(&bus, UINT64_MAX, 1, 1, &memory), OK);
	assert_int_equal(bus_read(&bus, UINT64_MAX, 1, 0), 0);
}

static void a_full_bus_says_so(void **state)
{
	struct io_bus bus = {0};
	struct memory memory = {0};

	for (unsigned i = 0; i < IO_BUS_MAX_RANGES; i++)
		assert_int_equal(add(&bus, 2 * i, 1, 1, &memory), OK);
	assert_int_equal(add(&bus, 1, 1, 1, &memory), ERR_NOMEM);
	assert_int_equal(add(&bus, 1000, 1, 1, &memory), ERR_NOMEM);
	assert_int_equal(add(&bus, 2, 1, 1, &memory), ERR_OVERLAP);
	assert_int_equal(bus_read(&bus, 1, 1, 0), 0xff);
	assert_int_equal(bus_read(&bus, 2 * IO_BUS_MAX_RANGES - 2, 1, 0), 0);
}

/* Two ranges, [4,9) and [9,12), and nothing else. Byte n of the world holds n. */
static void setup_world(struct io_bus *bus, struct memory low[1], struct memory high[1],
			unsigned width)
{
	memset(bus, 0, sizeof(*bus));
	memset(low, 0, sizeof(*low));
	memset(high, 0, sizeof(*high));
	assert_int_equal(add(bus, 4, 5, width, low), OK);
	assert_int_equal(add(bus, 9, 3, width, high), OK);
	for (uint8_t i = 0; i < 5; i++)
		low->bytes[i] = 4 + i;
	for (uint8_t i = 0; i < 3; i++)
		high->bytes[i] = 9 + i;
}

static void pieces_are_legal(const struct memory *memory, unsigned width, uint64_t len)
{
	for (unsigned i = 0; i < memory->n; i++) {
		unsigned size = memory->access[i].size;

		assert_true(size == 1 || size == 2 || size == 4 || size == 8);
		assert_true(size <= width && memory->access[i].off + size <= len);
		if (i > 0)
			assert_int_equal(memory->access[i].off,
					 memory->access[i - 1].off + memory->access[i - 1].size);
	}
}

static void a_straddling_access_is_the_sum_of_its_bytes(void **state)
{
	for (unsigned width = 1; width <= 8; width *= 2)
		for (unsigned size = 1; size <= 8; size *= 2)
			for (uint64_t addr = 0; addr < 16; addr++) {
				struct io_bus bus;
				struct memory low, high;
				uint64_t expect = 0;

				for (unsigned i = 0; i < size; i++) {
					uint64_t at = addr + i;

					expect |= (at >= 4 && at < 12 ? at : 0xff) << (8 * i);
				}
				setup_world(&bus, &low, &high, width);
				assert_true(bus_read(&bus, addr, size, 0) == expect);
				pieces_are_legal(&low, width, 5);
				pieces_are_legal(&high, width, 3);

				setup_world(&bus, &low, &high, width);
				bus_write(&bus, addr, size, UINT64_C(0xf7f6f5f4f3f2f1f0), 0);
				pieces_are_legal(&low, width, 5);
				pieces_are_legal(&high, width, 3);
				for (uint64_t at = 4; at < 12; at++) {
					bool hit = at >= addr && at < addr + size;
					uint8_t byte =
						at < 9 ? low.bytes[at - 4] : high.bytes[at - 9];

					assert_int_equal(byte, hit ? 0xf0 + at - addr : at);
				}
				assert_int_equal(low.bytes[5] | high.bytes[3], 0);
			}
}

static void the_wishes_of_all_pieces_are_returned(void **state)
{
	struct io_bus bus;
	struct memory low, high;

	setup_world(&bus, &low, &high, 1);
	assert_int_equal(bus_write(&bus, 5, 1, 0x41, 0), 0x41);
	assert_int_equal(bus_write(&bus, 8, 2, 0x0410, 0), 0x14);
	assert_int_equal(bus_write(&bus, 11, 4, 0x80402001, 0), 0x01);
	assert_int_equal(bus_write(&bus, 12, 4, UINT32_MAX, 0), 0);
}

static void addresses_do_not_wrap(void **state)
{
	struct io_bus bus = {0};
	struct memory top = {.bytes = {0x11, 0x22}}, bottom = {.bytes = {0x33, 0x44}};

	assert_int_equal(add(&bus, UINT64_MAX - 1, 2, 4, &top), OK);
	assert_int_equal(add(&bus, 0, 2, 4, &bottom), OK);
	assert_int_equal(bus_read(&bus, UINT64_MAX - 1, 4, 0), 0xffff2211);
	bus_write(&bus, UINT64_MAX, 4, 0, 0);
	assert_int_equal(top.bytes[1], 0);
	assert_int_equal(bottom.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_reaches_its_device_whole),
		cmocka_unit_test(nobody_reads_as_ones_and_swallows_writes),
		cmocka_unit_test(ranges_are_found_whatever_the_order),
		cmocka_unit_test(ranges_that_are_guessed_alike_are_all_found),
		cmocka_unit_test(a_range_on_anothers_addresses_is_refused),
		cmocka_unit_test(a_range_that_makes_no_sense_is_refused),
		cmocka_unit_test(a_full_bus_says_so),
		cmocka_unit_test(a_straddling_access_is_the_sum_of_its_bytes),
		cmocka_unit_test(the_wishes_of_all_pieces_are_returned),
		cmocka_unit_test(addresses_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
