/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/loader/load.h"

#include <glob.h>
#include <stdio.h>

#include "hv/loader/kernel_file.h"
#include "tests/unit/support.h"

#include "tests/unit/loader_ram.h"

/* A bzImage of 2 setup sectors (so 3 * 512 bytes) and SYSSIZE * 16 bytes of "kernel". */
#define PAYLOAD	    0x600
#define PAYLOAD_LEN 0x1000
#define IMAGE_LEN   (PAYLOAD + PAYLOAD_LEN)

static uint8_t image[IMAGE_LEN];
static char error[256];
static struct loader_state state;

static void put(void *at, uint64_t v, size_t size)
{
	memcpy(at, &v, size);
}

static uint64_t peek(uint64_t gpa, size_t size)
{
	uint64_t v = 0;

	assert_true(gpa + size <= RAM_SIZE);
	memcpy(&v, ram + gpa, size);
	return v;
}

static void make_image(void)
{
	memset(image, 0, sizeof(image));
	for (size_t i = 0; i < PAYLOAD_LEN; i++)
		image[PAYLOAD + i] = (uint8_t)(i * 7 + (i >> 8));
	put(image + 0x1f1, 2, 1);
	put(image + 0x1f4, PAYLOAD_LEN / 16, 4);
	put(image + 0x1fe, 0xaa55, 2);
	put(image + 0x200, 0x6aeb, 2); /* jmp: the header ends at 0x26c */
	memcpy(image + 0x202, "HdrS", 4);
	put(image + 0x206, 0x20f, 2);
	put(image + 0x211, 0x81, 1);
	put(image + 0x214, MIB(1), 4);
	put(image + 0x22c, 0x7fffffff, 4);
	put(image + 0x230, MIB(2), 4);
	put(image + 0x234, 1, 1);
	put(image + 0x236, 0x7f, 2);
	put(image + 0x238, 2047, 4);
	put(image + 0x258, MIB(16), 8);
	put(image + 0x260, MIB(20), 4);
}

/* Load again in parts: the memory and the state are the same as after one call. */
static void parts_make_the_same(struct loader_input input, uint64_t len)
{
	uint8_t *whole = malloc(RAM_SIZE);
	struct loader_state want, got;

	memset(ram, 0xcc, RAM_SIZE);
	assert_int_equal(loader_load(NULL, &input, &want, error, sizeof(error)), OK);
	memcpy(whole, ram, RAM_SIZE);
	memset(ram, 0xcc, RAM_SIZE);
	input.part_len = len;
	for (input.part_start = 0; input.part_start < want.n_written; input.part_start += len) {
		writes_left = len <= 64 ? (int)len : -1; /* no more than that is written */
		assert_int_equal(loader_load(NULL, &input, &got, error, sizeof(error)), OK);
		assert_memory_equal(&got, &want, sizeof(got));
	}
	writes_left = -1;
	assert_memory_equal(ram, whole, RAM_SIZE);
	free(whole);
}

/* Load from a heap block of exactly this size, so that the sanitizer notices a read beyond it. */
static enum status load(struct loader_input input)
{
	uint8_t *exact = malloc(input.kernel_len + 1);
	uint8_t *kernel = exact + 1; /* odd, so that nothing can rely on alignment */

	memcpy(kernel, input.kernel, input.kernel_len);
	input.kernel = kernel;
	memset(error, 0, sizeof(error));
	memset(&state, 0xee, sizeof(state));
	enum status status = loader_load(NULL, &input, &state, error, sizeof(error));

	free(exact);
	return status;
}

static enum status load_image(void)
{
	return load(pc_input(image, sizeof(image)));
}

static int set_up(void **unused)
{
	memset(ram, 0xcc, RAM_SIZE);
	writes_left = -1;
	make_image();
	return 0;
}

static void linux_is_placed_where_it_prefers(void **unused)
{
	assert_int_equal(load_image(), OK);
	assert_int_equal(state.kind, LOADER_LINUX);
	assert_int_equal(state.mode, ENTRY_LONG64);
	assert_int_equal(state.rip, MIB(16) + 0x200);
	assert_int_equal(state.rsi, LOADER_INFO);
	assert_int_equal(state.kernel_start.raw, MIB(16));
	assert_int_equal(state.kernel_end.raw, MIB(36));
	assert_memory_equal(ram + MIB(16), image + PAYLOAD, PAYLOAD_LEN);
	assert_int_equal(ram[MIB(16) + PAYLOAD_LEN], 0xcc);
	assert_int_equal(ram[0xfff], 0xcc);
	assert_int_equal(ram[LOADER_LOW_END], 0xcc);
}

static void the_zero_page_tells_what_was_asked_for(void **unused)
{
	static const uint8_t initrd[5000] = {1, 2, 3}, seed[LOADER_RNG_SEED_LEN] = {9, 8, 7};
	struct loader_input input = pc_input(image, sizeof(image));

	input.append = "console=ttyS0 quiet";
	input.initrd = initrd;
	input.initrd_len = sizeof(initrd);
	input.acpi_rsdp = (gpa_t){0xe0010};
	input.rng_seed = seed;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(LOADER_INFO + 0x70, 8), 0xe0010);
	assert_int_equal(peek(LOADER_INFO + 0x1fa, 2), 0xffff);
	assert_int_equal(peek(LOADER_INFO + 0x210, 1), 0xff);
	assert_int_equal(peek(LOADER_INFO + 0x214, 4), MIB(16));
	assert_int_equal(peek(LOADER_INFO + 0x1ef, 1), 0); /* the sentinel */
	assert_int_equal(peek(LOADER_INFO + 0x26c, 4), 0); /* after the header */
	assert_memory_equal(ram + LOADER_INFO + 0x1fe, image + 0x1fe, 0x12);
	assert_string_equal(ram + peek(LOADER_INFO + 0x228, 4), input.append);

	uint64_t at = peek(LOADER_INFO + 0x218, 4);

	assert_int_equal(at, align_down(RAM_SIZE - sizeof(initrd), PAGE_SIZE));
	assert_int_equal(state.initrd_start.raw, at);
	assert_int_equal(peek(LOADER_INFO + 0x21c, 4), sizeof(initrd));
	assert_memory_equal(ram + at, initrd, sizeof(initrd));

	uint64_t data = peek(LOADER_INFO + 0x250, 8);

	assert_int_equal(peek(data, 8), 0);
	assert_int_equal(peek(data + 8, 4), 9);
	assert_int_equal(peek(data + 12, 4), sizeof(seed));
	assert_memory_equal(ram + data + 16, seed, sizeof(seed));
}

static void parts_of_any_length_make_the_same(void **unused)
{
	static uint8_t initrd[5000], seed[LOADER_RNG_SEED_LEN] = {9, 8, 7};
	struct loader_input input = pc_input(image, sizeof(image));

	for (size_t i = 0; i < sizeof(initrd); i++)
		initrd[i] = (uint8_t)(i * 3);
	input.append = "console=ttyS0 quiet";
	input.initrd = initrd;
	input.initrd_len = sizeof(initrd);
	input.rng_seed = seed;
	parts_make_the_same(input, 61);
	parts_make_the_same(input, 1000);
	parts_make_the_same(input, KIB(64));
	parts_make_the_same(input, MIB(64));
}

static void the_zero_page_has_the_memory_map(void **unused)
{
	assert_int_equal(load_image(), OK);
	assert_int_equal(peek(LOADER_INFO + 0x1e8, 1), ARRAY_SIZE(pc_map));
	for (size_t i = 0; i < ARRAY_SIZE(pc_map); i++) {
		uint64_t at = LOADER_INFO + 0x2d0 + 20 * i;

		assert_int_equal(peek(at, 8), pc_map[i].addr);
		assert_int_equal(peek(at + 8, 8), pc_map[i].len);
		assert_int_equal(peek(at + 16, 4), pc_map[i].type);
	}
	assert_int_equal(peek(LOADER_INFO + 0x250, 8), 0);
	assert_int_equal(peek(LOADER_INFO + 0x218, 4), 0);
	assert_int_equal(peek(LOADER_INFO + 0x21c, 4), 0);
	assert_int_equal(state.initrd_start.raw, 0);
}

static void page_tables_map_four_gigabytes_one_to_one(void **unused)
{
	assert_int_equal(load_image(), OK);
	assert_int_equal(state.page_tables.raw, LOADER_PAGE_TABLES);
	for (uint64_t linear = 0; linear < GIB(4); linear += MIB(2)) {
		uint64_t pml4e = peek(state.page_tables.raw + (linear >> 39) * 8, 8);
		uint64_t pdpte = peek((pml4e & ~0xfffull) + (linear >> 30 & 511) * 8, 8);
		uint64_t pde = peek((pdpte & ~0xfffull) + (linear >> 21 & 511) * 8, 8);

		assert_int_equal(pml4e & 0xfff, 3);
		assert_int_equal(pdpte & 0xfff, 3);
		assert_int_equal(pde, linear | 0x83);
	}
	for (size_t i = 1; i < 512; i++)
		assert_int_equal(peek(LOADER_PAGE_TABLES + i * 8, 8), 0);
	for (size_t i = 4; i < 512; i++)
		assert_int_equal(peek(LOADER_PAGE_TABLES + PAGE_SIZE + i * 8, 8), 0);
}

static void the_gdt_has_flat_segments_and_a_tss(void **unused)
{
	assert_int_equal(load_image(), OK);
	assert_int_equal(state.gdt.raw, LOADER_GDT);
	assert_int_equal(state.gdt_limit, 0x2f);
	assert_int_equal(peek(LOADER_GDT, 8), 0);
	assert_int_equal(peek(LOADER_GDT + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(peek(LOADER_GDT + 0x18, 8), 0x00cf93000000ffff);
	assert_int_equal(peek(LOADER_GDT + 0x20, 8), 0x00008b0000000067);
	assert_int_equal(peek(LOADER_GDT + 0x28, 8), 0);
}

static void an_initrd_keeps_below_its_limit_and_off_the_kernel(void **unused)
{
	static uint8_t initrd[MIB(8)];
	static const struct {
		uint32_t addr_max;
		uint64_t len, expected; /* 0: refused */
	} cases[] = {
		{0x7fffffff, MIB(8), MIB(56)},
		{0x7fffffff, MIB(8) - 1, MIB(56)},
		{0x7fffffff, 1, MIB(64) - PAGE_SIZE},
		{MIB(40) - 1, MIB(4), MIB(36)},
		{MIB(40) - 1, MIB(4) + 1, MIB(12) - PAGE_SIZE},
		{MIB(36) - 1, MIB(8), MIB(8)},
		{MIB(9), MIB(8), MIB(1)},
		{MIB(9) - 2, MIB(8), 0},
		{0, 1, 0},
		{0xffffffff, MIB(8), MIB(56)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loader_input input = pc_input(image, sizeof(image));

		put(image + 0x22c, cases[i].addr_max, 4);
		input.initrd = initrd;
		input.initrd_len = cases[i].len;
		if (cases[i].expected == 0) {
			assert_int_equal(load(input), ERR_RANGE);
			assert_non_null(strstr(error, "kernel: no room for the initrd of "));
			continue;
		}
		assert_int_equal(load(input), OK);
		assert_int_equal(state.initrd_start.raw, cases[i].expected);
	}
}

static void a_kernel_that_can_be_moved_goes_up_to_the_next_room(void **unused)
{
	static const struct e820_entry holed[] = {
		{0, 0xa0000, E820_RAM},
		{MIB(1), MIB(16), E820_RAM},
		{MIB(17) + 0x1000, MIB(64) - MIB(17) - 0x1000, E820_RAM},
	};
	struct loader_input input = pc_input(image, sizeof(image));

	input.e820 = holed;
	input.n_e820 = ARRAY_SIZE(holed);
	assert_int_equal(load(input), OK);
	assert_int_equal(state.kernel_start.raw, MIB(18));
	assert_int_equal(state.rip, MIB(18) + 0x200);
	assert_int_equal(peek(LOADER_INFO + 0x214, 4), MIB(18));
	put(image + 0x234, 0, 1);
	input.kernel = image;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error,
			    "kernel: the kernel needs RAM from 0x1000000 to 0x2400000, not "
			    "all of which exists: 36 MiB are needed, the VM has 64 MiB below "
			    "4 GiB");
}

static void ram_above_the_limit_is_not_used(void **unused)
{
	static const uint8_t initrd[1];
	struct loader_input input = pc_input(image, sizeof(image));

	input.initrd = initrd;
	input.initrd_len = 1;
	input.ram_below_4g = MIB(40);
	assert_int_equal(load(input), OK);
	assert_int_equal(state.initrd_start.raw, MIB(40) - PAGE_SIZE);
	input.ram_below_4g = MIB(36) - 1;
	assert_int_equal(load(input), ERR_RANGE);
}

static void adjacent_pieces_of_ram_count_as_one(void **unused)
{
	static const struct e820_entry pieces[] = {
		{0, 0x9000, E820_RAM},	      {0x9000, 0x97000, E820_RAM},
		{MIB(1), MIB(19), E820_RAM},  {MIB(20), MIB(20), E820_RAM},
		{MIB(40), MIB(20), E820_RAM}, {MIB(60), MIB(4), E820_RAM},
	};
	static uint8_t initrd[MIB(25)];
	struct loader_input input = pc_input(image, sizeof(image));

	input.e820 = pieces;
	input.n_e820 = ARRAY_SIZE(pieces);
	input.initrd = initrd;
	input.initrd_len = sizeof(initrd);
	assert_int_equal(load(input), OK);
	assert_int_equal(state.kernel_start.raw, MIB(16));
	assert_int_equal(state.initrd_start.raw, MIB(39));
}

static void what_a_header_may_not_say(void **unused)
{
	static const struct {
		size_t offset, size;
		uint64_t value;
		enum status status;
		const char *message;
	} cases[] = {
		{0x206, 2, 0x204, ERR_UNSUPPORTED,
		 "offset 0x206: boot protocol 2.04 is too old, 2.10 is needed"},
		{0x206, 2, 0x209, ERR_UNSUPPORTED,
		 "offset 0x206: boot protocol 2.09 is too old, 2.10 is needed"},
		{0x1fe, 2, 0x55aa, ERR_CORRUPT, "offset 0x1fe: the boot flag is 0x55aa"},
		{0x211, 1, 0x80, ERR_UNSUPPORTED, "offset 0x211: the kernel wants to be loaded "},
		{0x201, 1, 0x61, ERR_CORRUPT, "offset 0x201: a setup header cannot end at 0x263"},
		{0x201, 1, 0x8f, ERR_CORRUPT, "offset 0x201: a setup header cannot end at 0x291"},
		{0x1f1, 1, 64, ERR_CORRUPT, "offset 0x1600: the file ends here"},
		{0x1f1, 1, 3, ERR_CORRUPT, "offset 0x1600: the file ends here"},
		{0x1f1, 1, 0, ERR_CORRUPT, "offset 0x1600: the file ends here"}, /* that is 4 */
		{0x1f4, 4, PAYLOAD_LEN / 16 + 1, ERR_CORRUPT, "offset 0x1600: the file ends here"},
		{0x1f4, 4, 0xffffffff, ERR_CORRUPT, "offset 0x1600: the file ends here"},
		{0x1f4, 4, 0, ERR_CORRUPT, "offset 0x1f4: 0 bytes of kernel do not reach"},
		{0x1f4, 4, 0x20, ERR_CORRUPT, "offset 0x1f4: 512 bytes of kernel do not reach"},
		{0x230, 4, 0, ERR_CORRUPT, "offset 0x230: the alignment 0x0 is not a power"},
		{0x230, 4, 0x3000, ERR_CORRUPT, "offset 0x230: the alignment 0x3000 is not"},
		{0x258, 8, 0, ERR_CORRUPT, "offset 0x258: a kernel cannot be loaded at 0x0"},
		{0x258, 8, GIB(4), ERR_CORRUPT, "offset 0x258: a kernel cannot be loaded at 0x1"},
		{0x258, 8, UINT64_MAX - 0xfff, ERR_CORRUPT, "offset 0x258: a kernel cannot be"},
		{0x258, 8, MIB(16) + 8, ERR_CORRUPT, "offset 0x258: a kernel cannot be loaded at"},
		{0x258, 8, MIB(46), ERR_RANGE, "the kernel needs RAM from 0x2e00000 to 0x4200000"},
		{0x258, 8, GIB(4) - PAGE_SIZE, ERR_RANGE, "the kernel needs RAM from 0xfffff000"},
		{0x260, 4, PAYLOAD_LEN - 1, ERR_CORRUPT, "offset 0x260: the kernel asks for 0xfff"},
		{0x260, 4, MIB(49), ERR_RANGE, "65 MiB are needed, the VM has 64 MiB"},
		{0x260, 4, 0xffffffff, ERR_RANGE, "4112 MiB are needed, the VM has 64 MiB"},
		{0x238, 4, 3, ERR_RANGE, "the command line has 4 characters, the kernel takes 3"},
		{0x202, 4, 0, ERR_UNSUPPORTED,
		 "kernel: not a Linux bzImage, Multiboot 1, PVH or Multiboot 2 kernel"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loader_input input = pc_input(image, sizeof(image));

		make_image();
		put(image + cases[i].offset, cases[i].value, cases[i].size);
		input.append = "abcd";
		assert_int_equal(load(input), cases[i].status);
		assert_memory_equal(error, "kernel: ", 8);
		if (strstr(error, cases[i].message) == NULL)
			fail_msg("case %zu says: %s", i, error);
		assert_int_equal(*(uint8_t *)&state, 0xee);
	}
}

static void what_a_header_may_say(void **unused)
{
	static const struct {
		size_t offset, size;
		uint64_t value;
	} cases[] = {
		{0x206, 2, 0x20a},	   {0x201, 1, 0x62},
		{0x201, 1, 0x8e},	   {0x1f1, 1, 1},
		{0x1f4, 4, 0x21},	   {0x230, 4, 1},
		{0x258, 8, MIB(44)},	   {0x260, 4, PAYLOAD_LEN},
		{0x260, 4, MIB(48)},	   {0x238, 4, 4},
		{0x238, 4, 0xffffffff},	   {0x258, 8, MIB(1)},
		{0x258, 8, MIB(2) + 4096}, {0x236, 2, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loader_input input = pc_input(image, sizeof(image));

		make_image();
		put(image + cases[i].offset, cases[i].value, cases[i].size);
		input.append = "abcd";
		if (load(input) != OK)
			fail_msg("case %zu says: %s", i, error);
	}
}

static void a_kernel_without_a_64_bit_entry_starts_in_32_bit_mode(void **unused)
{
	static const struct {
		uint16_t version, xloadflags;
	} cases[] = {{0x20f, 0x7e}, {0x20c, 0}, {0x20b, 0x7f}, {0x20a, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(NULL);
		put(image + 0x206, cases[i].version, 2);
		put(image + 0x236, cases[i].xloadflags, 2);
		put(image + 0x1f4, 1, 4); /* also if it is shorter than the 64-bit entry's offset */
		assert_int_equal(load_image(), OK);
		assert_int_equal(state.kind, LOADER_LINUX);
		assert_int_equal(state.mode, ENTRY_PROTECTED32);
		assert_int_equal(state.rip, MIB(16));
		assert_int_equal(state.rsi, LOADER_INFO);
		assert_int_equal(state.page_tables.raw, 0);
		assert_int_equal(peek(state.gdt.raw + 0x10, 8), 0x00cf9b000000ffff);
		assert_int_equal(peek(LOADER_INFO + 0x214, 4), MIB(16));
		assert_int_equal(ram[LOADER_PAGE_TABLES], 0xcc);
	}
	put(image + 0x1f4, 0, 4);
	assert_int_equal(load_image(), ERR_CORRUPT);
	assert_string_equal(error, "kernel: offset 0x1f4: 0 bytes of kernel do not reach the entry "
				   "point");
}

/* As ipxe.lkrn is: protocol 2.07, and nothing to enter in protected mode. */
static void a_kernel_with_a_16_bit_entry_only_is_refused(void **unused)
{
	put(image + 0x206, 0x207, 2);
	put(image + 0x214, 0, 4);
	assert_int_equal(load_image(), ERR_UNSUPPORTED);
	assert_string_equal(error,
			    "kernel: offset 0x214: the kernel has only a 16-bit entry point, "
			    "which needs a BIOS");
	put(image + 0x206, 0x20f, 2); /* with a 64-bit entry the field means nothing */
	assert_int_equal(load_image(), OK);
}

static void every_truncation_is_refused(void **unused)
{
	for (size_t len = 0; len < IMAGE_LEN - 15; len++) {
		enum status status = load(pc_input(image, len));

		assert_int_equal(status, len < 0x206 ? ERR_UNSUPPORTED : ERR_CORRUPT);
		assert_true(error[0] != '\0');
	}
	/* The size in the header is rounded up. */
	assert_int_equal(load(pc_input(image, IMAGE_LEN - 15)), OK);
}

static void a_signature_behind_the_kernel_is_not_loaded(void **unused)
{
	static uint8_t signed_image[IMAGE_LEN + 1000];

	memset(signed_image, 0x55, sizeof(signed_image));
	memcpy(signed_image, image, IMAGE_LEN);
	assert_int_equal(load(pc_input(signed_image, sizeof(signed_image))), OK);
	assert_int_equal(ram[MIB(16) + PAYLOAD_LEN], 0xcc);
}

static void too_small_a_vm_is_told_how_much_is_needed(void **unused)
{
	static const struct e820_entry map[] = {{0, 0xa0000, E820_RAM},
						{MIB(1), MIB(31), E820_RAM}};
	struct loader_input input = pc_input(image, sizeof(image));

	input.e820 = map;
	input.n_e820 = ARRAY_SIZE(map);
	input.ram_below_4g = MIB(32);
	assert_int_equal(load(input), ERR_RANGE);
	assert_non_null(strstr(error, ": 36 MiB are needed, the VM has 32 MiB below 4 GiB"));
}

static void low_memory_has_to_be_ram(void **unused)
{
	static const struct e820_entry map[] = {{0, 0x10000, E820_RAM},
						{MIB(1), MIB(63), E820_RAM}};
	struct loader_input input = pc_input(image, sizeof(image));

	input.e820 = map;
	input.n_e820 = ARRAY_SIZE(map);
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: the VM has no RAM from 0x1000 to 0x20000");
}

static void a_memory_map_has_128_entries_at_most(void **unused)
{
	static struct e820_entry map[129] = {{0, 0xa0000, E820_RAM}, {MIB(1), MIB(63), E820_RAM}};
	struct loader_input input = pc_input(image, sizeof(image));

	for (size_t i = 2; i < ARRAY_SIZE(map); i++)
		map[i] = (struct e820_entry){GIB(4) + GIB(i), GIB(1), E820_RAM};
	input.e820 = map;
	input.n_e820 = 128;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(LOADER_INFO + 0x1e8, 1), 128);
	input.kernel = image;
	input.n_e820 = 129;
	assert_int_equal(load(input), ERR_RANGE);
}

static void a_command_line_fits_the_kernel_and_the_room(void **unused)
{
	static char line[0x10001];
	static const struct {
		size_t len;
		uint32_t cmdline_size;
		enum status status;
	} cases[] = {
		{2047, 2047, OK},
		{2048, 2047, ERR_RANGE},
		{0xffff, 0xffffffff, OK},
		{0x10000, 0xffffffff, ERR_RANGE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loader_input input = pc_input(image, sizeof(image));

		memset(line, 'x', cases[i].len);
		line[cases[i].len] = '\0';
		put(image + 0x238, cases[i].cmdline_size, 4);
		input.append = line;
		assert_int_equal(load(input), cases[i].status);
	}
}

static void a_failing_write_is_passed_on(void **unused)
{
	static const uint8_t initrd[1] = {1}, seed[LOADER_RNG_SEED_LEN] = {1};
	struct loader_input input = pc_input(image, sizeof(image));
	int n = 0;

	input.initrd = initrd;
	input.initrd_len = 1;
	input.rng_seed = seed;
	for (;; n++) {
		writes_left = n;
		enum status status = load(input);

		if (status == OK)
			break;
		assert_int_equal(status, ERR_NOMEM);
		assert_non_null(strstr(error, "kernel: no frames are left for guest memory 0x"));
		assert_int_equal(*(uint8_t *)&state, 0xee);
	}
	assert_true(n > 50);
}

static void a_message_is_cut_to_its_buffer(void **unused)
{
	struct loader_input input = pc_input("", 0);
	char small[16];

	for (size_t size = 0; size <= sizeof(small); size++) {
		memset(small, 0x7f, sizeof(small));
		assert_int_equal(loader_load(NULL, &input, &state, small, size), ERR_UNSUPPORTED);
		if (size > 0)
			assert_int_equal(strlen(small), size - 1);
		for (size_t i = size; i < sizeof(small); i++)
			assert_int_equal(small[i], 0x7f);
	}
}

static void modules_are_taken_off_the_list(void **unused)
{
	static const struct {
		const char *list;
		size_t n;
		struct {
			const char *cmdline;
			size_t name_len;
		} expected[4];
	} cases[] = {
		{"", 0, {{NULL, 0}}},
		{"a", 1, {{"a", 1}}},
		{"a b c", 1, {{"a b c", 1}}},
		{"/boot/x 1 2,y,z  3", 3, {{"/boot/x 1 2", 7}, {"y", 1}, {"z  3", 1}}},
		{"a,,b c,,,d", 2, {{"a,b c,", 3}, {"d", 1}}},
		{",,", 1, {{",", 1}}},
		{",a", 2, {{"", 0}, {"a", 1}}},
		{"a,", 1, {{"a", 1}}},
		{" a", 1, {{" a", 0}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *list = cases[i].list;
		char buf[64];
		size_t name_len;

		for (size_t k = 0; k < cases[i].n; k++) {
			assert_int_equal(loader_next_module(&list, buf, sizeof(buf), &name_len),
					 OK);
			assert_string_equal(buf, cases[i].expected[k].cmdline);
			assert_int_equal(name_len, cases[i].expected[k].name_len);
		}
		assert_int_equal(loader_next_module(&list, buf, sizeof(buf), &name_len),
				 ERR_NOTFOUND);
	}
}

static void a_module_too_long_for_the_buffer_is_refused(void **unused)
{
	const char *const text = "abc,d", *list = text;
	char buf[4];
	size_t name_len;

	for (size_t size = 0; size < 4; size++) {
		assert_int_equal(loader_next_module(&list, buf, size, &name_len), ERR_RANGE);
		assert_ptr_equal(list, text);
	}
	assert_int_equal(loader_next_module(&list, buf, 4, &name_len), OK);
	assert_string_equal(buf, "abc");
	assert_string_equal(list, "d");
}

/* Load one real kernel, and compare memory with its file. */
static void load_real(const char *path)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size_t len = (size_t)ftell(file);
	uint8_t *kernel = malloc(len);

	rewind(file);
	assert_int_equal(fread(kernel, 1, len, file), len);
	fclose(file);

	/* The seam has 64 MiB: enough for a cloud kernel's file but not for its init_size. */
	struct e820_entry map[] = {{0, 0xa0000, E820_RAM}, {MIB(1), MIB(255), E820_RAM}};
	struct loader_input input = pc_input(kernel, len);

	input.e820 = map;
	input.n_e820 = ARRAY_SIZE(map);
	input.ram_below_4g = MIB(256);
	if (load(input) != OK)
		fail_msg("%s: %s", path, error);
	assert_int_equal(state.kind, LOADER_LINUX);
	size_t payload = (kernel[0x1f1] + 1) * 512u;
	uint32_t syssize;

	memcpy(&syssize, kernel + 0x1f4, 4);
	assert_true(syssize * 16u <= len - payload + 15);
	assert_memory_equal(ram + state.kernel_start.raw, kernel + payload, syssize * 16u - 16);
	free(kernel);
}

/* Kernels that are installed, and those that scripts/fetch-kernel left in this source tree. */
static void real_kernels_are_loaded(void **unused)
{
	char fetched[512];
	glob_t found;

	snprintf(fetched, sizeof(fetched), "%.*s../../build/kernel/vmlinuz*",
		 (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
	glob("/boot/vmlinuz-*", 0, NULL, &found);
	glob(fetched, GLOB_APPEND, NULL, &found);
	size_t n = found.gl_pathc;

	for (size_t i = 0; i < n; i++)
		load_real(found.gl_pathv[i]);
	globfree(&found);
	if (n == 0)
		skip();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_is_placed_where_it_prefers),
		TEST(the_zero_page_tells_what_was_asked_for),
		TEST(parts_of_any_length_make_the_same),
		TEST(the_zero_page_has_the_memory_map),
		TEST(page_tables_map_four_gigabytes_one_to_one),
		TEST(the_gdt_has_flat_segments_and_a_tss),
		TEST(an_initrd_keeps_below_its_limit_and_off_the_kernel),
		TEST(a_kernel_that_can_be_moved_goes_up_to_the_next_room),
		TEST(ram_above_the_limit_is_not_used),
		TEST(adjacent_pieces_of_ram_count_as_one),
		TEST(what_a_header_may_not_say),
		TEST(what_a_header_may_say),
		TEST(a_kernel_without_a_64_bit_entry_starts_in_32_bit_mode),
		TEST(a_kernel_with_a_16_bit_entry_only_is_refused),
		TEST(every_truncation_is_refused),
		TEST(a_signature_behind_the_kernel_is_not_loaded),
		TEST(too_small_a_vm_is_told_how_much_is_needed),
		TEST(low_memory_has_to_be_ram),
		TEST(a_memory_map_has_128_entries_at_most),
		TEST(a_command_line_fits_the_kernel_and_the_room),
		TEST(a_failing_write_is_passed_on),
		TEST(a_message_is_cut_to_its_buffer),
		TEST(modules_are_taken_off_the_list),
		TEST(a_module_too_long_for_the_buffer_is_refused),
		TEST(real_kernels_are_loaded),
	};

	ram = malloc(RAM_SIZE);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(ram);
	return failed;
}
