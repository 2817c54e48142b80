/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused or warned of when all VMs are compared. */
#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

#define MEMORY(id, options) \
	"vm " id " -kernel k -machine memory-backend=m -object memory-backend-file,id=m,size=32M," \
	"mem-path=/d/f32," options "\n"
#define SECOND(id, options) \
	"vm " id \
	" -kernel k -m 128M -object memory-backend-file,id=x,size=1M,mem-path=/d/f32," options \
	"\n"

/* The messages without their places. */
static bool says(const char *text, const char *message)
{
	bool accepted = run(text);
	const char *hit = strstr(logged, message);

	if (*message == '\0')
		assert_string_equal(logged, "");
	else
		assert_non_null(hit);
	return accepted;
}

static void a_template_in_use_is_not_written(void **state)
{
	static const char message[] =
		"backing store /d/f32 is in use as a template by 'm' of vm 'a', 'share=on' would "
		"write into it\nerror: For another clone write share=off,readonly=on,rom=off "
		"instead.\n";

	assert_false(says(MEMORY("a", "readonly=on,rom=off") SECOND("b", "share=on"), message));
	assert_false(says(SECOND("b", "share=on") MEMORY("a", "readonly=on,rom=off"), message));
	assert_false(says(MEMORY("a", "readonly=on,rom=off") SECOND("b", "share=on,offset=31M"),
			  message));
}

/* The error is placed at share=on. */
static void the_place_is_that_of_share(void **state)
{
	static const char second[] = SECOND("b", "readonly=off,share=on");
	char want[32];

	assert_false(run(MEMORY("a", "readonly=on,rom=off") SECOND("b", "readonly=off,share=on")));
	sprintf(want, "error: t:2:%u: ", (unsigned)(strstr(second, "share=on") - second) + 7);
	assert_memory_equal(logged, want, strlen(want));
}

static void other_bytes_of_the_file_are_free(void **state)
{
	static const char clone[] = "vm a -kernel k -object "
				    "memory-backend-file,id=m,size=4M,offset=8M,mem-path=/d/f32,"
				    "readonly=on,rom=off\n";
	static const struct {
		const char *options;
		bool accepted;
	} rows[] = {
		{"share=on,offset=7M", true},
		{"share=on,offset=7172K", false}, /* 7 MiB + 4 KiB: its last page is the first */
		{"share=on,offset=8M", false},
		{"share=on,offset=12284K", false},
		{"share=on,offset=12M", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[600];

		sprintf(text,
			"%svm b -kernel k -object "
			"memory-backend-file,id=x,size=1M,mem-path=/d/f32,%s",
			clone, rows[i].options);
		assert_int_equal(run(text), rows[i].accepted);
	}
}

/* All pairs of two VMs' options over the same bytes; QEMU accepts every one. */
static void only_writing_under_private_memory_is_reported(void **state)
{
	static const char *const options[] = {
		"share=off",		/* private */
		"readonly=on,rom=off",	/* a clone */
		"share=on",		/* the writer */
		"readonly=on",		/* ROM */
		"readonly=on,share=on", /* ROM */
	};
	enum { PRIVATE, CLONE, WRITER };

	for (unsigned i = 0; i < 25; i++) {
		unsigned a = i / 5, b = i % 5;
		bool written = a == WRITER || b == WRITER;
		bool refused = written && (a == CLONE || b == CLONE);
		bool warned = written && (a == PRIVATE || b == PRIVATE);
		char text[600];

		sprintf(text,
			"vm a -kernel k -object "
			"memory-backend-file,id=m,size=4M,mem-path=/d/f32,%s\n"
			"vm b -kernel k -object "
			"memory-backend-file,id=n,size=4M,mem-path=/d/f32,%s",
			options[a], options[b]);
		assert_int_equal(run(text), !refused);
		assert_int_equal(strstr(logged, "is in use as a template") != NULL, refused);
		assert_int_equal(strstr(logged, "is private memory of") != NULL, warned);
		assert_int_equal(*logged != '\0', refused || warned);
	}
}

#define WRITER \
	"vm b -kernel k -m 128M -object " \
	"memory-backend-file,id=x,size=1M,mem-path=/d/f8,share=on\n"

static void firmware_and_disks_in_use_are_not_written(void **state)
{
	assert_false(says("vm a -bios /d/f8\n" WRITER,
			  "backing store /d/f8 is in use as a template by 'bios' of vm 'a'"));
	assert_true(says("vm a -kernel k -drive file=/d/f8,if=none,id=d,snapshot=on "
			 "-device virtio-blk-device,drive=d\n" WRITER,
			 "backing store /d/f8 is private memory of 'd' of vm 'a'"));
	assert_true(says("vm a -kernel k -drive file=/d/f8,if=none,id=d,snapshot=on,offset=1M "
			 "-device virtio-blk-device,drive=d\n" WRITER,
			 ""));
	assert_true(says("vm a -kernel k -drive file=/d/f8,if=none,id=d,readonly=on "
			 "-device virtio-blk-device,drive=d\n" WRITER,
			 ""));
}

static void one_vm_may_do_as_it_likes(void **state)
{
	assert_true(says("vm a -kernel k "
			 "-object memory-backend-file,id=m,size=4M,mem-path=/d/f32,share=on "
			 "-object memory-backend-file,id=n,size=4M,mem-path=/d/f32,readonly=on,"
			 "rom=off",
			 ""));
}

#define STICK	"is ROM: nothing that the guest writes will stick\n"
#define INSTEAD "warning: For memory that begins as the backing store, a template's clone, write "

static void rom_in_the_place_of_ram_is_warned_of(void **state)
{
	static const char dimm[] =
		"vm a -kernel k -m 128M,slots=1,maxmem=2G -machine q35,nvdimm=on -device "
		"%s,memdev=m -object memory-backend-file,id=m,size=32M,mem-path=/d/f32,readonly=on";
	char text[600];

	assert_true(says(MEMORY("a", "readonly=on"),
			 "main memory 'm' " STICK INSTEAD "readonly=on,rom=off.\n"));
	assert_true(says(MEMORY("a", "readonly=on,share=on"),
			 "main memory 'm' " STICK INSTEAD "share=off,readonly=on,rom=off.\n"));
	assert_true(says(MEMORY("a", "readonly=on,rom=on"),
			 "main memory 'm' " STICK INSTEAD "readonly=on,rom=off.\n"));
	assert_true(says(MEMORY("a", "readonly=on,rom=off"), ""));
	sprintf(text, dimm, "pc-dimm");
	assert_true(says(text, "memory module 'm' " STICK));
	/* An explicit rom=on is intended; the last of several counts. */
	strcat(text, ",rom=auto,rom=on");
	assert_true(says(text, ""));
	strcat(text, ",rom=auto");
	assert_true(says(text, "memory module 'm' " STICK));
	/* An NVDIMM tells the guest. */
	sprintf(text, dimm, "nvdimm,unarmed=on");
	assert_true(says(text, ""));
	assert_true(says("vm a -kernel k -m 32M -numa node,memdev=m -object "
			 "memory-backend-file,id=m,size=32M,mem-path=/d/f32,readonly=on",
			 "main memory 'm' " STICK));
}

static void zeros_where_others_have_a_template_are_warned_of(void **state)
{
	static const char clone[] = MEMORY("a", "readonly=on,rom=off");
	static const struct {
		const char *object;
		bool warned;
	} rows[] = {
		{"memory-backend-ram,id=m,size=32M", true},
		{"memory-backend-file,id=m,size=32M,mem-path=/d/f33", true}, /* created */
		{"memory-backend-file,id=m,size=32M,mem-path=/d", true},
		{"memory-backend-ram,id=m,size=16M", false},
		{"memory-backend-ram,id=n,size=32M", false},
		{"memory-backend-ram,id=m,size=32M,share=on", false},
		{"memory-backend-file,id=m,size=32M,mem-path=/d/f32", false},
		{"memory-backend-file,id=m,size=32M,mem-path=/d/ro0444,readonly=on,rom=off", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[600];

		sprintf(text, "%svm b -kernel k -object %s", clone, rows[i].object);
		assert_true(says(
			text, rows[i].warned ? "warning: memory 'm' begins as zeros, not as "
					       "/d/f32 like 'm' of vm 'a'\nwarning: For a clone of "
					       "that template write memory-backend-file,"
					       "mem-path=/d/f32,readonly=on,rom=off.\n"
					     : ""));
	}
}

/* The error of a broken object was already reported. */
static void broken_objects_are_not_judged(void **state)
{
	assert_false(run(MEMORY("a", "readonly=on,rom=off,align=3") SECOND("b", "share=on")));
	assert_null(strstr(logged, "template"));
	assert_false(run(MEMORY("a", "readonly=on,align=3")));
	assert_null(strstr(logged, STICK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_in_use_is_not_written),
		cmocka_unit_test(the_place_is_that_of_share),
		cmocka_unit_test(other_bytes_of_the_file_are_free),
		cmocka_unit_test(only_writing_under_private_memory_is_reported),
		cmocka_unit_test(firmware_and_disks_in_use_are_not_written),
		cmocka_unit_test(one_vm_may_do_as_it_likes),
		cmocka_unit_test(rom_in_the_place_of_ram_is_warned_of),
		cmocka_unit_test(zeros_where_others_have_a_template_are_warned_of),
		cmocka_unit_test(broken_objects_are_not_judged),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
