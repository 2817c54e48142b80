/* SPDX-License-Identifier: BSD-2-Clause */
/* -bios: read, resolved, opened and given its place below 4 GiB, or refused. */
#include "hv/config/read.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "hv/config/kernel_input.h"
#include "hv/config/layout.h"
#include "hv/frame/phys.h"
#include "tests/unit/machine_frames.h"

static char memory[1 << 16] __attribute__((aligned(16)));
static char bios[KIB(128)] __attribute__((aligned(PAGE_SIZE)));
static struct config config;
static struct image files[] = {
	{.path = "/bios", .mode = 0644, .size = KIB(128), .aligned = true},
	{.path = "/odd", .mode = 0644, .size = KIB(64) + 1, .aligned = true},
	{.path = "/empty", .mode = 0644, .aligned = true},
	{.path = "/large", .mode = 0644, .size = MIB(16) + KIB(64), .aligned = true},
};

static int make_ramdisk(void **state)
{
	machine_frames_add(GIB(64));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		files[i].base = virt_to_phys(bios);
		files[i].next = i + 1 < ARRAY_SIZE(files) ? &files[i + 1] : NULL;
	}
	return 0;
}

/* Everything that is reported. */
static const char *reported(const char *options)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list images = {.first = files, .arena = &arena};
	struct diag diag = {.file = "c"};
	char text[500];

	snprintf(text, sizeof(text), "vm v %s", options);
	log_reset();
	if (config_parse(text, strlen(text), &arena, &diag, &config) == OK)
		(void)config_open(&config, &images, &diag);
	return logged;
}

static void firmware_ends_at_4_gib(void **state)
{
	static struct mem_map map;
	struct e820_entry e820[KERNEL_E820_MAX];
	const struct mem_region *region;
	struct loader_input input;

	assert_string_equal(reported("-m 16M -bios /bios"), "");
	input = kernel_input(config.vms, e820);
	assert_int_equal(input.kind, LOADER_BIOS);
	assert_int_equal(input.kernel_len, KIB(128));
	assert_int_equal(memory_layout(config.vms, &map), OK);
	assert_int_equal(map.n, 2);
	region = mem_map_find(&map, (gpa_t){GIB(4) - 1});
	assert_non_null(region);
	assert_int_equal(region->gpa.raw, GIB(4) - KIB(128));
	assert_int_equal(region->len, KIB(128));
	assert_int_equal(region->kind, MEM_COW);
	assert_ptr_equal(region->image, &files[0]);
}

static void firmware_has_the_pcs_timers_unless_told_otherwise(void **state)
{
	static const struct {
		const char *options;
		bool pic, pit;
	} cases[] = {
		{"-bios /bios", true, true},
		{"-machine microvm,pic=auto,pit=off -bios /bios", true, false},
		{"-machine pic=off -machine pit=auto -bios /bios", false, true},
		{"-machine pit=on -incoming file:/bios", false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)reported(cases[i].options);
		assert_int_equal(config.vms->has_pic, cases[i].pic);
		assert_int_equal(config.vms->has_pit, cases[i].pit);
	}
}

static void what_cannot_be_started_is_refused(void **state)
{
	static const struct {
		const char *options, *message;
	} cases[] = {
		{"-bios /none",
		 "c:1:12: could not open kernel file '/none': No such file or directory"},
		{"-bios /odd",
		 "c:1:12: could not load PC BIOS '/odd': its size is not a multiple of"},
		{"-bios /empty",
		 "could not load PC BIOS '/empty': its size is not a multiple of 64"},
		{"-bios /large", "could not load PC BIOS '/large': it is larger than 16 MiB"},
		{"-bios /bios -kernel /bios", "c:1:12: -kernel and -bios exclude each other"},
		{"-bios /bios -device loader,file=/bios,cpu-num=0",
		 "-bios and cpu-num of -device loader exclude each other"},
		{"-bios /bios -append x", "-append only allowed with -kernel option"},
		{"-bios /bios -initrd /x", "-initrd only allowed with -kernel option"},
		{"-bios /bios -device vmgenid", "a guest with -bios gets no ACPI tables"},
		{"-bios /bios -device acpi-watchdog", "a guest with -bios gets no ACPI tables"},
		{"-bios /bios -device virtio-rng-device", "a guest with -bios gets no ACPI tables"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(reported(cases[i].options), cases[i].message);

		if (at == NULL || strstr(logged, "error") != strstr(logged, "error: c:1"))
			fail_msg("case %zu says: %s", i, logged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_ends_at_4_gib),
		cmocka_unit_test(firmware_has_the_pcs_timers_unless_told_otherwise),
		cmocka_unit_test(what_cannot_be_started_is_refused),
	};

	return cmocka_run_group_tests(tests, make_ramdisk, NULL);
}
