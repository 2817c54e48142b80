/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports and MMIO: which device is at an address. On the path of every port exit, so the common
 * case, one access inside one range, is a guess and a call. All other accesses are split into
 * pieces, slowly. Assumes that ranges are added before the VM runs. Does not decode instructions
 * and knows no particular device.
 */
#include "hv/devices/bus.h"

#include "hv/lib/string.h"

/* The number of ranges that start at or below addr. */
static unsigned bus_search(const struct io_bus *bus, uint64_t addr)
{
	unsigned low = 0, n = bus->n;

	while (n > 0) {
		unsigned half = n / 2;

		if (bus->start[low + half] <= addr) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

static bool range_holds(const struct io_range *range, uint64_t addr)
{
	return addr - range->start < range->len;
}

/* The range that holds the byte at addr. */
static const struct io_range *bus_find(const struct io_bus *bus, uint64_t addr)
{
	unsigned above = bus_search(bus, addr);

	if (above == 0 || !range_holds(&bus->range[above - 1], addr))
		return NULL;
	return &bus->range[above - 1];
}

/* A range that may hold addr. On an empty bus, a range that holds nothing. */
static const struct io_range *bus_guess(const struct io_bus *bus, uint64_t addr)
{
	return &bus->range[bus->guess[addr / IO_BUS_GUESS_UNIT % IO_BUS_GUESSES]];
}

static void bus_learn_guesses(struct io_bus *bus)
{
	for (unsigned i = 0; i < bus->n; i++) {
		uint64_t first = bus->range[i].start / IO_BUS_GUESS_UNIT;
		uint64_t last = (bus->range[i].start + bus->range[i].len - 1) / IO_BUS_GUESS_UNIT;

		for (uint64_t n = 0; n < IO_BUS_GUESSES && n <= last - first; n++)
			bus->guess[(first + n) % IO_BUS_GUESSES] = (uint8_t)i;
	}
}

/*
 * Whether the access lies entirely in the range and the device can take it in one piece. No range
 * is shorter than its width, except the zeros of an empty bus, whose width is 0.
 */
static bool range_takes(const struct io_range *range, uint64_t addr, unsigned size)
{
	return size <= range->width && addr - range->start <= range->len - size;
}

/* A table, because the shifts would cost more. */
static uint64_t low_bytes(uint64_t value, unsigned size)
{
	static const uint64_t masks[] = {
		[1] = UINT8_MAX, [2] = UINT16_MAX, [4] = UINT32_MAX, [8] = UINT64_MAX};

	return value & masks[size];
}

/* The largest access of the device that fits the range. */
static unsigned width_within(const struct io_range *range)
{
	unsigned width = range->width;

	while (width > range->len)
		width /= 2;
	return width;
}

static bool io_range_is_valid(const struct io_range *range)
{
	return range->len != 0 && range->class != NULL && range->class->read != NULL &&
	       range->class->write != NULL && range->width != 0 && range->width <= 8 &&
	       (range->width & (range->width - 1)) == 0;
}

enum status io_bus_add(struct io_bus *bus, const struct io_range *range)
{
	uint64_t last;
	unsigned at;

	if (!io_range_is_valid(range))
		return ERR_INVAL;
	if (__builtin_add_overflow(range->start, range->len - 1, &last))
		return ERR_RANGE;
	/* A range that starts at or below our last byte must end before our first. */
	at = bus_search(bus, last);
	if (at > 0) {
		const struct io_range *below = &bus->range[at - 1];

		if (below->start >= range->start || range->start - below->start < below->len)
			return ERR_OVERLAP;
	}
	if (bus->n == IO_BUS_MAX_RANGES)
		return ERR_NOMEM;
	memmove(&bus->range[at + 1], &bus->range[at], (bus->n - at) * sizeof(bus->range[0]));
	memmove(&bus->start[at + 1], &bus->start[at], (bus->n - at) * sizeof(bus->start[0]));
	bus->range[at] = *range;
	bus->range[at].width = width_within(range);
	bus->start[at] = range->start;
	bus->n++;
	bus_learn_guesses(bus);
	return OK;
}

/* The first piece of an access: its range and size. An unclaimed piece is one byte. */
static const struct io_range *bus_first_piece(const struct io_bus *bus, uint64_t addr,
					      unsigned left, unsigned *ret_size)
{
	const struct io_range *range = bus_find(bus, addr);
	unsigned size = 8;

	*ret_size = 1;
	if (range == NULL)
		return NULL;
	while (size > left || !range_takes(range, addr, size))
		size /= 2;
	*ret_size = size;
	return range;
}

#define SLOW_PATH __attribute__((noinline, cold))

static uint64_t range_read(const struct io_range *range, void *devices, struct io_access *access)
{
	access->off = access->addr - range->start;
	return low_bytes(range->class->read((char *)devices + range->dev, access), access->size);
}

static uint32_t range_write(const struct io_range *range, void *devices, struct io_access *access)
{
	access->off = access->addr - range->start;
	access->value = low_bytes(access->value, access->size);
	return range->class->write((char *)devices + range->dev, access);
}

SLOW_PATH static uint64_t bus_read_pieces(const struct io_bus *bus, void *devices,
					  const struct io_access *access)
{
	uint64_t value = low_bytes(UINT64_MAX, access->size);
	struct io_access piece = *access;

	for (unsigned done = 0; done < access->size && piece.addr >= access->addr;
	     done += piece.size, piece.addr += piece.size) {
		const struct io_range *range =
			bus_first_piece(bus, piece.addr, access->size - done, &piece.size);

		if (range == NULL)
			continue;
		value &= ~(low_bytes(UINT64_MAX, piece.size) << (8 * done));
		value |= range_read(range, devices, &piece) << (8 * done);
	}
	return value;
}

SLOW_PATH static uint32_t bus_write_pieces(const struct io_bus *bus, void *devices,
					   const struct io_access *access)
{
	struct io_access piece = *access;
	uint32_t wish = 0;

	for (unsigned done = 0; done < access->size && piece.addr >= access->addr;
	     done += piece.size, piece.addr += piece.size) {
		const struct io_range *range =
			bus_first_piece(bus, piece.addr, access->size - done, &piece.size);

		piece.value = access->value >> (8 * done);
		if (range != NULL)
			wish |= range_write(range, devices, &piece);
	}
	return wish;
}

uint64_t io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access)
{
	const struct io_range *range = bus_guess(bus, access->addr);

	if (!range_takes(range, access->addr, access->size))
		return bus_read_pieces(bus, devices, access);
	return range_read(range, devices, access);
}

uint32_t io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access)
{
	const struct io_range *range = bus_guess(bus, access->addr);

	if (!range_takes(range, access->addr, access->size))
		return bus_write_pieces(bus, devices, access);
	return range_write(range, devices, access);
}
