/* SPDX-License-Identifier: BSD-2-Clause */
/* -bios: read, resolved, opened and given its place below 4 GiB, or refused. */
#define _GNU_SOURCE
#include "hv/config/read.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "hv/config/kernel_input.h"
#include "hv/config/layout.h"
#include "hv/config/vm_fw_cfg.h"
#include "hv/frame/phys.h"
#include "tests/unit/machine_frames.h"

static char memory[1 << 20] __attribute__((aligned(16)));
static char bios[KIB(128)] __attribute__((aligned(PAGE_SIZE)));
static uint8_t linux_file[KIB(40)], rom[KIB(1)] = {0x55, 0xaa, 2};
static struct config config;
static struct image files[] = {
	{.path = "/bios", .mode = 0644, .size = KIB(128), .aligned = true},
	{.path = "/odd", .mode = 0644, .size = KIB(64) + 1, .aligned = true},
	{.path = "/empty", .mode = 0644, .aligned = true},
	{.path = "/large", .mode = 0644, .size = MIB(16) + KIB(64), .aligned = true},
	{.path = "/linux", .mode = 0644, .size = sizeof(linux_file)},
	{.path = "/initrd", .mode = 0644, .size = 5000},
	{.path = "/rom", .mode = 0644, .size = sizeof(rom)},
	{.path = "/rom2", .mode = 0644, .size = sizeof(rom)},
	{.path = "/tiny", .mode = 0644, .size = 2},
	{.path = "/huge", .mode = 0644, .size = GIB(4)},
};

static void put_number(uint8_t *at, uint32_t number)
{
	memcpy(at, &number, sizeof(number));
}

static int make_ramdisk(void **state)
{
	void *const data[ARRAY_SIZE(files)] = {
		[4] = linux_file, [6] = rom, [7] = rom, [8] = rom, [9] = rom};

	machine_frames_add(GIB(64));
	memcpy(linux_file + 0x202, "HdrS\x07\x02", 6);
	linux_file[0x1f1] = 5;
	linux_file[0x211] = 1;
	memset(linux_file + 0x22c, 0xff, 4);
	put_number(linux_file + 0x238, 20);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		files[i].base = virt_to_phys(data[i] != NULL ? data[i] : bios);
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

static const struct fw_cfg_file *find_file(const char *name)
{
	const struct fw_cfg_config *one = vm_find_fw_cfg(config.vms, name);

	return one != NULL ? &one->file : NULL;
}

static uint64_t number_at(const struct fw_cfg_file *file, size_t off, size_t size)
{
	uint64_t number = 0;

	assert_true(off + size <= file->len);
	memcpy(&number, (const char *)file->data + off, size);
	return number;
}

static void check_range(const struct fw_cfg_file *file, size_t i, uint64_t addr, uint64_t len)
{
	assert_int_equal(number_at(file, 20 * i, 8), addr);
	assert_int_equal(number_at(file, 20 * i + 8, 8), len);
	assert_int_equal(number_at(file, 20 * i + 16, 4), E820_RAM);
}

static void firmware_is_told_where_ram_is(void **state)
{
	const struct fw_cfg_file *file;

	assert_string_equal(reported("-m 16M -bios /bios"), "");
	file = find_file("etc/e820");
	assert_int_equal(file->len, 20);
	check_range(file, 0, 0, MIB(16));
	assert_string_equal(reported("-m 5G -bios /bios"), "");
	file = find_file("etc/e820");
	assert_int_equal(file->len, 40);
	check_range(file, 0, 0, GIB(3));
	check_range(file, 1, GIB(4), GIB(2));
}

/* Behind those of -fw_cfg, whose numbers are then the same without firmware. */
static void firmware_gets_acpi_tables(void **state)
{
	const struct fw_cfg_file *tables, *file;

	assert_string_equal(reported("-bios /bios -device virtio-rng-device -device vmgenid "
				     "-device acpi-watchdog -fw_cfg name=opt/x,string=x"),
			    "");
	tables = find_file("etc/acpi/tables");
	assert_non_null(memmem(tables->data, tables->len, "LNRO0005", 8));
	assert_non_null(memmem(tables->data, tables->len, "VM_Gen_Counter", 14));
	assert_non_null(memmem(tables->data, tables->len, "WDAT", 4));
	assert_int_equal(find_file("etc/acpi/rsdp")->len, 36);
	assert_int_equal(find_file("etc/table-loader")->len % 128, 0);
	file = &config.vms->fw_cfg->file;
	assert_string_equal(file->name, "opt/x");
	for (unsigned n = 1; n < 5; n++)
		file = file->next;
	assert_ptr_equal(file, find_file("etc/table-loader"));
	assert_null(file->next);
}

static void a_kernel_gets_no_file_for_firmware(void **state)
{
	(void)reported("-kernel /bios");
	assert_null(config.vms->fw_cfg);
}

static void firmware_without_memory_for_its_files_is_refused(void **state)
{
	char text[] = "vm v -bios /bios -kernel /linux -initrd /initrd -option-rom /rom";
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list images = {.first = files, .arena = &arena};
	struct diag diag = {.file = "c"};
	size_t used;

	assert_int_equal(config_parse(text, strlen(text), &arena, &diag, &config), OK);
	used = arena.used;
	for (size_t size = used; log_reset(), true; size += 16) {
		arena.used = used;
		arena.size = size;
		diag.n_errors = 0;
		config.vms->fw_cfg = NULL;
		if (config_open(&config, &images, &diag) == OK)
			break;
		assert_non_null(strstr(logged, "no memory left for what firmware is told"));
	}
	assert_int_equal(find_file("etc/acpi/rsdp")->len, 36);
}

/* An item of fw_cfg; NULL: it does not exist. */
static const struct fw_cfg_file *find_item(enum fw_cfg_item item)
{
	const struct fw_cfg_config *one = config.vms->fw_cfg;

	while (one != NULL && one->file.item != item)
		one = one->next;
	return one != NULL ? &one->file : NULL;
}

static uint32_t item_number(enum fw_cfg_item item)
{
	return (uint32_t)number_at(find_item(item), 0, 4);
}

static void an_option_rom_finds_the_kernel(void **state)
{
	const struct fw_cfg_file *setup, *kernel;

	assert_string_equal(reported("-m 16M -bios /bios -kernel /linux -initrd /initrd "
				     "-append hello"),
			    "");
	assert_int_equal(config.vms->kernel_kind, LOADER_BIOS);
	assert_string_equal(config.vms->kernel, "/bios");
	setup = find_item(FW_CFG_SETUP_DATA);
	kernel = find_item(FW_CFG_KERNEL_DATA);
	assert_int_equal(setup->len, 6 * 512);
	assert_int_equal(item_number(FW_CFG_SETUP_SIZE), 6 * 512);
	assert_int_equal(item_number(FW_CFG_SETUP_ADDR), 0x10000);
	assert_ptr_equal(kernel->data, linux_file + 6 * 512);
	assert_int_equal(kernel->len, sizeof(linux_file) - 6 * 512);
	assert_int_equal(item_number(FW_CFG_KERNEL_SIZE), kernel->len);
	assert_int_equal(item_number(FW_CFG_KERNEL_ADDR), MIB(1));
	assert_int_equal(find_item(FW_CFG_CMDLINE_DATA)->len, 6);
	assert_string_equal(find_item(FW_CFG_CMDLINE_DATA)->data, "hello");
	assert_int_equal(item_number(FW_CFG_CMDLINE_SIZE), 6);
	assert_int_equal(item_number(FW_CFG_CMDLINE_ADDR), 0x20000);
	assert_int_equal(find_item(FW_CFG_INITRD_DATA)->len, 5000);
	assert_int_equal(item_number(FW_CFG_INITRD_SIZE), 5000);
	assert_int_equal(item_number(FW_CFG_INITRD_ADDR), MIB(15) - 2 * PAGE_SIZE);
	/* The file itself stays as it is. */
	assert_int_equal(number_at(setup, 0x228, 4), 0x20000);
	assert_int_equal(number_at(setup, 0x218, 4), MIB(15) - 2 * PAGE_SIZE);
	assert_int_equal(linux_file[0x210], 0);
	assert_null(vm_find_fw_cfg(config.vms, "bootorder"));
}

static void a_kernel_needs_no_initrd(void **state)
{
	assert_string_equal(reported("-m 4G -bios /bios -kernel /linux"), "");
	assert_null(find_item(FW_CFG_INITRD_DATA));
	assert_int_equal(item_number(FW_CFG_INITRD_SIZE), 0);
	assert_int_equal(item_number(FW_CFG_INITRD_ADDR), 0);
	assert_string_equal(find_item(FW_CFG_CMDLINE_DATA)->data, "");
	assert_string_equal(reported("-m 4G -bios /bios"), "");
	assert_null(find_item(FW_CFG_KERNEL_DATA));
}

static void option_roms_have_an_order(void **state)
{
	const struct fw_cfg_file *file;

	assert_string_equal(reported("-bios /bios -option-rom /rom,bootindex=7 "
				     "-option-rom romfile=/rom2,bootindex=0"),
			    "");
	file = find_file("genroms/rom");
	assert_int_equal(file->len, sizeof(rom));
	assert_ptr_equal(file->data, rom);
	file = find_file("bootorder");
	assert_string_equal(file->data, "/rom@genroms/rom2\n/rom@genroms/rom\n");
	assert_int_equal(file->len, strlen(file->data) + 1);
	assert_string_equal(reported("-bios /bios -option-rom /rom"), "");
	assert_non_null(find_file("genroms/rom"));
	assert_null(find_file("bootorder"));
}

static void there_are_at_most_16_option_roms(void **state)
{
	char options[400] = "-bios /bios";

	for (unsigned i = 0; i < 17; i++)
		snprintf(options + strlen(options), 20, " -option-rom /r%u", i);
	assert_non_null(strstr(reported(options), "Too many option ROMs"));
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
		{"-bios /bios -kernel /none",
		 "c:1:26: could not open kernel file '/none': No such file or directory"},
		{"-bios /bios -kernel /linux -initrd /none",
		 "c:1:41: could not open initrd '/none': No such file or directory"},
		{"-bios /bios -kernel /bios",
		 "c:1:26: could not load kernel '/bios': firmware starts only Linux kernels"},
		{"-bios /bios -option-rom bootindex=1", "c:1:30: Option ROM file is not specified"},
		{"-bios /bios -option-rom /", "c:1:30: Option ROM file is not specified"},
		{"-bios /bios -option-rom /none",
		 "c:1:30: Could not load option rom '/none': No such file or directory"},
		{"-bios /bios -option-rom /bios",
		 "'/bios': an option ROM begins with the bytes 0x55 0xaa"},
		{"-bios /bios -option-rom /tiny",
		 "'/tiny': an option ROM begins with the bytes 0x55 0xaa"},
		{"-bios /bios -option-rom /huge", "'/huge': File too large"},
		{"-bios /bios -option-rom /rom -option-rom romfile=/rom",
		 "c:1:47: two option ROMs of the same name"},
		{"-bios /bios -option-rom /rom,bootindex=3 -option-rom /rom2,bootindex=3",
		 "c:1:59: The bootindex has already been used"},
		{"-bios /bios -option-rom /rom,bootindex=x", "error: c:1"},
		{"-bios /bios -option-rom /rom,index=1", "Invalid parameter 'index'"},
		{"-bios /bios -option-rom /0123456789012345678901234567890123456789012345678",
		 "the file's name is too long for fw_cfg"},
		{"-kernel /linux -option-rom /rom",
		 "c:1:33: -option-rom needs -bios: only firmware starts option ROMs"},
		{"-bios /bios -option-rom /rom -fw_cfg name=genroms/rom,string=x",
		 "duplicate fw_cfg file name: genroms/rom"},
		{"-bios /bios -device loader,file=/bios,cpu-num=0",
		 "-bios and cpu-num of -device loader exclude each other"},
		{"-bios /bios -append x", "-append only allowed with -kernel option"},
		{"-bios /bios -initrd /x", "-initrd only allowed with -kernel option"},
		{"-bios /bios -fw_cfg name=etc/e820,string=x",
		 "c:1:26: duplicate fw_cfg file name: etc/e820"},
		{"-bios /bios -fw_cfg name=etc/acpi/tables,string=x",
		 "c:1:26: duplicate fw_cfg file name: etc/acpi/tables"},
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
		cmocka_unit_test(firmware_is_told_where_ram_is),
		cmocka_unit_test(firmware_gets_acpi_tables),
		cmocka_unit_test(a_kernel_gets_no_file_for_firmware),
		cmocka_unit_test(firmware_without_memory_for_its_files_is_refused),
		cmocka_unit_test(an_option_rom_finds_the_kernel),
		cmocka_unit_test(a_kernel_needs_no_initrd),
		cmocka_unit_test(option_roms_have_an_order),
		cmocka_unit_test(there_are_at_most_16_option_roms),
		cmocka_unit_test(firmware_has_the_pcs_timers_unless_told_otherwise),
		cmocka_unit_test(what_cannot_be_started_is_refused),
	};

	return cmocka_run_group_tests(tests, make_ramdisk, NULL);
}
