/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that gives away any pages: 8 bytes of input for each chain, each change of memory and
 * each piece of work. The memory is a clone's, in a real tree, with a region of each kind. The
 * oracle: what is shared, read-only, hidden or the template's has its bytes, no frame is lost or
 * free twice, a piece of work frees at most 64, a frame is free only after the piece, and a page
 * that was given away reads as zeros.
 */
#include "hv/ept/merged.h"
#include "hv/guest/discard.h"
#include "hv/guest/hidden_memory.h"
#include "hv/virtio/virtio_balloon.h"
#include "tests/fuzz/virtio_fuzz.h"
#include "tests/unit/ept_freeze.h"

#define DISK MEM_HIDDEN_START

static const struct virtio_config configs[] = {
	{.kind = &virtio_balloon, .features = VIRTIO_BALLOON_F_REPORTING},
	{.kind = &virtio_balloon, .n_absent = 1},
};
static struct ept_layer *layer;
static uint64_t n_frames; /* that are free, or the tree's */

/* Pages from a place of interest on: step[2] says which, step[3] how many. */
static uint64_t place(const uint8_t *step)
{
	static const uint64_t places[] = {ROM,		COW,	       SHM, RAM,
					  RAM + MIB(4), RAM + RAM_LEN, 0,   UINT64_C(0xfeb00000)};

	return places[step[2] % ARRAY_SIZE(places)] + step[4] * PAGE_SIZE;
}

static void inflate(const uint8_t *step)
{
	for (uint32_t i = 0; i < step[3]; i++)
		put(BUFFER_AT(0) + 4 * i,
		    &(uint32_t){(uint32_t)(place(step) / PAGE_SIZE) + i * step[5]}, 4);
	offer(0, 4u * step[3] + step[6] % 4, 0);
}

static void report(const uint8_t *step)
{
	offer_at(VIRTIO_BALLOON_REPORT, place(step) + step[5], step[3] * 0x8000u + step[6], 2);
}

static void check_frames(const struct discard *discard)
{
	assert(frame_available() + ept.n_owned + discard->n == n_frames);
}

static void work(void)
{
	struct discard discard = {0};
	struct virtio_host host = {.memory = &memory, .discard = &discard};
	uint64_t free = frame_available();

	assert(virtio_serve(&device, &host) == OK);
	assert(discard.n <= DISCARD_MAX && frame_available() <= free);
	check_frames(&discard);
	discard_free(&discard);
}

static void act(const uint8_t *step)
{
	switch (step[0] % 6) {
	case 0:
		start(virtio_features(&device));
		break;
	case 1: /* anything, in the queues and buffers */
		put(RAM + (step[1] | step[2] << 8) % (AREA * VIRTIO_BALLOON_QUEUES), step + 4, 4);
		break;
	case 2:
		inflate(step);
		break;
	case 3:
		report(step);
		break;
	case 4: /* pages of the clone's own */
		for (unsigned i = 0; i < step[3]; i++)
			put(RAM + MIB(4) + i * PAGE_SIZE, "own", 4);
		break;
	case 5:
		for (unsigned i = 0; i <= step[2] % 16u; i++)
			work();
		break;
	}
}

/* What was there before the first step, at each page's begin: the pattern, or the template's mark.
 */
static void check_others(void)
{
	const uint8_t *bytes = phys_to_virt(IMAGE);
	unsigned level;

	for (uint64_t i = 0; i < MIB(4); i += PAGE_SIZE)
		assert(bytes[i] == pattern(i));
	for (uint64_t i = 0; i < MIB(2); i += PAGE_SIZE) {
		uint64_t entry = ept_lookup_below(&ept, at(RAM + MIB(4) + i), &level);

		assert(memcmp(phys_to_virt(entry & EPT_ADDR), "tmpl", 4) == 0 || i >= MIB(1));
	}
	assert(*(const uint8_t *)hidden_byte(&memory, at(DISK)) == 0x77);
}

/* A driver that keeps to the rules gives a page away. */
static void check_answer(void)
{
	uint32_t word = 5;

	start(virtio_features(&device));
	put(RAM + MIB(6), &word, 4);
	inflate((const uint8_t[STEP]){2, 0, 3, 1, 0, 0});
	put(BUFFER_AT(0), &(uint32_t){(uint32_t)((RAM + MIB(6)) / PAGE_SIZE)}, 4);
	while (virtio_has_work(&device))
		work();
	assert(!(device.status & VIRTIO_NEEDS_RESET));
	assert(guest_read(&memory, at(RAM + MIB(6)), &word, 4) == OK && word == 0);
}

static void begin(void)
{
	static bool is_set_up;
	uint8_t byte = 0x77;

	if (is_set_up)
		ept_reset(&ept), ept_reclaim(&ept);
	else {
		merged_reset();
		(void)setup(NULL);
		add(DISK, MIB(1), MEM_COW, NULL, 0);
		for (uint64_t i = 0; i < MIB(1); i += PAGE_SIZE)
			put(RAM + MIB(4) + i, "tmpl", 4);
		assert(freeze_tree(&ept, &layer) == OK);
		is_set_up = true;
	}
	n_frames = frame_available() + ept.n_owned;
	assert(hidden_write(&memory, at(DISK), &byte, 1) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin();
	virtio_init(&device, &configs[data[0] % ARRAY_SIZE(configs)]);
	start(virtio_features(&device));
	for (size_t i = 1; i + STEP <= size; i += STEP)
		act(data + i);
	check_answer();
	check_others();
	return 0;
}
