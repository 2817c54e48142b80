/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 2 kernels with headers made by hand. With a folder as argument, the program writes one
 * file of each kind there, for another reader of such headers.
 */
#include <stdio.h>

#include "hv/loader/acpi.h"
#include "hv/loader/load.h"

#include "tests/unit/support.h"

#include "tests/unit/loader_ram.h"

#define FILE_LEN 0x400
#define HEADER	 0x100 /* of the Multiboot 2 header */
#define TEXT	 0x200
#define TEXT_LEN 0x80
#define LOAD	 MIB(2)
#define ENTRY	 (LOAD + 0x10)
#define OPTIONAL 1

static uint8_t file[FILE_LEN];
static size_t header_len;
static char error[256];
static struct loader_state state;

static void put(size_t at, uint64_t v, size_t size)
{
	memcpy(file + at, &v, size);
}

static uint64_t peek(uint64_t gpa, size_t size)
{
	uint64_t v = 0;

	assert_true(gpa + size <= RAM_SIZE);
	memcpy(&v, ram + gpa, size);
	return v;
}

/* The header's length, and the checksum that fits it. */
static void finish_header(void)
{
	put(HEADER, 0xe85250d6, 4);
	put(HEADER + 4, 0, 4);
	put(HEADER + 8, header_len, 4);
	put(HEADER + 12, (uint32_t) - (0xe85250d6 + header_len), 4);
}

/* Append a tag of 32-bit fields before the end tag. Returns its offset in the file. */
static size_t add_tag(uint16_t type, uint16_t flags, size_t n, const uint32_t *fields)
{
	size_t at = HEADER + header_len - 8, len = 8 + 4 * n;

	put(at, type, 2);
	put(at + 2, flags, 2);
	put(at + 4, len, 4);
	memcpy(file + at + 8, fields, 4 * n);
	if (n % 2 != 0)
		put(at + len, 0, 4);
	header_len += align_up(len, 8);
	put(HEADER + header_len - 8, 0, 4);
	put(HEADER + header_len - 4, 8, 4);
	finish_header();
	return at;
}

#define TAG(type, flags, ...) \
	add_tag(type, flags, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static void begin_header(void)
{
	header_len = 24;
	put(HEADER + 16, 0, 4);
	put(HEADER + 20, 8, 4);
	finish_header();
}

/* An ELF of one segment, with four sections: none, text, symbols, strings. */
static void make_elf(bool is64)
{
	static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};

	memset(file, 0, sizeof(file));
	memcpy(file, magic, sizeof(magic));
	put(4, is64 ? 2 : 1, 1);
	put(5, 0x101, 2);
	put(16, 2, 2);
	put(18, is64 ? 62 : 3, 2);
	memset(file + TEXT, 0x90, TEXT_LEN);
	memset(file + 0x380, 's', 0x20);
	begin_header();
}

static void make_elf64(void)
{
	make_elf(true);
	put(24, ENTRY, 8);
	put(32, 64, 8);	   /* program headers */
	put(40, 0x280, 8); /* section headers */
	put(54, 56, 2);
	put(56, 1, 2);
	put(58, 64, 2);
	put(60, 4, 2);
	put(62, 3, 2);
	put(64, 1, 4);
	put(64 + 8, 0, 8);
	put(64 + 16, LOAD, 8);
	put(64 + 24, LOAD, 8);
	put(64 + 32, FILE_LEN, 8);
	put(64 + 40, 0x1000, 8);
	put(0x280 + 64 + 4, 1, 4); /* text: loaded at LOAD */
	put(0x280 + 64 + 16, LOAD + TEXT, 8);
	put(0x280 + 64 + 24, TEXT, 8);
	put(0x280 + 64 + 32, TEXT_LEN, 8);
	put(0x280 + 128 + 4, 2, 4); /* symbols: not loaded */
	put(0x280 + 128 + 24, 0x380, 8);
	put(0x280 + 128 + 32, 0x20, 8);
	put(0x280 + 192 + 4, 8, 4); /* no bits */
	put(0x280 + 192 + 24, 0x380, 8);
	put(0x280 + 192 + 32, 0x20, 8);
}

static void make_elf32(void)
{
	make_elf(false);
	put(24, ENTRY, 4);
	put(28, 52, 4);
	put(32, 0x280, 4);
	put(42, 32, 2);
	put(44, 1, 2);
	put(46, 40, 2);
	put(48, 3, 2);
	put(50, 2, 2);
	put(52, 1, 4);
	put(52 + 4, 0, 4);
	put(52 + 8, LOAD, 4);
	put(52 + 12, LOAD, 4);
	put(52 + 16, FILE_LEN, 4);
	put(52 + 20, 0x1000, 4);
	put(0x280 + 40 + 4, 1, 4);
	put(0x280 + 40 + 12, LOAD + TEXT, 4);
	put(0x280 + 40 + 16, TEXT, 4);
	put(0x280 + 40 + 20, TEXT_LEN, 4);
	put(0x280 + 80 + 4, 3, 4);
	put(0x280 + 80 + 16, 0x380, 4);
	put(0x280 + 80 + 20, 0x20, 4);
}

/* No ELF: all from TEXT on goes to LOAD, to the end of the file. */
static void make_flat(void)
{
	memset(file, 0, sizeof(file));
	memset(file + TEXT, 0xab, FILE_LEN - TEXT);
	begin_header();
	TAG(2, 0, LOAD - TEXT + HEADER + TEXT, LOAD - TEXT + TEXT, 0, LOAD + 0x1000);
	put(HEADER + 16 + 8, LOAD + HEADER, 4);
	put(HEADER + 16 + 12, LOAD, 4);
	TAG(3, 0, ENTRY);
}

static enum status load(struct loader_input input)
{
	uint8_t *exact = malloc(input.kernel_len + 1);
	uint8_t *kernel = exact + 1;

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

static void expect_loaded(void)
{
	if (load_file() != OK)
		fail_msg("%s", error);
}

static void expect_refused(enum status status, const char *message)
{
	enum status got = load_file();

	if (got != status || strstr(error, message) == NULL)
		fail_msg("%d, says: %s", got, error);
	assert_memory_equal(error, "kernel: ", 8);
	assert_int_equal(*(uint8_t *)&state, 0xee);
}

static int set_up(void **unused)
{
	memset(ram, 0xcc, MIB(4));
	writes_left = -1;
	return 0;
}

/* The tag of a type in the information, or 0; 'n' of them come before it. */
static uint64_t find_tag(uint32_t type, unsigned n)
{
	uint64_t at = state.rbx + 8, end = state.rbx + peek(state.rbx, 4);

	for (;;) {
		assert_true(at % 8 == 0 && at + 8 <= end);
		uint64_t size = peek(at + 4, 4);

		assert_true(size >= 8 && at + size <= end);
		if (peek(at, 4) == type && n-- == 0)
			return at;
		if (peek(at, 4) == 0) {
			assert_int_equal(at + size, end);
			return 0;
		}
		at = align_up(at + size, 8);
	}
}

static void kernels_of_all_forms_are_loaded(void **unused)
{
	static void (*const makers[])(void) = {make_elf32, make_elf64, make_flat};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		set_up(NULL);
		makers[i]();
		expect_loaded();
		assert_int_equal(state.kind, LOADER_MULTIBOOT2);
		assert_int_equal(state.mode, ENTRY_PROTECTED32);
		assert_int_equal(state.rip, ENTRY);
		assert_int_equal(state.rax, 0x36d76289);
		assert_int_equal(state.rbx, LOADER_INFO);
		assert_int_equal(state.kernel_start.raw, LOAD);
		assert_int_equal(state.kernel_end.raw, LOAD + 0x1000);
		assert_memory_equal(ram + LOAD, file, FILE_LEN);
		assert_int_equal(ram[LOAD + FILE_LEN], 0);
		assert_int_equal(ram[LOAD + 0xfff], 0);
		assert_int_equal(ram[LOAD + 0x1000], 0xcc);
		assert_int_equal(peek(0x413, 2), 639);
	}
}

static void the_information_is_complete(void **unused)
{
	static const uint8_t one[5000] = {1}, two[1] = {2};
	const struct loader_module modules[] = {
		{one, sizeof(one), "one with args"},
		{two, sizeof(two), "two"},
	};
	static const uint8_t zeros[ACPI_RSDP_SIZE];
	uint8_t rsdp[ACPI_RSDP_SIZE];
	struct loader_input input;
	uint64_t at;

	make_elf32();
	input = pc_input(file, FILE_LEN);
	input.append = "a=b c";
	input.acpi_rsdp = (gpa_t){0xe0000};
	input.modules = modules;
	input.n_modules = ARRAY_SIZE(modules);
	assert_int_equal(load(input), OK);
	assert_int_equal(peek(state.rbx + 4, 4), 0);
	assert_string_equal(ram + find_tag(1, 0) + 8, "a=b c");
	assert_string_equal(ram + find_tag(2, 0) + 8, "stencil");
	at = find_tag(4, 0);
	assert_int_equal(peek(at + 8, 4), 639);
	assert_int_equal(peek(at + 12, 4), (RAM_SIZE - MIB(1)) / 1024);
	at = find_tag(6, 0);
	assert_int_equal(peek(at + 4, 4), 16 + 24 * ARRAY_SIZE(pc_map));
	assert_int_equal(peek(at + 8, 4), 24);
	assert_int_equal(peek(at + 12, 4), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pc_map); i++) {
		assert_int_equal(peek(at + 16 + 24 * i, 8), pc_map[i].addr);
		assert_int_equal(peek(at + 24 + 24 * i, 8), pc_map[i].len);
		assert_int_equal(peek(at + 32 + 24 * i, 8), pc_map[i].type);
	}
	at = find_tag(3, 0);
	assert_int_equal(peek(at + 8, 4), LOAD + 0x1000);
	assert_int_equal(peek(at + 12, 4), LOAD + 0x1000 + sizeof(one));
	assert_string_equal(ram + at + 16, "with args");
	assert_memory_equal(ram + LOAD + 0x1000, one, sizeof(one));
	at = find_tag(3, 1);
	assert_int_equal(peek(at + 8, 4), LOAD + 0x3000);
	assert_string_equal(ram + at + 16, "");
	assert_int_equal(find_tag(3, 2), 0);
	acpi_make_rsdp(0xe0000, rsdp);
	assert_memory_not_equal(rsdp, zeros, sizeof(rsdp));
	assert_memory_equal(ram + find_tag(15, 0) + 8, rsdp, sizeof(rsdp));
	/* Not asked for, or not there. */
	assert_int_equal(find_tag(9, 0), 0);
	assert_int_equal(find_tag(21, 0), 0);
	assert_int_equal(find_tag(14, 0), 0);
}

static void sections_are_told_when_they_are_asked_for(void **unused)
{
	uint64_t at;

	make_elf64();
	TAG(1, 0, 9);
	expect_loaded();
	at = find_tag(9, 0);
	assert_int_equal(peek(at + 4, 4), 20 + 4 * 64);
	assert_int_equal(peek(at + 8, 4), 4);
	assert_int_equal(peek(at + 12, 4), 64);
	assert_int_equal(peek(at + 16, 4), 3);
	assert_int_equal(peek(at + 20 + 64 + 16, 8), LOAD + TEXT);
	assert_int_equal(peek(at + 20 + 128 + 16, 8), LOAD + 0x1000);
	assert_memory_equal(ram + LOAD + 0x1000, file + 0x380, 0x20);
	assert_int_equal(peek(at + 20 + 192 + 16, 8), 0);
	assert_int_equal(state.kernel_end.raw, LOAD + 0x1020);

	set_up(NULL);
	make_elf32();
	TAG(1, OPTIONAL, 9);
	expect_loaded();
	at = find_tag(9, 0);
	assert_int_equal(peek(at + 8, 4), 3);
	assert_int_equal(peek(at + 12, 4), 40);
	assert_int_equal(peek(at + 20 + 80 + 12, 4), LOAD + 0x1000);
	/* Without sections, and in a flat file, there are none to tell. */
	put(48, 0, 2);
	expect_loaded();
	assert_int_equal(find_tag(9, 0), 0);
	make_flat();
	TAG(1, 0, 9);
	expect_loaded();
	assert_int_equal(find_tag(9, 0), 0);
}

static void damaged_sections_are_refused(void **unused)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		enum status status;
		const char *message;
	} cases[] = {
		{58, 2, 63, ERR_CORRUPT, "offset 0x3a: 4 section headers of 63 bytes"},
		{40, 8, FILE_LEN - 255, ERR_CORRUPT, "offset 0x28: the section headers at 0x301"},
		{40, 8, UINT64_MAX, ERR_CORRUPT, "offset 0x28: the section headers at 0xff"},
		{0x280 + 128 + 24, 8, FILE_LEN - 0x1f, ERR_CORRUPT, "offset 0x300: the section's"},
		{0x280 + 128 + 24, 8, UINT64_MAX, ERR_CORRUPT, "offset 0x300: the section's"},
		{0x280 + 128 + 32, 8, UINT64_MAX, ERR_CORRUPT, "offset 0x300: the section's"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_elf64();
		TAG(1, 0, 9);
		put(cases[i].at, cases[i].value, cases[i].size);
		expect_refused(cases[i].status, cases[i].message);
	}
	make_elf64();
	TAG(1, 0, 9);
	put(64 + 40, RAM_SIZE - LOAD, 8);
	expect_refused(ERR_RANGE, "no room for a section of 0x20 bytes after the kernel");
}

static void what_the_machine_lacks_may_only_be_optional(void **unused)
{
	static const struct {
		uint16_t type;
		uint32_t field;
		const char *message;
	} cases[] = {
		{1, 5, "offset 0x118: the kernel requires information of type 5"},
		{1, 8, "offset 0x118: the kernel requires information of type 8"},
		{1, 14, "offset 0x118: the kernel requires information of type 14"},
		{1, 22, "offset 0x118: the kernel requires information of type 22"},
		{4, 1, "offset 0x110: the kernel requires a text console"},
		{5, 0, "offset 0x110: the kernel requires a framebuffer"},
		{11, 0, "offset 0x110: the kernel requires what the unknown tag 11 means"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_elf32();
		TAG(cases[i].type, 0, cases[i].field, 0, 0);
		expect_refused(ERR_UNSUPPORTED, cases[i].message);
		make_elf32();
		TAG(cases[i].type, OPTIONAL, cases[i].field, 0, 0);
		expect_loaded();
	}
	make_elf32();
	TAG(1, 0, 1, 2, 3, 4, 6, 9, 15, 21);
	TAG(4, 0, 2);
	TAG(6, 0);
	TAG(7, 0);
	TAG(8, 0, ENTRY);
	TAG(9, 0, ENTRY);
	expect_loaded();
}

static void the_entry_tag_replaces_the_elfs_entry(void **unused)
{
	make_elf64();
	TAG(3, 0, ENTRY + 4);
	expect_loaded();
	assert_int_equal(state.rip, ENTRY + 4);
	make_elf64();
	TAG(3, 0, LOAD + 0x1000);
	expect_refused(ERR_CORRUPT, "the entry point 0x201000 is outside the kernel");
	make_flat();
	put(HEADER + 16 + 24 + 8, LOAD - 1, 4);
	expect_refused(ERR_CORRUPT, "the entry point 0x1fffff is outside the kernel");
}

static void a_relocatable_kernel_goes_where_it_may(void **unused)
{
	static const struct {
		uint32_t min, max, align, preference;
		uint64_t place; /* 0: refused */
	} cases[] = {
		{0, UINT32_MAX, 0x1000, 0, LOAD},
		{0, UINT32_MAX, 0x1000, 1, MIB(1)},
		{0, UINT32_MAX, 0x1000, 2, RAM_SIZE - 0x1000},
		{0, UINT32_MAX, 0x200000, 2, RAM_SIZE - 0x200000},
		{MIB(3), UINT32_MAX, 0x1000, 0, MIB(3)},
		{MIB(3) + 1, UINT32_MAX, 0x10000, 0, MIB(3) + 0x10000},
		{0, LOAD + 0xfff, 0x1000, 0, LOAD},
		{0, LOAD + 0xffe, 0x1000, 0, MIB(1)},
		{0, LOAD + 0xffe, 0x1000, 2, LOAD - 0x1000},
		{0, UINT32_MAX, 0x400000, 0, MIB(4)},
		{0, MIB(1) + 0xffe, 0x1000, 1, 0},
		{0, MIB(1) + 0xffe, 0x1000, 2, 0},
		{RAM_SIZE - 0xfff, UINT32_MAX, 1, 0, 0},
		{RAM_SIZE - 0xfff, UINT32_MAX, 1, 2, 0},
		{RAM_SIZE - 0x1000, UINT32_MAX, 1, 0, RAM_SIZE - 0x1000},
		{MIB(9), MIB(8), 1, 2, 0},
	};
	static void (*const makers[])(void) = {make_elf32, make_elf64, make_flat};

	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(makers); i++) {
		uint64_t place = cases[i / 3].place;

		set_up(NULL);
		makers[i % 3]();
		TAG(10, 0, cases[i / 3].min, cases[i / 3].max, cases[i / 3].align,
		    cases[i / 3].preference);
		if (place == 0) {
			expect_refused(ERR_RANGE, "no room for the kernel's 0x1000 bytes from 0x");
			continue;
		}
		expect_loaded();
		if (state.kernel_start.raw != place)
			fail_msg("case %zu: 0x%lx", i / 3, state.kernel_start.raw);
		assert_int_equal(state.rip, place + 0x10);
		assert_memory_equal(ram + place, file, FILE_LEN);
		assert_int_equal(peek(find_tag(21, 0) + 8, 4), place);
	}
}

static void damaged_headers_are_refused(void **unused)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		const char *message;
	} cases[] = {
		{HEADER + 16 + 4, 4, 7, "offset 0x110: a tag of 0x7 bytes does not fit"},
		{HEADER + 16 + 4, 4, 0x41, "offset 0x110: a tag of 0x41 bytes does not fit"},
		{HEADER + 16 + 4, 4, 23, "offset 0x110: a tag of type 10 has 23 bytes, not 24"},
		{HEADER + 16 + 16, 4, 0, "offset 0x120: the alignment 0x0 is not a power of two"},
		{HEADER + 16 + 16, 4, 3, "offset 0x120: the alignment 0x3 is not a power of two"},
		{HEADER + 16 + 20, 4, 3, "offset 0x124: the kernel's preferred place is 3"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_elf32();
		TAG(10, 0, 0, UINT32_MAX, 0x1000, 0);
		TAG(3, 0, ENTRY);
		put(cases[i].at, cases[i].value, cases[i].size);
		expect_refused(ERR_CORRUPT, cases[i].message);
	}
	make_elf32();
	header_len = 16; /* no end tag */
	finish_header();
	expect_refused(ERR_CORRUPT, "offset 0x110: the Multiboot 2 header ends here");
	header_len = FILE_LEN - HEADER + 1;
	finish_header();
	expect_refused(ERR_CORRUPT, "offset 0x108: the Multiboot 2 header ends at 0x401");
	make_flat();
	put(HEADER + 16 + 24, 0xffff, 2); /* in place of the entry tag */
	put(HEADER + 16 + 24 + 2, OPTIONAL, 2);
	expect_refused(ERR_CORRUPT, "offset 0x100: the header gives the kernel's addresses");
}

static void a_flat_kernel_may_be_the_whole_file(void **unused)
{
	make_flat();
	put(HEADER + 16 + 12, UINT32_MAX, 4);
	expect_loaded();
	assert_int_equal(state.kernel_start.raw, LOAD);
	make_flat();
	put(HEADER + 16 + 12, LOAD + 1, 4); /* after the start of the file */
	expect_loaded();
	assert_int_equal(state.kernel_start.raw, LOAD + 1);
	assert_memory_equal(ram + LOAD + 1, file + 1, FILE_LEN - 1);
	put(HEADER + 16 + 12, LOAD - 1, 4);
	expect_refused(ERR_CORRUPT, "offset 0x11c: the load address 0x1fffff does not fit");
	/* The header's address is lower than its offset: a start of the file below 0. */
	put(HEADER + 16 + 8, HEADER - 1, 4);
	put(HEADER + 16 + 12, UINT32_MAX, 4);
	expect_refused(ERR_CORRUPT, "offset 0x11c: the load address 0xff");
}

static void a_low_kernel_moves_the_information(void **unused)
{
	make_flat();
	TAG(10, 0, 0, 0x1fff, 0x1000,
	    0); /* no place but 0x1000, which the loader would not choose */
	expect_refused(ERR_RANGE, "no room for the kernel's");
	make_elf32();
	put(52 + 12, 0x2000, 4);
	expect_loaded();
	assert_int_equal(state.rbx, 0x4000);
	assert_memory_equal(ram + 0x2000, file, FILE_LEN);
	assert_string_equal(ram + find_tag(2, 0) + 8, "stencil");
}

static void too_long_an_information_is_refused(void **unused)
{
	static char line[0x1e000];
	struct loader_input input;

	memset(line, 'x', sizeof(line) - 1);
	make_elf32();
	input = pc_input(file, FILE_LEN);
	input.append = line;
	assert_int_equal(load(input), ERR_RANGE);
	assert_string_equal(error, "kernel: the Multiboot 2 information is longer than 120 KiB");
	line[0x1d000] = '\0';
	assert_int_equal(load(input), OK);
}

static void the_header_is_aligned_and_within_32_kib(void **unused)
{
	static uint8_t big[0x8100];

	make_elf32();
	for (size_t at = 0x7f00; at < 0x8080; at++) {
		bool good = at % 8 == 0 && at + 16 <= 0x8000;

		memset(big, 0, sizeof(big));
		memcpy(big + at, file + HEADER, 16);
		assert_int_equal(loader_detect(big, sizeof(big)),
				 good ? LOADER_MULTIBOOT2 : LOADER_NONE);
		assert_int_equal(loader_detect(big, at + 15), LOADER_NONE);
		big[at + 12]++;
		assert_int_equal(loader_detect(big, sizeof(big)), LOADER_NONE);
		big[at + 12]--;
		big[at + 4] = 4; /* MIPS, with the checksum that fits it */
		big[at + 12] -= 4;
		assert_int_equal(loader_detect(big, sizeof(big)), LOADER_NONE);
	}
}

static void every_truncation_is_refused(void **unused)
{
	static void (*const makers[])(void) = {make_elf32, make_elf64};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i]();
		TAG(1, 0, 9);
		for (size_t len = 0; len < FILE_LEN; len++) {
			assert_int_not_equal(load(pc_input(file, len)), OK);
			assert_memory_equal(error, "kernel: ", 8);
		}
		expect_loaded();
	}
}

static void a_failing_write_is_passed_on(void **unused)
{
	static void (*const makers[])(void) = {make_elf32, make_elf64, make_flat};
	static const uint8_t byte[1] = {1};
	const struct loader_module module = {byte, 1, "m n"};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i]();
		TAG(1, 0, 9);
		TAG(10, 0, 0, UINT32_MAX, 0x1000, 0);
		struct loader_input input = pc_input(file, FILE_LEN);
		enum status status;
		int n = 0;

		input.modules = &module;
		input.n_modules = 1;
		input.acpi_rsdp = (gpa_t){0xe0000};
		for (;; n++) {
			writes_left = n;
			status = load(input);
			if (status == OK)
				break;
			assert_int_equal(status, ERR_NOMEM);
			assert_int_equal(*(uint8_t *)&state, 0xee);
		}
		assert_true(n > 30);
		writes_left = -1;
	}
}

static void write_file(const char *folder, const char *name, void (*make)(void))
{
	char path[300];
	FILE *out;

	make();
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "wb");
	if (out == NULL)
		exit(1);
	fwrite(file, 1, FILE_LEN, out);
	fclose(out);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(kernels_of_all_forms_are_loaded),
		TEST(the_information_is_complete),
		TEST(sections_are_told_when_they_are_asked_for),
		TEST(damaged_sections_are_refused),
		TEST(what_the_machine_lacks_may_only_be_optional),
		TEST(the_entry_tag_replaces_the_elfs_entry),
		TEST(a_relocatable_kernel_goes_where_it_may),
		TEST(damaged_headers_are_refused),
		TEST(a_flat_kernel_may_be_the_whole_file),
		TEST(a_low_kernel_moves_the_information),
		TEST(too_long_an_information_is_refused),
		TEST(the_header_is_aligned_and_within_32_kib),
		TEST(every_truncation_is_refused),
		TEST(a_failing_write_is_passed_on),
	};

	if (argc > 1) {
		write_file(argv[1], "elf32", make_elf32);
		write_file(argv[1], "elf64", make_elf64);
		write_file(argv[1], "flat", make_flat);
		return 0;
	}
	ram = malloc(RAM_SIZE);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(ram);
	return failed;
}
