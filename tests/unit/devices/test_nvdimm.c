/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/nvdimm.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define SIZE KIB(128)

static struct nvdimm nvdimm;
static uint8_t window[NVDIMM_WINDOW_SIZE];
static uint8_t *rw, *ro; /* from the heap, so that the sanitizer checks their ends */

static int setup(void **state)
{
	static struct nvdimm_labels labels[] = {{.handle = 1, .size = SIZE},
						{.handle = 7, .size = SIZE}};

	labels[0].bytes = labels[0].writable = rw = malloc(SIZE);
	labels[1].bytes = ro = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		rw[i] = (uint8_t)(i * 7 ^ i >> 8);
		ro[i] = (uint8_t)~rw[i];
	}
	memset(&nvdimm, 0, sizeof(nvdimm));
	memset(window, 0, sizeof(window));
	nvdimm.window = window;
	nvdimm.labels = labels;
	nvdimm.n_labels = ARRAY_SIZE(labels);
	return 0;
}

static int teardown(void **state)
{
	free(rw);
	free(ro);
	return 0;
}

static void mmio_write(uint64_t off, unsigned size, uint64_t value)
{
	struct io_access access = {.off = off, .size = size, .value = value};

	assert_int_equal(nvdimm_class.write(&nvdimm, &access), 0);
}

static uint64_t mmio_read(uint64_t off, unsigned size)
{
	return nvdimm_class.read(&nvdimm, &(struct io_access){.off = off, .size = size});
}

static void set(uint64_t reg, uint32_t value)
{
	mmio_write(reg, 4, value);
}

static uint32_t get(uint64_t reg)
{
	return (uint32_t)mmio_read(reg, 4);
}

static uint32_t go(uint32_t handle, uint32_t command, uint32_t offset, uint32_t length)
{
	set(NVDIMM_REG_HANDLE, handle);
	set(NVDIMM_REG_OFFSET, offset);
	set(NVDIMM_REG_LENGTH, length);
	set(NVDIMM_REG_GO, command);
	return get(NVDIMM_REG_GO);
}

static void sizes_are_told(void **state)
{
	set(NVDIMM_REG_HANDLE, 1);
	assert_int_equal(get(NVDIMM_REG_SIZE), SIZE);
	assert_int_equal(get(NVDIMM_REG_MAX), NVDIMM_WINDOW_SIZE);
	set(NVDIMM_REG_HANDLE, 7);
	assert_int_equal(get(NVDIMM_REG_SIZE), SIZE);
	for (uint32_t handle = 0; handle < 20; handle++) {
		set(NVDIMM_REG_HANDLE, handle);
		assert_int_equal(get(NVDIMM_REG_HANDLE), handle);
		assert_int_equal(get(NVDIMM_REG_SIZE), handle == 1 || handle == 7 ? SIZE : 0);
	}
}

static void all_labels_can_be_read(void **state)
{
	for (uint32_t off = 0; off < SIZE; off += NVDIMM_WINDOW_SIZE) {
		assert_int_equal(go(7, NVDIMM_GET_LABELS, off, NVDIMM_WINDOW_SIZE), NVDIMM_SUCCESS);
		for (unsigned i = 0; i < NVDIMM_WINDOW_SIZE; i += 8) {
			uint64_t word = mmio_read(NVDIMM_WINDOW + i, 8);

			assert_memory_equal(&word, ro + off + i, 8);
		}
	}
}

static void writes_reach_the_labels_and_nothing_else(void **state)
{
	uint8_t before[SIZE];

	memcpy(before, rw, SIZE);
	mmio_write(NVDIMM_WINDOW, 8, UINT64_C(0x8877665544332211));
	mmio_write(NVDIMM_WINDOW + 8, 1, 0x99);
	assert_int_equal(go(1, NVDIMM_SET_LABELS, 0x1ff9, 9), NVDIMM_SUCCESS);
	for (unsigned i = 0; i < 9; i++)
		before[0x1ff9 + i] = (uint8_t)(0x11 * (i + 1));
	assert_memory_equal(rw, before, SIZE);
	assert_int_equal(go(1, NVDIMM_GET_LABELS, 0x1ff8, 16), NVDIMM_SUCCESS);
	assert_memory_equal(nvdimm.window, before + 0x1ff8, 16);
}

/* As in QEMU: status 1, but only for a range that would be valid. */
static void read_only_labels_are_not_written(void **state)
{
	uint8_t before[SIZE];

	memcpy(before, ro, SIZE);
	assert_int_equal(go(7, NVDIMM_SET_LABELS, 0, 8), NVDIMM_UNSUPPORTED);
	assert_int_equal(go(7, NVDIMM_SET_LABELS, SIZE, 8), NVDIMM_INVALID);
	assert_memory_equal(ro, before, SIZE);
	assert_int_equal(go(7, NVDIMM_GET_LABELS, 0, 8), NVDIMM_SUCCESS);
}

/*
 * Every pair of edges, for both commands: the sum never wraps, and nothing beyond the labels is
 * touched.
 */
static void hostile_ranges_are_refused(void **state)
{
	static const uint32_t edges[] = {
		0,	    1,		 8,	      4095,	  4096,
		4097,	    SIZE - 4097, SIZE - 4096, SIZE - 1,	  SIZE,
		SIZE + 1,   2 * SIZE,	 0x7fffffff,  0x80000000, 0xfffdffff,
		0xfffe0000, 0xfffff000,	 0xfffffffe,  0xffffffff,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(edges); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(edges); j++)
			for (uint32_t command = 5; command <= 6; command++) {
				uint64_t end = (uint64_t)edges[i] + edges[j];
				bool valid = end <= SIZE && edges[j] <= NVDIMM_WINDOW_SIZE;

				assert_int_equal(go(1, command, edges[i], edges[j]),
						 valid ? NVDIMM_SUCCESS : NVDIMM_INVALID);
			}
}

static void unknown_commands_and_dimms_are_not_supported(void **state)
{
	static const uint32_t handles[] = {0, 2, 6, 8, 0x80000001, UINT32_MAX};

	for (uint32_t command = 0; command < 64; command++)
		if (command != NVDIMM_GET_LABELS && command != NVDIMM_SET_LABELS)
			assert_int_equal(go(1, command, 0, 8), NVDIMM_UNSUPPORTED);
	assert_int_equal(go(1, UINT32_MAX, 0, 8), NVDIMM_UNSUPPORTED);
	for (unsigned i = 0; i < ARRAY_SIZE(handles); i++) {
		assert_int_equal(go(handles[i], NVDIMM_GET_LABELS, 0, 8), NVDIMM_UNSUPPORTED);
		assert_int_equal(go(handles[i], NVDIMM_SET_LABELS, 0, 8), NVDIMM_UNSUPPORTED);
	}
}

/* Every offset and size: an access that is neither a register nor in the window does nothing. */
static void odd_accesses_do_nothing(void **state)
{
	static struct nvdimm before;

	set(NVDIMM_REG_HANDLE, 1);
	set(NVDIMM_REG_LENGTH, 8);
	before = nvdimm;
	for (unsigned size = 1; size <= 8; size *= 2)
		for (uint64_t off = 0; off <= NVDIMM_MMIO_SIZE - size; off++) {
			bool inside = off >= NVDIMM_WINDOW;
			bool is_register = size == 4 && off % 4 == 0 && off <= NVDIMM_REG_GO;

			if (!inside && !is_register)
				assert_true(mmio_read(off, size) == 0);
			if (is_register)
				continue;
			mmio_write(off, size, UINT64_MAX);
			if (inside)
				memset(nvdimm.window, 0, NVDIMM_WINDOW_SIZE);
			assert_memory_equal(&nvdimm, &before, sizeof(before));
		}
	set(NVDIMM_REG_SIZE, 5);
	set(NVDIMM_REG_MAX, 5);
	assert_memory_equal(&nvdimm, &before, sizeof(before));
}

static void reset_forgets_all_but_the_labels(void **state)
{
	mmio_write(NVDIMM_WINDOW, 8, 5);
	assert_int_equal(go(1, NVDIMM_SET_LABELS, SIZE, 1), NVDIMM_INVALID);
	nvdimm_reset(&nvdimm);
	for (uint64_t reg = 0; reg <= NVDIMM_REG_GO; reg += 4)
		assert_int_equal(get(reg), reg == NVDIMM_REG_MAX ? NVDIMM_WINDOW_SIZE : 0);
	assert_int_equal(mmio_read(NVDIMM_WINDOW, 8), 0);
	set(NVDIMM_REG_HANDLE, 1);
	assert_int_equal(get(NVDIMM_REG_SIZE), SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sizes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(all_labels_can_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_reach_the_labels_and_nothing_else, setup,
						teardown),
		cmocka_unit_test_setup_teardown(read_only_labels_are_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_ranges_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_commands_and_dimms_are_not_supported, setup,
						teardown),
		cmocka_unit_test_setup_teardown(odd_accesses_do_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_forgets_all_but_the_labels, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
