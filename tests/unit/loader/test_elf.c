/* SPDX-License-Identifier: BSD-2-Clause */
/* PVH and Multiboot kernels, as the loader sees them. */
#include "hv/loader/load.h"

#include "tests/unit/support.h"

#include "hv/loader/bios.h"
#include "tests/unit/loader_ram.h"

/*
 * One small kernel in both ELF classes: header, three program headers, then
 * a note, then text at TEXT and data at DATA.
 */
#define TEXT	  0x200
#define TEXT_LEN  0x40
#define DATA	  0x240
#define DATA_LEN  0x20
#define NOTE	  0x180
#define FILE_LEN  0x260
#define LOAD_TEXT MIB(2)
#define LOAD_DATA (MIB(2) + 0x1000)
#define DATA_MEM  0x800
#define ENTRY	  (LOAD_TEXT + 0x10)

static uint8_t file[0x3000];
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

static void put_segment32(uint8_t *p, uint32_t type, uint32_t offset, uint32_t vaddr,
			  uint32_t paddr, uint32_t filesz, uint32_t memsz)
{
	const uint32_t fields[8] = {type, offset, vaddr, paddr, filesz, memsz, 7, 4};

	memcpy(p, fields, sizeof(fields));
}

static void put_segment64(uint8_t *p, uint32_t type, uint64_t offset, uint64_t vaddr,
			  uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	const uint64_t fields[7] = {type | 7ull << 32, offset, vaddr, paddr, filesz, memsz, 4};

	memcpy(p, fields, sizeof(fields));
}

static void put_note(void)
{
	const uint32_t fields[] = {4, 4, 18, 'X' | 'e' << 8 | 'n' << 16, ENTRY};

	memcpy(file + NOTE, fields, sizeof(fields));
}

static void put_contents(void)
{
	memset(file, 0, sizeof(file));
	memset(file + TEXT, 0x90, TEXT_LEN);
	memset(file + DATA, 0x5a, DATA_LEN);
	memcpy(file,
	       "\x7f"
	       "ELF",
	       4);
	file[5] = 1;
	file[6] = 1;
	put(file + 16, 2, 2);
	put(file + 20, 1, 4);
}

static void make_elf32(void)
{
	put_contents();
	file[4] = 1;
	put(file + 18, 3, 2);
	put(file + 24, ENTRY, 4);
	put(file + 28, 52, 4);
	put(file + 42, 32, 2);
	put(file + 44, 3, 2);
	put_segment32(file + 52, 1, TEXT, LOAD_TEXT, LOAD_TEXT, TEXT_LEN, TEXT_LEN);
	put_segment32(file + 84, 1, DATA, LOAD_DATA, LOAD_DATA, DATA_LEN, DATA_MEM);
	put_segment32(file + 116, 0, 0, 0, 0, 0, 0);
}

static void make_elf64(void)
{
	put_contents();
	file[4] = 2;
	put(file + 18, 62, 2);
	put(file + 24, 0xffffffff80000010, 8);
	put(file + 32, 64, 8);
	put(file + 54, 56, 2);
	put(file + 56, 3, 2);
	put_segment64(file + 64, 1, TEXT, 0xffffffff80000000, LOAD_TEXT, TEXT_LEN, TEXT_LEN);
	put_segment64(file + 120, 1, DATA, 0xffffffff80001000, LOAD_DATA, DATA_LEN, DATA_MEM);
	put_segment64(file + 176, 0, 0, 0, 0, 0, 0);
}

static void make_pvh32(void)
{
	make_elf32();
	put_segment32(file + 116, 4, NOTE, 0, 0, 20, 20);
	put_note();
}

static void make_pvh64(void)
{
	make_elf64();
	put_segment64(file + 176, 4, NOTE, 0, 0, 20, 20);
	/* The program headers reach to 0x120. */
	put_note();
}

/* Put a Multiboot header at 'at', with address fields if the flags say so. */
static void put_multiboot(size_t at, uint32_t flags)
{
	put(file + at, 0x1badb002, 4);
	put(file + at + 4, flags, 4);
	put(file + at + 8, -(0x1badb002 + flags), 4);
}

static void make_multiboot32(void)
{
	make_elf32();
	put_multiboot(TEXT + 0x20, 3);
}

static void make_multiboot64(void)
{
	make_elf64();
	put_multiboot(TEXT + 0x20, 3);
}

/* Not an ELF file: the header at 0x100 describes text from 0x80 to the end of the file. */
static void make_flat(void)
{
	memset(file, 0, sizeof(file));
	memset(file + 0x80, 0xab, FILE_LEN - 0x80);
	put_multiboot(0x100, 0x10003);
	put(file + 0x10c, MIB(2) + 0x80, 4);		     /* the header's own address */
	put(file + 0x110, MIB(2), 4);			     /* load */
	put(file + 0x114, MIB(2) + FILE_LEN - 0x80, 4);	     /* end of what is loaded */
	put(file + 0x118, MIB(2) + FILE_LEN - 0x80 + 64, 4); /* end of what is cleared */
	put(file + 0x11c, ENTRY, 4);
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

static enum status load_file(void)
{
	return load(pc_input(file, FILE_LEN));
}

static int set_up(void **unused)
{
	memset(ram, 0xcc, MIB(4));
	writes_left = -1;
	return 0;
}

static void expect_segments(void)
{
	assert_int_equal(state.kernel_start.raw, LOAD_TEXT);
	assert_int_equal(state.kernel_end.raw, LOAD_DATA + DATA_MEM);
	assert_memory_equal(ram + LOAD_TEXT, file + TEXT, TEXT_LEN);
	assert_int_equal(ram[LOAD_TEXT + TEXT_LEN], 0xcc);
	assert_memory_equal(ram + LOAD_DATA, file + DATA, DATA_LEN);
	for (size_t i = DATA_LEN; i < DATA_MEM; i++)
		assert_int_equal(ram[LOAD_DATA + i], 0);
	assert_int_equal(ram[LOAD_DATA + DATA_MEM], 0xcc);
}

static void pvh_kernels_of_both_classes_are_loaded(void **unused)
{
	static void (*const makers[])(void) = {make_pvh32, make_pvh64};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		set_up(NULL);
		makers[i]();
		if (load_file() != OK)
			fail_msg("case %zu says: %s", i, error);
		assert_int_equal(state.kind, LOADER_PVH);
		assert_int_equal(state.mode, ENTRY_PROTECTED32);
		assert_int_equal(state.rip, ENTRY);
		assert_int_equal(state.rbx, LOADER_INFO);
		assert_int_equal(state.page_tables.raw, 0);
		expect_segments();
		assert_int_equal(peek(state.gdt.raw + 0x10, 8), 0x00cf9b000000ffff);
		assert_int_equal(peek(state.gdt.raw + 0x18, 8), 0x00cf93000000ffff);
	}
}

static void the_start_info_tells_what_was_asked_for(void **unused)
{
	static const uint8_t one[5000] = {1, 2, 3}, two[1] = {4};
	const struct loader_module modules[] = {
		{one, sizeof(one), "one with args"},
		{two, sizeof(two), "two"},
	};

	make_pvh64();
	struct loader_input input = pc_input(file, FILE_LEN);

	input.append = "a=b c";
	input.modules = modules;
	input.n_modules = ARRAY_SIZE(modules);
	input.acpi_rsdp = (gpa_t){0xe0010};
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(LOADER_INFO, 4), 0x336ec578);
	assert_int_equal(peek(LOADER_INFO + 4, 4), 1);
	assert_int_equal(peek(LOADER_INFO + 8, 4), 0);
	assert_int_equal(peek(LOADER_INFO + 12, 4), ARRAY_SIZE(modules));
	assert_string_equal(ram + peek(LOADER_INFO + 24, 8), "a=b c");
	assert_int_equal(peek(LOADER_INFO + 32, 8), 0xe0010);
	assert_int_equal(peek(LOADER_INFO + 48, 4), ARRAY_SIZE(pc_map));
	assert_int_equal(peek(LOADER_INFO + 52, 4), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pc_map); i++) {
		uint64_t at = peek(LOADER_INFO + 40, 8) + 24 * i;

		assert_int_equal(peek(at, 8), pc_map[i].addr);
		assert_int_equal(peek(at + 8, 8), pc_map[i].len);
		assert_int_equal(peek(at + 16, 4), pc_map[i].type);
		assert_int_equal(peek(at + 20, 4), 0);
	}
	uint64_t list = peek(LOADER_INFO + 16, 8);
	uint64_t first = align_down(RAM_SIZE - sizeof(one), PAGE_SIZE);

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		uint64_t at = list + 32 * i;

		assert_int_equal(peek(at, 8), first - PAGE_SIZE * i);
		assert_int_equal(peek(at + 8, 8), modules[i].len);
		assert_string_equal(ram + peek(at + 16, 8), modules[i].cmdline);
		assert_int_equal(peek(at + 24, 8), 0);
		assert_memory_equal(ram + peek(at, 8), modules[i].data, modules[i].len);
	}
	assert_int_equal(state.initrd_start.raw, first);
}

static void without_files_there_is_no_module(void **unused)
{
	make_pvh32();
	assert_int_equal(load_file(), OK);
	assert_int_equal(peek(LOADER_INFO + 12, 4), 0);
	assert_int_equal(peek(LOADER_INFO + 16, 8), 0);
	assert_string_equal(ram + peek(LOADER_INFO + 24, 8), "");
}

/* The kernel ends within a page, at 0x201800. */
static void a_module_does_not_share_the_kernels_last_page(void **unused)
{
	static uint8_t bytes[MIB(62)];
	static struct loader_module modules[LOADER_MODULES_MAX + 1];

	make_pvh32();
	struct loader_input input = pc_input(file, FILE_LEN);

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		modules[i] = (struct loader_module){bytes, 1, "m"};
	modules[0].len = RAM_SIZE - 0x201800;
	input.modules = modules;
	input.n_modules = 1;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: no room for the module of 65005568 bytes beside the "
				   "kernel and below 0x4000000: 65 MiB are needed");
	modules[0].len = RAM_SIZE - 0x202000;
	assert_int_equal(load(input), OK);
	assert_int_equal(state.initrd_start.raw, 0x202000);
	/* The second one goes below the kernel. */
	input.n_modules = 2;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(peek(LOADER_INFO + 16, 8) + 32, 8), 0x1ff000);
	modules[0].len = 1;
	input.n_modules = LOADER_MODULES_MAX;
	assert_int_equal(load(input), OK);
	input.n_modules++;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: 257 modules, at most 256 are possible");
}

/* Put other notes before it, a name of another length, descriptors of 8 bytes, alignment of 8. */
static void the_note_is_found_among_others(void **unused)
{
	static const uint32_t others[] = {
		/* name, descriptor, type */
		6,	    5,		18,   'O' | 't' << 8 | 'h' << 16 | 'e' << 24,
		'r',	    0x11111111, 0x11, /* */
		4,	    4,		17,   'X' | 'e' << 8 | 'n' << 16,
		0x22222222, /* */
		4,	    2,		18,   'X' | 'e' << 8 | 'n' << 16,
		0x3333, /* */
		4,	    8,		18,   'X' | 'e' << 8 | 'n' << 16,
		ENTRY + 4,  0,
	};
	static const uint32_t aligned[] = {
		4, 3, 1,  'G' | 'N' << 8 | 'U' << 16, 0x111111,	 0, /* */
		4, 4, 18, 'X' | 'e' << 8 | 'n' << 16, ENTRY + 8,
	};

	make_pvh64();
	memcpy(file + 0x120, others, sizeof(others));
	put_segment64(file + 176, 4, 0x120, 0, 0, sizeof(others), 0);
	assert_int_equal(load_file(), OK);
	assert_int_equal(state.rip, ENTRY + 4);
	memcpy(file + 0x124, aligned, sizeof(aligned));
	put_segment64(file + 176, 4, 0x124, 0, 0, sizeof(aligned), 0);
	put(file + 176 + 48, 8, 8);
	assert_int_equal(load_file(), OK);
	assert_int_equal(state.rip, ENTRY + 8);
}

static void a_note_cut_short_is_none(void **unused)
{
	for (uint64_t len = 0; len < 20; len++) {
		make_pvh64();
		put_segment64(file + 176, 4, NOTE, 0, 0, len, len);
		assert_int_equal(load_file(), ERR_UNSUPPORTED);
	}
	put_segment64(file + 176, 4, FILE_LEN - 8, 0, 0, 20, 20);
	assert_int_equal(load_file(), ERR_UNSUPPORTED);
	put_segment64(file + 176, 4, UINT64_MAX - 8, 0, 0, 20, 20);
	assert_int_equal(load_file(), ERR_UNSUPPORTED);
}

static void multiboot_kernels_are_loaded(void **unused)
{
	static void (*const makers[])(void) = {make_multiboot32, make_multiboot64};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		set_up(NULL);
		makers[i]();
		if (load_file() != OK)
			fail_msg("case %zu says: %s", i, error);
		assert_int_equal(state.kind, LOADER_MULTIBOOT);
		assert_int_equal(state.mode, ENTRY_PROTECTED32);
		assert_int_equal(state.rip, ENTRY);
		assert_int_equal(state.rax, 0x2badb002);
		assert_int_equal(state.rbx, LOADER_INFO);
		expect_segments();
	}
}

static void multiboot_comes_before_pvh(void **unused)
{
	make_pvh64();
	put_multiboot(TEXT + 0x20, 0);
	assert_int_equal(loader_detect(file, FILE_LEN), LOADER_MULTIBOOT);
	file[TEXT + 0x20]++;
	assert_int_equal(loader_detect(file, FILE_LEN), LOADER_PVH);
	memcpy(file + 0x202, "HdrS", 4);
	assert_int_equal(loader_detect(file, FILE_LEN), LOADER_LINUX);
}

static void a_flat_kernel_goes_where_its_header_says(void **unused)
{
	make_flat();
	if (load_file() != OK)
		fail_msg("%s", error);
	assert_int_equal(state.rip, ENTRY);
	assert_int_equal(state.kernel_start.raw, MIB(2));
	assert_int_equal(state.kernel_end.raw, MIB(2) + FILE_LEN - 0x80 + 64);
	assert_memory_equal(ram + MIB(2), file + 0x80, FILE_LEN - 0x80);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(ram[MIB(2) + FILE_LEN - 0x80 + i], 0);
	assert_int_equal(ram[MIB(2) + FILE_LEN - 0x80 + 64], 0xcc);
	/* Zero as an end means: load the whole rest, clear nothing. */
	set_up(NULL);
	put(file + 0x114, 0, 4);
	put(file + 0x118, 0, 4);
	assert_int_equal(load_file(), OK);
	assert_int_equal(state.kernel_end.raw, MIB(2) + FILE_LEN - 0x80);
	assert_memory_equal(ram + MIB(2), file + 0x80, FILE_LEN - 0x80);
	assert_int_equal(ram[MIB(2) + FILE_LEN - 0x80], 0xcc);
}

static void make_flat_at(uint32_t load_addr)
{
	make_flat();
	put(file + 0x10c, load_addr + 0x80, 4);
	put(file + 0x110, load_addr, 4);
	put(file + 0x114, 0, 4);
	put(file + 0x118, 0, 4);
	put(file + 0x11c, load_addr, 4);
}

/* All that the loader tells the kernel lies from 'start' to 'end'. */
static void expect_area(uint64_t start, uint64_t end)
{
	const uint64_t addresses[] = {
		state.gdt.raw,		 state.rbx,
		peek(state.rbx + 16, 4), peek(state.rbx + 24, 4),
		peek(state.rbx + 48, 4), peek(state.rbx + 64, 4),
	};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		assert_in_range(addresses[i], start, end - 1);
	assert_int_equal(peek(state.gdt.raw + 0x10, 8), 0x00cf9b000000ffff);
	assert_string_equal(ram + peek(state.rbx + 16, 4), "kernel");
	assert_string_equal(ram + peek(state.rbx + 64, 4), "stencil");
	assert_int_equal(peek(peek(state.rbx + 48, 4) + 24 + 4, 8), pc_map[1].addr);
}

static void the_loaders_memory_moves_away_from_a_low_kernel(void **unused)
{
	static const struct {
		uint32_t load, area;
	} cases[] = {
		{0x500, 0x1000},  {0xe00, 0x1000},    {0xe80, 0x2000},	 {0x1000, 0x2000},
		{0x8000, 0x9000}, {0x1ffff, 0x21000}, {0x20000, 0x1000}, {0x80000, 0x1000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(NULL);
		make_flat_at(cases[i].load);
		if (load_file() != OK)
			fail_msg("case %zu says: %s", i, error);
		assert_memory_equal(ram + cases[i].load, file + 0x80, FILE_LEN - 0x80);
		expect_area(cases[i].area, cases[i].area + 0x1f000);
	}
	make_flat_at(0x4ff);
	assert_int_equal(load_file(), ERR_RANGE);
	assert_non_null(strstr(error, "offset 0x110: the load address 0x4ff is below 0x500"));
}

static void a_low_segment_and_its_modules_keep_apart(void **unused)
{
	static const uint8_t bytes[5000] = {1};
	const struct loader_module module = {bytes, sizeof(bytes), "m"};

	make_multiboot32();
	put(file + 52 + 12, 0x8000, 4); /* the text; the data stay at 2 MiB + 4 KiB */
	put(file + 24, LOAD_DATA, 4);
	struct loader_input input = pc_input(file, FILE_LEN);

	input.modules = &module;
	input.n_modules = 1;
	assert_int_equal(load(input), OK);
	assert_memory_equal(ram + 0x8000, file + TEXT, TEXT_LEN);
	expect_area(LOAD_DATA + 0x1000, LOAD_DATA + 0x20000);
	assert_int_equal(state.kernel_start.raw, 0x8000);
	assert_int_equal(state.kernel_end.raw, LOAD_DATA + 0x20000);
	assert_int_equal(peek(peek(state.rbx + 24, 4), 4), LOAD_DATA + 0x20000);
	/* The data end 0x1f000 bytes before the end of RAM, and then one byte later. */
	put(file + 84 + 20, RAM_SIZE - 0x1f000 - LOAD_DATA, 4);
	assert_int_equal(load_file(), OK);
	put(file + 84 + 20, RAM_SIZE - 0x1f000 - LOAD_DATA + 1, 4);
	assert_int_equal(load_file(), ERR_RANGE);
	assert_string_equal(error, "kernel: no room for the loader's 124 KiB after the kernel, "
				   "which ends at 0x3fe1001");
}

static void a_pvh_kernel_may_be_low(void **unused)
{
	make_pvh64();
	put(file + 64 + 24, 0x1000, 8);
	put(file + 120 + 24, 0x2000, 8);
	put(file + NOTE + 16, 0x1010, 4);
	assert_int_equal(load_file(), OK);
	assert_int_equal(state.rip, 0x1010);
	assert_int_equal(state.rbx, 0x4000);
	assert_int_equal(peek(state.rbx, 4), 0x336ec578);
	assert_in_range(peek(state.rbx + 24, 8), 0x3000, 0x22000);
	assert_int_equal(peek(peek(state.rbx + 40, 8) + 24, 8), pc_map[1].addr);
}

static void the_bios_data_area_says_where_low_ram_ends(void **unused)
{
	static const struct e820_entry whole[] = {{0, RAM_SIZE, E820_RAM}};
	struct loader_input input;

	make_flat();
	assert_int_equal(load_file(), OK);
	assert_int_equal(peek(0x40e, 2), 0x9fc0);
	assert_int_equal(peek(0x413, 2), 639);
	assert_int_equal(ram[0x9fc00], 1);
	assert_int_equal(ram[0x410], 0xcc);
	assert_int_equal(ram[0x9fc01], 0xcc);
	/* Without a gap it is the end of low memory; with less RAM nothing is written beyond. */
	input = pc_input(file, FILE_LEN);
	input.e820 = whole;
	input.n_e820 = 1;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(0x40e, 2), 0xa000);
	assert_int_equal(peek(0x413, 2), 640);
	assert_int_equal(ram[0xa0000], 0xcc);
	make_flat_at(0x30000);
	input.ram_below_4g = KIB(512);
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(0x40e, 2), 0x8000);
	assert_int_equal(peek(0x413, 2), 512);
	assert_int_equal(ram[0x80000], 0xcc);
}

static void the_multiboot_information_is_complete(void **unused)
{
	static const uint8_t one[5000] = {1}, two[1] = {2};
	const struct loader_module modules[] = {
		{one, sizeof(one), "one with args"},
		{two, 0, "empty"},
		{two, sizeof(two), "two"},
	};

	make_multiboot32();
	struct loader_input input = pc_input(file, FILE_LEN);

	input.append = "a=b c";
	input.modules = modules;
	input.n_modules = ARRAY_SIZE(modules);
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(LOADER_INFO, 4), 0x24d);
	assert_int_equal(peek(LOADER_INFO + 4, 4), 0x9fc00 / 1024);
	assert_int_equal(peek(LOADER_INFO + 8, 4), (RAM_SIZE - MIB(1)) / 1024);
	assert_string_equal(ram + peek(LOADER_INFO + 16, 4), "kernel a=b c");
	assert_string_equal(ram + peek(LOADER_INFO + 64, 4), "stencil");
	assert_int_equal(peek(LOADER_INFO + 44, 4), 24 * ARRAY_SIZE(pc_map));
	for (size_t i = 0; i < ARRAY_SIZE(pc_map); i++) {
		uint64_t at = peek(LOADER_INFO + 48, 4) + 24 * i;

		assert_int_equal(peek(at, 4), 20);
		assert_int_equal(peek(at + 4, 8), pc_map[i].addr);
		assert_int_equal(peek(at + 12, 8), pc_map[i].len);
		assert_int_equal(peek(at + 20, 4), pc_map[i].type);
	}
	const uint64_t first = MIB(2) + 0x2000;
	const uint64_t starts[] = {first, first + 0x2000, first + 0x2000};

	assert_int_equal(peek(LOADER_INFO + 20, 4), ARRAY_SIZE(modules));
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		uint64_t at = peek(LOADER_INFO + 24, 4) + 16 * i;

		assert_int_equal(peek(at, 4), starts[i]);
		assert_int_equal(peek(at + 4, 4), starts[i] + modules[i].len);
		assert_string_equal(ram + peek(at + 8, 4), modules[i].cmdline);
		assert_memory_equal(ram + starts[i], modules[i].data, modules[i].len);
	}
	assert_int_equal(state.initrd_start.raw, first);
}

static void without_arguments_the_command_line_is_the_name(void **unused)
{
	make_multiboot32();
	assert_int_equal(load_file(), OK);
	assert_string_equal(ram + peek(LOADER_INFO + 16, 4), "kernel");
	assert_int_equal(peek(LOADER_INFO + 20, 4), 0);
}

static void modules_that_do_not_fit_are_refused(void **unused)
{
	static struct loader_module modules[LOADER_MODULES_MAX + 1];
	static uint8_t big[MIB(62)];
	struct loader_input input;

	make_multiboot32();
	input = pc_input(file, FILE_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		modules[i] = (struct loader_module){big, 1, "m"};
	input.modules = modules;
	input.n_modules = LOADER_MODULES_MAX;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(LOADER_MODULE_LIST + 16 * 255, 4), MIB(2) + 0x2000 + 255 * PAGE_SIZE);
	input.n_modules++;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: 257 modules, at most 256 are possible");
	modules[0].len = sizeof(big);
	input.n_modules = 1;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: no room for module 0 (m) of 65011712 bytes above "
				   "0x201800");
	modules[0].len = MIB(62) - 0x2000;
	assert_int_equal(load(input), OK);
}

static void strings_have_64_kib(void **unused)
{
	static char line[0x10001];
	const struct loader_module module = {line, 1, line};

	memset(line, 'x', 0x10000);
	make_multiboot32();
	struct loader_input input = pc_input(file, FILE_LEN);

	input.append = line;
	assert_int_equal(load(input), ERR_RANGE);
	assert_non_null(strstr(error, "the command line is 65537 bytes long, there is room for "));
	input.append = NULL;
	input.modules = &module;
	input.n_modules = 1;
	assert_int_equal(load(input), ERR_RANGE);
	assert_non_null(strstr(error, "the module's command line is 65537 bytes long"));
	line[0x10000 - 1 - strlen("kernel") - 1 - strlen("stencil") - 1] = '\0';
	assert_int_equal(load(input), OK);
}

static void a_plain_file_starts_in_the_mode_of_its_class(void **unused)
{
	make_elf64();
	struct loader_input input = pc_input(file, FILE_LEN);

	assert_int_equal(load(input), ERR_UNSUPPORTED);
	input.kind = LOADER_PLAIN;
	assert_int_equal(load(input), OK);
	assert_int_equal(state.kind, LOADER_PLAIN);
	assert_int_equal(state.mode, ENTRY_LONG64);
	assert_int_equal(state.rip, ENTRY);
	assert_int_equal(state.rbx, 0);
	assert_int_equal(state.page_tables.raw, LOADER_PAGE_TABLES);
	assert_int_equal(peek(LOADER_PAGE_TABLES, 8), LOADER_PAGE_TABLES + 0x1003);
	expect_segments();
	/* With the tables after a low file. */
	put(file + 64 + 24, 0x1000, 8);
	put(file + 120 + 24, 0x1800, 8);
	assert_int_equal(load(input), OK);
	assert_int_equal(state.rip, 0x1010);
	assert_int_equal(state.page_tables.raw, LOADER_PAGE_TABLES + 0x1000);
	assert_int_equal(peek(state.page_tables.raw, 8), LOADER_PAGE_TABLES + 0x2003);
	assert_int_equal(peek(LOADER_PAGE_TABLES + 0x2000, 8), LOADER_PAGE_TABLES + 0x3003);
	assert_int_equal(peek(LOADER_PAGE_TABLES + 0x3008, 8), MIB(2) + 0x83);
	make_elf32();
	assert_int_equal(load(input), OK);
	assert_int_equal(state.mode, ENTRY_PROTECTED32);
	assert_int_equal(state.page_tables.raw, 0);
	put(file + 24, LOAD_TEXT - 1, 4);
	assert_int_equal(load(input), ERR_CORRUPT);
	file[0]++;
	assert_int_equal(load(input), ERR_CORRUPT);
	assert_string_equal(error, "kernel: offset 0x0: no ELF header");
}

static void firmware_starts_as_a_processor_does(void **unused)
{
	static uint8_t firmware[3 * BIOS_ALIGN];
	struct loader_input input = pc_input(firmware, sizeof(firmware));

	firmware[BIOS_ALIGN] = 0x12; /* the first of the last 128 KiB */
	firmware[sizeof(firmware) - 1] = 0x34;
	input.kind = LOADER_BIOS;
	assert_int_equal(load(input), OK);
	assert_int_equal(state.mode, ENTRY_RESET);
	assert_int_equal(state.n_written, KIB(128));
	assert_int_equal(peek(MIB(1) - KIB(128), 1), 0x12);
	assert_int_equal(peek(MIB(1) - 1, 1), 0x34);
	assert_int_equal(peek(0x413, 2), 0xcccc);
	input.kernel_len = BIOS_ALIGN;
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(MIB(1) - KIB(64), 1), 0);
	assert_int_equal(state.kernel_start.raw, MIB(1) - KIB(64));
	input.ram_below_4g = MIB(1) - 1;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: firmware needs 1 MiB of RAM, the VM has 1023 KiB");
}

static void blobs_go_where_nothing_else_does(void **unused)
{
	static const uint8_t bytes[0x1000] = {1, 2, 3, 4};
	static const struct {
		uint64_t addr, len;
		enum status status;
		const char *message;
	} cases[] = {
		{0, 0x40e, OK, ""},
		{0, 0x40f, ERR_OVERLAP,
		 "0x40e to 0x410 is needed, where -device loader puts a, at "
		 "0x0 to 0x40f"},
		{LOAD_TEXT - 4, 4, OK, ""},
		{LOAD_TEXT - 4, 5, ERR_OVERLAP, "0x200000 to 0x200040 is needed"},
		{LOAD_TEXT + TEXT_LEN, 4, OK, ""},
		{LOAD_TEXT + TEXT_LEN - 1, 4, ERR_OVERLAP, "0x200000 to 0x200040 is needed"},
		{LOAD_DATA + DATA_LEN, 4, ERR_OVERLAP, "0x201020 to 0x201800 is needed"},
		{LOADER_GDT, 1, ERR_OVERLAP, "0x1000 to 0x1030 is needed"},
		{LOADER_STRINGS, 1, ERR_OVERLAP, "0x10000 to 0x10007 is needed"},
		{0x9fbff, 1, OK, ""},
		{0x9fc00, 1, ERR_OVERLAP, "0x9fc00 to 0x9fc01 is needed"},
		{0x9fc01, 1, ERR_RANGE, "-device loader puts a at 0x9fc01, 0x1 bytes, not all"},
		{RAM_SIZE - 1, 1, OK, ""},
		{RAM_SIZE - 1, 2, ERR_RANGE, "not all of which is RAM below 4 GiB"},
		{UINT64_MAX, 2, ERR_RANGE, "not all of which is RAM below 4 GiB"},
		{MIB(3) - 1, 1, OK, ""},
		{MIB(3) - 1, 2, ERR_OVERLAP,
		 "0x2fffff to 0x300001 is needed, where -device "
		 "loader puts b, at 0x300000 to 0x300001"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct loader_blob other = {NULL, "b", bytes, 1, MIB(3)};
		struct loader_blob blob = {&other, "a", bytes, cases[i].len, cases[i].addr};

		set_up(NULL);
		make_multiboot32();
		struct loader_input input = pc_input(file, FILE_LEN);

		input.blobs = &blob;
		enum status status = load(input);

		if (status != cases[i].status || strstr(error, cases[i].message) == NULL)
			fail_msg("case %zu: %d, says: %s", i, status, error);
		if (status != OK)
			continue;
		assert_memory_equal(ram + blob.addr, bytes, blob.len);
		assert_int_equal(ram[MIB(3)], 1);
		assert_int_equal(ram[MIB(3) + 1], 0xcc);
	}
}

struct damage {
	void (*make)(void);
	size_t offset, size;
	uint64_t value;
	enum status status;
	const char *message;
};

#define S32 52 /* first program header */
#define S64 64
#define MB  (TEXT + 0x20)

static const struct damage damages[] = {
	{make_multiboot32, 4, 1, 3, ERR_CORRUPT, "offset 0x4: the ELF class is neither"},
	{make_multiboot32, 5, 1, 2, ERR_UNSUPPORTED, "offset 0x5: not a little-endian ELF"},
	{make_multiboot32, 6, 1, 0, ERR_UNSUPPORTED, "offset 0x5: not a little-endian ELF"},
	{make_multiboot32, 16, 2, 1, ERR_UNSUPPORTED, "offset 0x10: the ELF type is 1"},
	{make_multiboot32, 18, 2, 62, ERR_UNSUPPORTED, "offset 0x12: the ELF machine 62 is"},
	{make_multiboot64, 18, 2, 3, ERR_UNSUPPORTED, "offset 0x12: the ELF machine 3 is"},
	{make_multiboot32, 0, 1, 0, ERR_CORRUPT, "offset 0x0: no ELF header"},
	{make_multiboot32, 44, 2, 0, ERR_CORRUPT, "offset 0x2a: 0 program headers"},
	{make_multiboot32, 44, 2, 129, ERR_CORRUPT, "offset 0x2a: 129 program headers"},
	{make_multiboot32, 42, 2, 31, ERR_CORRUPT, "offset 0x2a: 3 program headers of 31"},
	{make_multiboot64, 54, 2, 55, ERR_CORRUPT, "offset 0x36: 3 program headers of 55"},
	{make_multiboot32, 28, 4, FILE_LEN - 95, ERR_CORRUPT, "offset 0x1c: the program headers"},
	{make_multiboot64, 32, 8, UINT64_MAX, ERR_CORRUPT, "offset 0x20: the program headers"},
	{make_multiboot64, 32, 8, FILE_LEN - 167, ERR_CORRUPT, "offset 0x20: the program "},
	{make_multiboot32, S32 + 4, 4, FILE_LEN - 0x3f, ERR_CORRUPT, "offset 0x34: the segment's"},
	{make_multiboot64, S64 + 8, 8, UINT64_MAX, ERR_CORRUPT, "offset 0x40: the segment's"},
	{make_multiboot32, S32 + 16, 4, TEXT_LEN + 1, ERR_CORRUPT, "offset 0x34: the segment's"},
	{make_multiboot64, S64 + 24, 8, UINT64_MAX, ERR_RANGE, "offset 0x40: the segment at 0xff"},
	{make_multiboot64, S64 + 24, 8, GIB(4), ERR_RANGE, "offset 0x40: the segment at 0x1000"},
	{make_multiboot64, S64 + 40, 8, UINT64_MAX, ERR_RANGE, "offset 0x40: the segment at 0x2"},
	{make_multiboot32, S32 + 12, 4, 0x4ff, ERR_RANGE, "offset 0x34: the segment at 0x4ff is"},
	{make_multiboot32, S32 + 12, 4, 0, ERR_RANGE, "offset 0x34: the segment at 0x0"},
	{make_multiboot32, S32 + 12, 4, 0xa0000, ERR_RANGE, "needs RAM from 0xa0000 to 0xa0040"},
	{make_multiboot32, S32 + 12, 4, 0x9fbc1, ERR_RANGE, "needs RAM from 0x9fbc1 to 0x9fc01"},
	{make_multiboot32, S32 + 20, 4, MIB(63), ERR_RANGE, "65 MiB are needed, the VM has 64 MiB"},
	{make_multiboot32, S32 + 20, 4, 0x1001, ERR_CORRUPT,
	 "offset 0x54: the segment at 0x201000 overlaps the one at 0x200000"},
	{make_multiboot32, S32 + 32 + 12, 4, LOAD_TEXT - 1, ERR_CORRUPT, "overlaps the one at"},
	{make_multiboot32, 24, 4, LOAD_TEXT - 1, ERR_CORRUPT, "the entry point 0x1fffff is"},
	{make_multiboot32, 24, 4, LOAD_DATA + DATA_MEM, ERR_CORRUPT, "the entry point 0x201800"},
	{make_multiboot32, 44, 2, 1, OK, ""},
	{make_multiboot32, 16, 2, 3, OK, ""},
	{make_multiboot32, S32 + 12, 4, 0x20000, OK, ""},
	{make_multiboot32, S32 + 12, 4, 0x9fbc0, OK, ""},
	{make_multiboot32, S32 + 20, 4, 0x1000, OK, ""},
	{make_pvh64, NOTE + 16, 4, LOAD_TEXT - 1, ERR_CORRUPT, "the PVH entry point 0x1fffff is"},
	{make_pvh64, NOTE + 16, 4, LOAD_DATA + DATA_MEM, ERR_CORRUPT, "the PVH entry point 0x2018"},
	{make_pvh64, NOTE + 8, 4, 17, ERR_UNSUPPORTED, "not a Linux bzImage, Multiboot 1, PVH"},
	{make_pvh64, NOTE + 4, 4, 5, ERR_UNSUPPORTED, "not a Linux bzImage, Multiboot 1, PVH"},
	{make_pvh64, NOTE, 4, 0xffffffff, ERR_UNSUPPORTED, "not a Linux bzImage"},
	{make_pvh64, S64, 4, 6, ERR_CORRUPT, "the PVH entry point 0x200010 is outside"},
	{make_multiboot32, 28, 4, 116, ERR_CORRUPT, "offset 0x74: there is no segment to load"},
	{make_flat, 0x10c, 4, MIB(2) - 1, ERR_CORRUPT, "offset 0x110: the load address 0x200000"},
	{make_flat, 0x10c, 4, MIB(2) + 0x101, ERR_CORRUPT, "offset 0x110: the load address"},
	{make_flat, 0x110, 4, 0x1f000, ERR_CORRUPT, "offset 0x110: the load address 0x1f000"},
	{make_flat, 0x114, 4, MIB(2) - 1, ERR_CORRUPT, "offset 0x114: 0x200000, 0x1fffff and"},
	{make_flat, 0x114, 4, MIB(2) + FILE_LEN - 0x7f, ERR_CORRUPT, "offset 0x114: 0x1e1 bytes"},
	{make_flat, 0x118, 4, MIB(2) + FILE_LEN - 0x81, ERR_CORRUPT, "offset 0x114: 0x200000"},
	{make_flat, 0x118, 4, MIB(65), ERR_RANGE, "65 MiB are needed, the VM has 64 MiB"},
	{make_flat, 0x11c, 4, MIB(2) - 1, ERR_CORRUPT, "offset 0x11c: the entry point 0x1fffff"},
	{make_flat, 0x11c, 4, MIB(2) + FILE_LEN - 0x40, ERR_CORRUPT, "offset 0x11c: the entry"},
	{make_flat, 0x11c, 4, MIB(2) + FILE_LEN - 0x41, OK, ""},
	{make_flat, 0x11c, 4, MIB(2), OK, ""},
};

static void what_an_elf_file_and_a_header_may_say(void **unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *damage = &damages[i];

		set_up(NULL);
		damage->make();
		put(file + damage->offset, damage->value, damage->size);
		enum status status = load_file();

		if (status != damage->status || strstr(error, damage->message) == NULL)
			fail_msg("case %zu: %d, says: %s", i, status, error);
		if (status == OK)
			continue;
		assert_memory_equal(error, "kernel: ", 8);
		assert_int_equal(*(uint8_t *)&state, 0xee);
	}
}

static void unknown_multiboot_flags_are_refused(void **unused)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		make_multiboot32();
		put_multiboot(MB, 1u << bit);
		if (bit == 16)
			continue;
		assert_int_equal(load_file(), bit > 2 && bit < 16 ? ERR_UNSUPPORTED : OK);
		if (bit > 2 && bit < 16)
			assert_non_null(strstr(error, "kernel: offset 0x224: the Multiboot flags"));
	}
}

static void a_multiboot_header_is_within_8_kib_and_aligned(void **unused)
{
	make_elf32();
	for (size_t at = 0x260; at < 0x2100; at++) {
		put_multiboot(at, 0);
		bool good = at % 4 == 0 && at + 12 <= 8192;

		assert_int_equal(loader_detect(file, sizeof(file)),
				 good ? LOADER_MULTIBOOT : LOADER_NONE);
		assert_int_equal(loader_detect(file, at + 11), LOADER_NONE);
		file[at + 8]++;
		assert_int_equal(loader_detect(file, sizeof(file)), LOADER_NONE);
		memset(file + at, 0, 12);
	}
}

static void every_truncation_is_refused(void **unused)
{
	static void (*const makers[])(void) = {make_pvh32, make_pvh64, make_multiboot32,
					       make_multiboot64, make_flat};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i]();
		for (size_t len = 0; len < FILE_LEN; len++) {
			assert_int_not_equal(load(pc_input(file, len)), OK);
			assert_memory_equal(error, "kernel: ", 8);
		}
		assert_int_equal(load_file(), OK);
	}
}

static void a_failing_write_is_passed_on(void **unused)
{
	static void (*const makers[])(void) = {make_pvh32, make_multiboot64, make_flat};
	static const uint8_t byte[1] = {1};
	const struct loader_module module = {byte, 1, "m"};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i]();
		struct loader_input input = pc_input(file, FILE_LEN);
		int n = 0;

		input.append = "x";
		input.modules = &module;
		input.n_modules = 1;
		for (enum status status = ERR_NOMEM; status != OK; n++) {
			writes_left = n;
			status = load(input);
			if (status == OK)
				break;
			assert_int_equal(status, ERR_NOMEM);
			assert_non_null(strstr(error, "no frames are left for guest memory 0x"));
			assert_int_equal(*(uint8_t *)&state, 0xee);
		}
		assert_true(n > 20);
		writes_left = -1;
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pvh_kernels_of_both_classes_are_loaded),
		TEST(the_start_info_tells_what_was_asked_for),
		TEST(without_files_there_is_no_module),
		TEST(a_module_does_not_share_the_kernels_last_page),
		TEST(the_note_is_found_among_others),
		TEST(a_note_cut_short_is_none),
		TEST(multiboot_kernels_are_loaded),
		TEST(multiboot_comes_before_pvh),
		TEST(a_flat_kernel_goes_where_its_header_says),
		TEST(the_loaders_memory_moves_away_from_a_low_kernel),
		TEST(a_low_segment_and_its_modules_keep_apart),
		TEST(a_pvh_kernel_may_be_low),
		TEST(the_bios_data_area_says_where_low_ram_ends),
		TEST(the_multiboot_information_is_complete),
		TEST(without_arguments_the_command_line_is_the_name),
		TEST(modules_that_do_not_fit_are_refused),
		TEST(strings_have_64_kib),
		TEST(a_plain_file_starts_in_the_mode_of_its_class),
		TEST(firmware_starts_as_a_processor_does),
		TEST(blobs_go_where_nothing_else_does),
		TEST(what_an_elf_file_and_a_header_may_say),
		TEST(unknown_multiboot_flags_are_refused),
		TEST(a_multiboot_header_is_within_8_kib_and_aligned),
		TEST(every_truncation_is_refused),
		TEST(a_failing_write_is_passed_on),
	};

	ram = malloc(RAM_SIZE);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(ram);
	return failed;
}
