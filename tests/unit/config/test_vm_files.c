/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of -kernel and -initrd: found, or refused with their place. */
#include "hv/config/read.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "hv/frame/phys.h"
#include "tests/unit/machine_frames.h"

static char memory[1 << 16] __attribute__((aligned(16)));
static uint32_t multiboot[] = {0, 0x1badb002, 0, -0x1badb002u};
static char linux_kernel[0x210] = {[0x202] = 'H', 'd', 'r', 'S'};
static char link_target[] = "bin/multiboot";
static struct config config;
static struct image files[] = {
	{.path = "/bin", .type = IMAGE_DIRECTORY, .mode = 0755},
	{.path = "/bin/multiboot", .mode = 0444, .size = sizeof(multiboot)},
	{.path = "/linux", .mode = 0644, .size = sizeof(linux_kernel)},
	{.path = "/a,b", .mode = 0644, .size = 7},
	{.path = "/c", .mode = 0600, .size = 9},
	{.path = "/secret", .mode = 0200, .size = 5},
	{.path = "/fifo", .type = IMAGE_SPECIAL, .mode = 0644},
	{.path = "/link", .type = IMAGE_SYMLINK, .mode = 0777, .size = sizeof(link_target) - 1},
	{.path = "/empty", .mode = 0644},
};
enum { MULTIBOOT = 1, LINUX = 2, AB = 3, C = 4, LINK = 7 };

static int make_ramdisk(void **state)
{
	machine_frames_add(GIB(64));
	files[MULTIBOOT].base = virt_to_phys(multiboot);
	files[LINUX].base = virt_to_phys(linux_kernel);
	files[LINK].base = virt_to_phys(link_target);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(files); i++)
		files[i].next = &files[i + 1];
	return 0;
}

static enum status open_in(size_t room, const char *options)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list images = {.first = files, .arena = &arena};
	struct diag diag = {.file = "c"};
	char text[500];
	enum status status;

	snprintf(text, sizeof(text), "vm v %s", options);
	log_reset();
	assert_int_equal(config_parse(text, strlen(text), &arena, &diag, &config), OK);
	if (room < arena.size - arena.used)
		arena.size = arena.used + room;
	status = config_open(&config, &images, &diag);
	assert_int_equal(status == OK, diag.n_errors == 0);
	return status;
}

static const struct vm_config *accepted(const char *options)
{
	assert_int_equal(open_in(SIZE_MAX, options), OK);
	assert_string_equal(logged, "");
	return config.vms;
}

static void a_kernel_is_found_through_links(void **state)
{
	const struct vm_config *vm = accepted("-kernel /link");

	assert_ptr_equal(vm->kernel_image, &files[MULTIBOOT]);
	assert_null(vm->initrd_image);
	assert_int_equal(vm->n_modules, 0);
	assert_ptr_equal(accepted("-kernel bin/../linux")->kernel_image, &files[LINUX]);
}

static void linux_has_one_initrd(void **state)
{
	const struct vm_config *vm = accepted("-kernel /linux -initrd a,b");

	assert_ptr_equal(vm->initrd_image, &files[AB]);
	assert_int_equal(vm->n_modules, 0);
}

static void other_kernels_have_modules(void **state)
{
	const struct vm_config *vm =
		accepted("-kernel /link -initrd '/a,,b one  two,c,link x,,y,linux'");

	assert_null(vm->initrd_image);
	assert_int_equal(vm->n_modules, 4);
	assert_string_equal(vm->modules[0].cmdline, "/a,b one  two");
	assert_int_equal(vm->modules[0].len, 7);
	assert_string_equal(vm->modules[1].cmdline, "c");
	assert_int_equal(vm->modules[1].len, 9);
	assert_string_equal(vm->modules[2].cmdline, "link x,y");
	assert_ptr_equal(vm->modules[2].data, multiboot);
	assert_string_equal(vm->modules[3].cmdline, "linux");
	assert_int_equal(accepted("-kernel /link -initrd ''")->n_modules, 0);
	assert_int_equal(accepted("-kernel /link -initrd c,")->n_modules, 1);
	assert_int_equal(accepted("-kernel /empty -initrd /c,/c")->n_modules, 2);
}

static void what_is_not_there_is_refused(void **state)
{
	static const struct {
		const char *options, *reported;
	} rows[] = {
		{"-kernel /none", "c:1:14: could not open kernel file '/none': No such file or "
				  "directory\n"
				  "error:       = paths are names in the ramdisk\n"},
		{"-kernel /bin", "c:1:14: could not open kernel file '/bin': Is a directory\n"},
		{"-kernel /", "c:1:14: could not open kernel file '/': Is a directory\n"},
		{"-kernel ''", "c:1:16: could not open kernel file '': No such file or directory\n"
			       "error:       = paths are names in the ramdisk\n"},
		{"-kernel /c/d", "c:1:14: could not open kernel file '/c/d': Not a directory\n"},
		{"-kernel /fifo",
		 "c:1:14: could not open kernel file '/fifo': Not a regular file\n"},
		{"-kernel /secret",
		 "c:1:14: could not open kernel file '/secret': Permission denied\n"},
		{"-kernel /linux -initrd /none",
		 "c:1:29: could not open initrd '/none': No such file or directory\n"
		 "error:       = paths are names in the ramdisk\n"},
		{"-kernel /linux -initrd /c,/c",
		 "c:1:29: could not open initrd '/c,/c': No such file or directory\n"
		 "error:       = did you mean '/c'? Paths are names in the ramdisk\n"},
		{"-kernel /link -initrd '/x y,/c,/secret z'",
		 "c:1:29: could not open module '/x': No such file or directory\n"
		 "error:       = paths are names in the ramdisk\n"
		 "error: c:1:29: could not open module '/secret': Permission denied\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char reported[300];

		snprintf(reported, sizeof(reported), "error: %s", rows[i].reported);
		assert_int_equal(open_in(SIZE_MAX, rows[i].options), ERR_INVAL);
		assert_string_equal(logged, reported);
	}
}

static void without_room_modules_are_refused(void **state)
{
	size_t room = 0;

	while (open_in(room, "-kernel /link -initrd '/c a,/c b'") != OK) {
		assert_non_null(strstr(logged, ": Cannot allocate memory\n"));
		room += 8;
		assert_true(room < 1000);
	}
	assert_int_equal(config.vms->n_modules, 2);
	assert_true(room > 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_found_through_links),
		cmocka_unit_test(linux_has_one_initrd),
		cmocka_unit_test(other_kernels_have_modules),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(without_room_modules_are_refused),
	};

	return cmocka_run_group_tests(tests, make_ramdisk, NULL);
}
