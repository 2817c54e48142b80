/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Actions with virtio devices ("VIRTIO Version 1.2", "Virtio Over MMIO"): drivers that set a device
 * up as they should, and then fill its rings with anything. Rings and buffers lie in memory of
 * every kind, and often enough where a device can use them. A device may write to no other memory
 * of the guest's: what an actor or the keeper needs is not in one of the kinds.
 */
#include "tests/guest/hostile/hostile.h"
#include "tests/guest/hostile/log.h"

#define SLOTS	   UINT64_C(0xfeb00000)
#define SLOT_SIZE  512
#define N_SLOTS	   8
#define N_QUEUES   3
#define N_DESC	   16 /* that are filled */
#define N_NOTIFIED 6

enum mmio_register {
	DEVICE_ID = 0x8,
	DRIVER_FEATURES = 0x20,
	DRIVER_FEATURES_SELECT = 0x24,
	QUEUE_SELECT = 0x30,
	QUEUE_SIZE = 0x38,
	QUEUE_READY = 0x44,
	QUEUE_NOTIFY = 0x50,
	INTERRUPT_STATUS = 0x60,
	INTERRUPT_ACK = 0x64,
	STATUS = 0x70,
	QUEUE_DESC = 0x80,
	QUEUE_DRIVER = 0x90,
	QUEUE_DEVICE = 0xa0,
};

#define USED	    BIT(0) /* of the interrupt's status */
#define NEEDS_RESET BIT(6)
#define ID_BALLOON  5
#define VERSION_1   BIT(0) /* of the upper half of the features */
#define RING_PACKED BIT(2)

/* Of a split ring; a packed one has the identifier and the flags in the other order. */
struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

#define DESC_FLAGS  7	  /* NEXT, WRITE, INDIRECT */
#define DESC_AVAIL  0x80u /* of a packed ring */
#define DESC_PACKED 0x8087u

static volatile uint32_t *reg(uint64_t slot, uint32_t offset)
{
	return (volatile uint32_t *)(slot + offset);
}

static void set(uint64_t slot, uint32_t offset, uint64_t value)
{
	*reg(slot, offset) = (uint32_t)value;
}

/*
 * Each part of a queue and what the queue names has pages of its own: an answer of the device's,
 * read as a descriptor, would send the device to the log or to code.
 */
enum part { PART_DESC, PART_DRIVER, PART_DEVICE, PART_DATA };
#define PART_SIZE UINT64_C(0x8000)

static uint64_t part_page(struct actor *a, enum part part)
{
	return (kind_page(a, KIND_PRIVATE) & ~(3 * PART_SIZE)) | part * PART_SIZE;
}

/* Anywhere in a page of the kinds from 'first' on and below 'n'. */
static uint64_t at_kind(struct actor *a, unsigned first, unsigned n)
{
	enum kind kind = (enum kind)(first + random_below(&a->random, n - first));
	uint64_t page = kind == KIND_PRIVATE ? part_page(a, PART_DATA) : kind_page(a, kind);

	return page + random_below(&a->random, PAGE_SIZE);
}

static uint64_t buffer_at(struct actor *a, unsigned n)
{
	return at_kind(a, KIND_PRIVATE, n);
}

/* Where the part can be, or seldom where it cannot. */
static uint64_t ring_at(struct actor *a, enum part part)
{
	return random_once_in(&a->random, 48) ? at_kind(a, KIND_ROM, N_KINDS) : part_page(a, part);
}

static void set_address(uint64_t slot, uint32_t offset, uint64_t address)
{
	set(slot, offset, address);
	set(slot, offset + 4, address >> 32);
}

static uint32_t any_length(struct actor *a)
{
	static const uint32_t lengths[] = {0,	1,    4,     8,	     12,	 16,
					   512, 4096, 65536, 262144, 0x7fffffff, UINT32_MAX};

	return random_of_list(&a->random, lengths);
}

static uint32_t any_size(struct actor *a)
{
	static const uint32_t sizes[] = {8, 256, 1, 2, 0, 7, 257, 0x8000, 0x10010};

	return random_once_in(&a->random, 8) ? random_of_list(&a->random, sizes) : N_DESC;
}

/* Flags and the next one, or a packed ring's identifier and flags. */
static void fill_link(struct actor *a, struct descriptor *ret, bool is_packed)
{
	uint16_t flags =
		(uint16_t)(random_next(&a->random) & (is_packed ? DESC_PACKED : DESC_FLAGS));
	uint16_t number = (uint16_t)random_below(&a->random, N_DESC);

	if (!random_once_in(&a->random, 6))
		flags &= (uint16_t)~4u; /* few tables of descriptors, which lie anywhere */
	if (random_once_in(&a->random, 24))
		number = (uint16_t)random_next(&a->random);
	if (is_packed && !random_once_in(&a->random, 8))
		flags = (uint16_t)((flags & 3) | DESC_AVAIL);
	ret->flags = is_packed ? number : flags;
	ret->next = is_packed ? flags : number;
}

static void fill_descriptors(struct actor *a, uint64_t at, bool is_packed)
{
	struct descriptor *table = (struct descriptor *)at;

	for (unsigned i = 0; i < N_DESC; i++) {
		table[i].address = buffer_at(a, random_once_in(&a->random, 8) ? N_KINDS : N_MEMORY);
		table[i].length = any_length(a);
		fill_link(a, &table[i], is_packed);
	}
}

/* A disk's request: its type and sector, a buffer, and a byte for the status. */
static void fill_request(struct actor *a, uint64_t at)
{
	static const uint32_t types[] = {0, 0, 1, 1, 1, 4, 8, 11, 13, 2, UINT32_MAX};
	struct descriptor *table = (struct descriptor *)at;
	uint64_t header = part_page(a, PART_DATA);
	uint32_t type = random_of_list(&a->random, types);

	((uint32_t *)header)[0] = type;
	((uint64_t *)header)[1] = random_once_in(&a->random, 4) ? random_value(&a->random)
								: random_below(&a->random, 64);
	table[0] = (struct descriptor){header, 16, 1, 1};
	table[1] = (struct descriptor){buffer_at(a, N_MEMORY), any_length(a),
				       type == 0 || type == 8 ? 3 : 1, 2};
	table[2] = (struct descriptor){part_page(a, PART_DATA), 1, 2, 0};
}

/* A balloon's list of page numbers: pages of the kinds, so that the guest's own ones stay. */
static void fill_pages(struct actor *a, uint64_t at)
{
	struct descriptor *table = (struct descriptor *)at;

	for (unsigned i = 0; i < N_DESC; i++) {
		uint32_t *list = (uint32_t *)part_page(a, PART_DATA);
		unsigned n = 1 + (unsigned)random_below(&a->random, 64);

		for (unsigned j = 0; j < n; j++)
			list[j] = (uint32_t)(kind_page(a, (enum kind)random_below(&a->random,
										  N_KINDS)) /
					     PAGE_SIZE);
		table[i] = (struct descriptor){(uint64_t)(uintptr_t)list, n * 4, 0, 0};
	}
}

static void fill_ring(struct actor *a, uint64_t at)
{
	struct {
		uint16_t flags, index, ring[N_DESC];
	} *avail = (void *)at;

	avail->flags = random_once_in(&a->random, 8);
	avail->index =
		(uint16_t)(random_once_in(&a->random, 12) ? random_next(&a->random)
							  : random_below(&a->random, N_DESC));
	for (unsigned i = 0; i < N_DESC; i++)
		avail->ring[i] = (uint16_t)(random_once_in(&a->random, 16)
						    ? random_next(&a->random)
						    : random_below(&a->random, N_DESC));
}

static void fill_queue(struct actor *a, uint64_t slot, bool is_packed)
{
	uint64_t desc = ring_at(a, PART_DESC), driver = ring_at(a, PART_DRIVER),
		 device = ring_at(a, PART_DEVICE);

	set(slot, QUEUE_SIZE, any_size(a));
	if (!random_once_in(&a->random, 8)) {
		desc &= ~UINT64_C(0xff);
		driver &= ~UINT64_C(0xff);
		device &= ~UINT64_C(0xff);
	}
	if (*reg(slot, DEVICE_ID) == ID_BALLOON)
		fill_pages(a, desc);
	else
		fill_descriptors(a, desc, is_packed);
	if (!is_packed && random_once_in(&a->random, 2))
		fill_request(a, desc);
	fill_ring(a, driver);
	set_address(slot, QUEUE_DESC, desc);
	set_address(slot, QUEUE_DRIVER, driver);
	set_address(slot, QUEUE_DEVICE, device);
	set(slot, QUEUE_READY, 1);
}

/* Set up with queues that hold anything. A balloon's are split: see fill_pages(). */
static void set_up(struct actor *a, uint64_t slot)
{
	bool is_packed = *reg(slot, DEVICE_ID) != ID_BALLOON && random_once_in(&a->random, 3);

	set(slot, STATUS, 0);
	set(slot, STATUS, 3);
	set(slot, DRIVER_FEATURES_SELECT, 0);
	set(slot, DRIVER_FEATURES, random_once_in(&a->random, 4) ? random_next(&a->random) : 0);
	set(slot, DRIVER_FEATURES_SELECT, 1);
	set(slot, DRIVER_FEATURES, VERSION_1 | (is_packed ? RING_PACKED : 0));
	set(slot, STATUS, 11);
	for (uint32_t i = 0; i < N_QUEUES; i++) {
		set(slot, QUEUE_SELECT, i);
		fill_queue(a, slot, is_packed);
	}
	set(slot, STATUS, 15);
}

static void any_register(struct actor *a, uint64_t slot)
{
	uint32_t offset = (uint32_t)random_below(&a->random, SLOT_SIZE / 4) * 4;

	if (random_once_in(&a->random, 2))
		(void)*reg(slot, offset);
	else
		set(slot, offset, random_value(&a->random));
}

/* The counts show that rings were of use to the devices. */
static void count_answer(uint64_t slot)
{
	if (*reg(slot, INTERRUPT_STATUS) & USED)
		__atomic_fetch_add(&the_log->n_answered, 1, __ATOMIC_RELAXED);
	if (*reg(slot, DEVICE_ID) != 0 && *reg(slot, STATUS) & NEEDS_RESET)
		__atomic_fetch_add(&the_log->n_broken, 1, __ATOMIC_RELAXED);
}

void do_rings(struct actor *a)
{
	uint64_t slot = SLOTS + SLOT_SIZE * random_below(&a->random, N_SLOTS);

	if (!random_once_in(&a->random, 4))
		set_up(a, slot);
	for (unsigned i = 0; i < N_NOTIFIED; i++)
		set(slot, QUEUE_NOTIFY, random_below(&a->random, N_QUEUES + 1));
	count_answer(slot);
	any_register(a, slot);
	set(slot, INTERRUPT_ACK, random_below(&a->random, 4));
}

/* No device may write to what the next action uses. */
void reset_rings(void)
{
	for (unsigned i = 0; i < N_SLOTS; i++)
		set(SLOTS + SLOT_SIZE * i, STATUS, 0);
}
