/* SPDX-License-Identifier: BSD-2-Clause */
/* -device loader: read, resolved and opened, or refused in QEMU's words. */
#include "hv/config/read.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "hv/config/kernel_input.h"
#include "hv/frame/phys.h"
#include "tests/unit/machine_frames.h"

static char memory[1 << 16] __attribute__((aligned(16)));
static const char elf[] = "\x7f"
			  "ELF";
static const char bytes[] = "some bytes";
static struct config config;
static struct image files[] = {
	{.path = "/elf", .mode = 0644, .size = sizeof(elf)},
	{.path = "/bytes", .mode = 0644, .size = sizeof(bytes)},
};

static int make_ramdisk(void **state)
{
	machine_frames_add(GIB(64));
	files[0].base = virt_to_phys(elf);
	files[1].base = virt_to_phys(bytes);
	files[0].next = &files[1];
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

static const struct vm_config *accepted(const char *options)
{
	assert_string_equal(reported(options), "");
	return config.vms;
}

static void an_elf_file_takes_the_place_of_a_kernel(void **state)
{
	const struct vm_config *vm = accepted("-device loader,file=/elf,cpu-num=0");
	struct e820_entry e820[KERNEL_E820_MAX];
	struct loader_input input = kernel_input(vm, e820);

	assert_ptr_equal(vm->kernel_image, &files[0]);
	assert_string_equal(input.kernel_name, "/elf");
	assert_int_equal(input.kind, LOADER_PLAIN);
	assert_null(input.blobs);
	input = kernel_input(accepted("-kernel /elf"), e820);
	assert_int_equal(input.kind, LOADER_NONE);
}

static void files_and_numbers_go_to_their_addresses(void **state)
{
	const struct vm_config *vm =
		accepted("-kernel /bytes -device loader,file=/elf,addr=0x1234000,force-raw=on "
			 "-device loader,addr=16,data=0x1122334455667788,data-len=8 "
			 "-device loader,addr=32,data=0x112233,data-len=2,data-be=on "
			 "-device loader,file=/bytes,addr=0x5000 "
			 "-device loader,data-len=8,id=zero");
	static const uint8_t little[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
	static const uint8_t big[] = {0x22, 0x33}, zeros[8] = {0};
	const struct loader_blob want[] = {
		{.data = zeros, .len = 8, .addr = 0},
		{.data = bytes, .len = sizeof(bytes), .addr = 0x5000},
		{.data = big, .len = 2, .addr = 32},
		{.data = little, .len = 8, .addr = 16},
		{.data = elf, .len = sizeof(elf), .addr = 0x1234000},
	};
	struct e820_entry e820[KERNEL_E820_MAX];
	const struct loader_blob *blob = kernel_input(vm, e820).blobs;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++, blob = blob->next) {
		assert_int_equal(blob->addr, want[i].addr);
		assert_int_equal(blob->len, want[i].len);
		assert_memory_equal(blob->data, want[i].data, blob->len);
	}
	assert_null(blob);
}

static void what_cannot_be_followed_is_refused(void **state)
{
	static const struct {
		const char *options, *message;
	} cases[] = {
		{"data=1,file=x", "Specifying a file is not supported when loading memory values"},
		{"data=1,force-raw=on",
		 "Specifying force-raw is not supported when loading memory values"},
		{"data=1", "Both data and data-len must be specified"},
		{"data-be=on", "Both data and data-len must be specified"},
		{"data=1,data-len=9", "data-len cannot be greater then 8 bytes"},
		{"data=1,data-len=300", "Parameter 'data-len' expects uint8_t"},
		{"data=1,data-len=1,cpu-num=0", "cpu-num needs a file to start"},
		{"force-raw=on", "force-raw needs a file"},
		{"force-raw=off", "please include valid arguments"},
		{"addr=0x1000", "cpu_num must be specified when setting a program counter"},
		{"addr=0x1000,cpu-num=0", "a program counter without a file is not supported"},
		{"file=/elf,cpu-num=0,force-raw=on", "only an ELF file can be started"},
		{"file=/elf,cpu-num=0,addr=1", "an ELF file has its own addresses"},
		{"file=/elf,cpu-num=0,foo=1", "Property 'loader.foo' not found"},
		{"file=/elf,cpu-num=1", "Specified boot CPU#1 is nonexistent"},
		{"file=/elf,cpu-num=1 -smp 2", "CPU#1 waits until CPU#0 starts it"},
		{"file=/elf,cpu-num=0 -kernel /bytes", "exclude each other"},
		{"file=/elf,cpu-num=0 -append x", "-append only allowed with -kernel option"},
		{"file=/elf,cpu-num=0 -device loader,file=/elf,cpu-num=0", "a second file to"},
		{"file=/none,cpu-num=0", "could not open kernel file '/none': No such file"},
		{"file=/none,addr=1 -kernel /bytes",
		 "c:1:14: Cannot load specified image /none: No such file or directory"},
		{"file=/elf,addr=1 -kernel /bytes",
		 "Cannot load specified image /elf: an ELF file needs cpu-num=0, to be started"},
		{"file=/bytes,addr=0x5000", "vm 'v' has no -kernel, and no -bios"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char options[200];

		snprintf(options, sizeof(options), "-device loader,%s", cases[i].options);
		if (strstr(reported(options), cases[i].message) == NULL)
			fail_msg("case %zu says: %s", i, logged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_elf_file_takes_the_place_of_a_kernel),
		cmocka_unit_test(files_and_numbers_go_to_their_addresses),
		cmocka_unit_test(what_cannot_be_followed_is_refused),
	};

	return cmocka_run_group_tests(tests, make_ramdisk, NULL);
}
