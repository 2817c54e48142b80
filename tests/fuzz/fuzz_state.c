/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a VM's state: after a valid head; or, if the first byte is odd, written over a good
 * file at the offset that the next two bytes give. The mutator prefers the latter, and spreads the
 * offsets over the sections: most of the file is the area of XSAVE.
 */
#include "hv/devices/lapic_timer.h"
#include "hv/lib/crc32.h" /* crc32_add(), which is replaced here */
#include "hv/vm/state.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/vm_state_vm.h"

#define FILE_MAX (1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define SECTIONS_MAX 64
#define PATCH_HEAD   3 /* an odd byte, and the offset */
#define PATCH_MAX    16

static struct state_vm from, to;
static uint8_t good[FILE_MAX], file[FILE_MAX];
static size_t good_len;
static size_t section_at[SECTIONS_MAX + 1], n_sections; /* the last one: where the file ends */
static const struct saved_head head = {.id = 0x1234};
static struct vm_state_host host = {NULL, 1000000000, 1000, UINT64_C(1700000000000000000), "0.0.0"};

/* A checksum that is always right: computing it, with each comparison traced, took most of the
 * time. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
	(void)crc;
	(void)data;
	(void)len;
	return 0;
}

static void find_sections(void)
{
	uint32_t size;

	for (size_t at = STATE_HEAD_SIZE; at < good_len && n_sections < SECTIONS_MAX;
	     at += STATE_NAME_SIZE + 8 + size) {
		section_at[n_sections++] = at;
		memcpy(&size, good + at + STATE_NAME_SIZE + 4, 4);
	}
	section_at[n_sections] = good_len;
}

static void make_once(void)
{
	if (good_len > 0)
		return;
	host.cpuid = state_host_cpuid();
	state_vm_make(&from, host.cpuid);
	state_vm_make(&to, host.cpuid);
	state_vm_fill(&from);
	good_len = vm_state_size(from.vm);
	vm_state_write(from.vm, &host, &head, good);
	find_sections();
}

/* Returns the file's length. */
static size_t make_file(const uint8_t *data, size_t size)
{
	size_t at = STATE_HEAD_SIZE, len = STATE_HEAD_SIZE + size;

	memcpy(file, good, good_len);
	if (size >= PATCH_HEAD && data[0] & 1) {
		at += (data[1] | (size_t)data[2] << 8) % (good_len - STATE_HEAD_SIZE);
		data += PATCH_HEAD;
		size -= PATCH_HEAD;
		len = at + size > good_len ? at + size : good_len;
	}
	memcpy(file + at, data, size);
	return len;
}

/* Any place in the head or the first 256 bytes of any section. */
static size_t choose_place(unsigned seed)
{
	size_t n = seed % n_sections, len = section_at[n + 1] - section_at[n];

	return section_at[n] + seed / n_sections % (len < 256 ? len : 256) - STATE_HEAD_SIZE;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t place;

	make_once();
	if (seed % 4 == 0 || max_size < PATCH_HEAD + PATCH_MAX)
		return LLVMFuzzerMutate(data, size, max_size);
	if (size < PATCH_HEAD + 1 || size > PATCH_HEAD + PATCH_MAX) {
		memset(data, 0, PATCH_HEAD + 1);
		size = PATCH_HEAD + 1;
	}
	place = choose_place(seed / 4);
	data[0] = 1;
	data[1] = (uint8_t)place;
	data[2] = (uint8_t)(place >> 8);
	return PATCH_HEAD + LLVMFuzzerMutate(data + PATCH_HEAD, size - PATCH_HEAD, PATCH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vm_state_file in = {.data = file, .model = &to.model};
	size_t len;

	make_once();
	if (size > FILE_MAX / 2)
		return 0;
	len = make_file(data, size);
	memcpy(file + 16, &len, 8);
	memset(file + 12, 0, 4);
	in.len = len;
	if (vm_state_read(to.vm, &host, &in) != OK) {
		if (in.why[0] == '\0')
			abort();
		return 0; /* a VM that is refused does not run */
	}
	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		lapic_update_timer(&to.vm->platform.irqchip.lapic[i], UINT64_MAX);
	return 0;
}
