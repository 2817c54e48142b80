/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read and write guest-physical memory on a guest's behalf. The regions
 * determine what is allowed, and the EPT where the bytes are. Device windows
 * that the EPT maps for the processor are therefore not memory here.
 */
#include "hv/guest/guest_memory.h"

#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

/* Whether all of [gpa, gpa + len) is memory. */
static bool has_memory(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	uint64_t end;

	if (__builtin_add_overflow(gpa.raw, len, &end))
		return false;
	while (gpa.raw < end) {
		const struct mem_region *region = guest_region(memory, gpa);

		if (region == NULL)
			return false;
		gpa = gpa_add(region->gpa, region->len);
	}
	return true;
}

bool guest_can_write(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	uint64_t end;

	if (!has_memory(memory, gpa, len))
		return false;
	end = gpa.raw + len;
	while (gpa.raw < end) {
		const struct mem_region *region = guest_region(memory, gpa);

		if (region->kind == MEM_ROM)
			return false;
		gpa = gpa_add(region->gpa, region->len);
	}
	return true;
}

/* The byte of gpa in the page that an EPT entry maps. */
static void *byte_at(uint64_t entry, unsigned level, gpa_t gpa)
{
	uint64_t offset = gpa.raw & ((PAGE_SIZE << (9 * level)) - 1);

	return phys_to_virt((entry & EPT_ADDR) + offset);
}

const void *guest_byte(struct guest_memory *memory, gpa_t gpa)
{
	unsigned level;
	uint64_t entry;

	if (guest_region(memory, gpa) == NULL)
		return NULL;
	entry = ept_lookup(memory->ept, gpa, &level);
	if (!(entry & EPT_MAPPED)) /* the page of a GUID: see hv/vm/vm_identity.h */
		return byte_at(ept_zero_frame(), 0, gpa);
	return byte_at(entry, level, gpa);
}

enum status guest_read(struct guest_memory *memory, gpa_t gpa, void *buf, size_t len)
{
	char *to = buf;

	if (part_in_page(gpa.raw, len) < len && !has_memory(memory, gpa, len))
		return ERR_RANGE;
	while (len > 0) {
		uint64_t n = part_in_page(gpa.raw, len);
		const void *from = guest_byte(memory, gpa);

		if (from == NULL)
			return ERR_RANGE;
		memcpy(to, from, n);
		gpa = gpa_add(gpa, n);
		to += n;
		len -= n;
	}
	return OK;
}

/* Shared memory: the byte is the image's, even if the tree currently denies writes. */
static void *shared_byte(struct guest_memory *memory, const struct mem_region *region, gpa_t gpa)
{
	unsigned level;
	uint64_t entry = ept_lookup(memory->ept, gpa, &level);
	void *byte = byte_at(entry, level, gpa);

	assert(entry & EPT_R);
	assert(region->image == NULL || virt_to_phys(byte) == region->image->base + region->offset +
								      (gpa.raw - region->gpa.raw));
	return byte;
}

/*
 * Where a byte may be written, valid for the rest of the page. '*ret' is NULL if
 * the write is dropped, which is counted. ERR_RANGE: it is not memory. There is
 * no other way to write: frames of layers, and of images that are not shared,
 * are out of reach.
 */
static enum status writable_byte(struct guest_memory *memory, gpa_t gpa, void **ret)
{
	const struct mem_region *region = guest_region(memory, gpa);
	unsigned level;
	uint64_t entry;
	phys_t frame;

	*ret = NULL;
	if (region == NULL)
		return ERR_RANGE;
	if (region->kind == MEM_ROM) {
		guest_note_drop(memory, region);
		return OK;
	}
	if (region->kind == MEM_SHARED) {
		*ret = shared_byte(memory, region, gpa);
		return OK;
	}
	entry = ept_lookup(memory->ept, gpa, &level);
	frame = ept_frame_at(entry, level, gpa);
	if (!(entry & EPT_OWN)) {
		if (!(entry & EPT_MAPPED))
			TRY(region_map_page(memory->ept, region, gpa));
		TRY(region_copy_page(memory->ept, region, gpa, &frame));
	}
	*ret = phys_to_virt(frame + gpa.raw % PAGE_SIZE);
	return OK;
}

enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len)
{
	const char *from = buf;

	if (part_in_page(gpa.raw, len) < len && !has_memory(memory, gpa, len))
		return ERR_RANGE;
	while (len > 0) {
		uint64_t n = part_in_page(gpa.raw, len);
		void *to;

		TRY(writable_byte(memory, gpa, &to));
		if (to != NULL)
			memcpy(to, from, n);
		gpa = gpa_add(gpa, n);
		from += n;
		len -= n;
	}
	return OK;
}

enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	if (part_in_page(gpa.raw, len) < len && !has_memory(memory, gpa, len))
		return ERR_RANGE;
	while (len > 0) {
		uint64_t n = part_in_page(gpa.raw, len);
		void *to;

		TRY(writable_byte(memory, gpa, &to));
		if (to != NULL)
			memset(to, 0, n);
		gpa = gpa_add(gpa, n);
		len -= n;
	}
	return OK;
}

enum status guest_prepare_write(struct guest_memory *memory, gpa_t gpa)
{
	void *byte;

	if (guest_region(memory, gpa)->kind == MEM_ROM)
		return OK; /* the write will be dropped, and counted then */
	return writable_byte(memory, gpa, &byte);
}

enum status guest_set_bits(struct guest_memory *memory, gpa_t gpa, uint8_t bits)
{
	void *byte;

	TRY(writable_byte(memory, gpa, &byte));
	/* Atomic: another vCPU may change the same byte without the VM's lock. */
	if (byte != NULL)
		__atomic_fetch_or((uint8_t *)byte, bits, __ATOMIC_SEQ_CST);
	return OK;
}
