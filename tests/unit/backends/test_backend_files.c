/* SPDX-License-Identifier: BSD-2-Clause */
/* Backing files that are created, grown, shared and scrubbed. A refusal leaves nothing behind. */
#include "tests/unit/support.h"

#include "hv/frame/numa.h"
#include "tests/unit/config_run.h"
#include "tests/unit/image_find.h"

#define RUN(object) run("vm v -kernel k -object " object)

static struct backend *backend(unsigned n)
{
	struct backend *b = config.vms->backends;

	for (; n > 0; n--)
		b = b->next;
	return b;
}

static uint64_t used_frames(void)
{
	return MACHINE_MEMORY / PAGE_SIZE - frame_available();
}

static bool is_zeros(const struct image *image)
{
	const uint8_t *byte = phys_to_virt(image->base);

	for (uint64_t i = 0; i < image->size; i++) {
		if (byte[i] != 0)
			return false;
	}
	return true;
}

static void a_missing_file_is_created_of_zeros(void **state)
{
	static const char *const paths[] = {"/d/new",	  "new",     "/new",
					    "/d/dir/new", "/d/../x", "/d/a,,b/new"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct image *image;
		char text[200];

		sprintf(text,
			"vm v -kernel k -object "
			"memory-backend-file,id=m,size=1M,offset=8K,mem-path=%s",
			paths[i]);
		assert_true(run(text));
		assert_string_equal(logged, "");
		image = backend(0)->image;
		assert_int_equal(image->size, MIB(1) + KIB(8));
		assert_int_equal(image->mode, 0644);
		assert_true(image->aligned && image->grown && is_zeros(image));
		assert_ptr_equal(image_find(images.first, backend(0)->mem_path), image);
		assert_int_equal(used_frames(), MIB(1) / PAGE_SIZE + 2);
	}
}

static void a_large_created_file_has_large_pages(void **state)
{
	assert_true(RUN("memory-backend-file,id=m,size=6M,mem-path=/new"));
	assert_true(is_aligned(backend(0)->image->base, MIB(2)));
}

static void an_empty_file_grows(void **state)
{
	assert_true(RUN("memory-backend-file,id=m,size=8K,offset=4K,mem-path=/d/empty,share=on"));
	assert_ptr_equal(backend(0)->image, image_find(images.first, "/d/empty"));
	assert_int_equal(backend(0)->image->size, KIB(12));
	assert_int_equal(n_images(), ARRAY_SIZE(ramdisk_files));
}

static void an_empty_file_that_cannot_grow_is_refused(void **state)
{
	assert_false(RUN("memory-backend-file,id=m,size=8K,mem-path=/d/empty,readonly=on"));
	assert_string_equal(reported(24, 200),
			    "m backing store size 0x0 is too small for 'size' option 0x2000 plus "
			    "'offset' option 0x0");
	assert_int_equal(image_find(images.first, "/d/empty")->size, 0);
}

static void objects_over_one_file_have_one_image(void **state)
{
	assert_true(run("vm a -kernel k -object memory-backend-file,id=a,size=1M,mem-path=/new,"
			"share=on -object memory-backend-file,id=b,size=1M,mem-path=//new\n"
			"vm b -kernel k -object memory-backend-file,id=c,size=512K,"
			"mem-path=/d/../new,readonly=on"));
	assert_ptr_equal(backend(0)->image, backend(1)->image);
	assert_ptr_equal(backend(0)->image, config.vms->next->backends->image);
	assert_int_equal(n_images(), ARRAY_SIZE(ramdisk_files) + 1);
}

static void a_file_that_one_of_its_backends_shares_may_be_written(void **state)
{
	assert_true(run("vm a -kernel k -object memory-backend-file,id=a,size=1M,mem-path=/new,"
			"share=on -object memory-backend-file,id=b,size=8K,mem-path=/d/empty\n"
			"vm b -kernel k -object memory-backend-file,id=c,size=1M,mem-path=/new"));
	assert_true(config.vms->next->backends->image->is_written);
	assert_false(backend(1)->image->is_written);
}

static void a_created_file_does_not_grow_again(void **state)
{
	assert_false(RUN("memory-backend-file,id=a,size=1M,mem-path=/new -object "
			 "memory-backend-file,id=b,size=1M,offset=4K,mem-path=/new"));
	assert_string_equal(reported(24, 200),
			    "b backing store size 0x100000 is too small for 'size' option 0x100000 "
			    "plus 'offset' option 0x1000");
}

/* In the last four cases QEMU leaves the file behind. */
static void a_refusal_takes_the_created_file_away(void **state)
{
	static const char *const options[][2] = {
		{"align=3", "alignment 0x3 must be multiples of page size 0x1000"},
		{"align=12K", "alignment 0x3000 must be a power of two"},
		{"offset=1", "offset 0x1 must be multiples of page size 0x1000"},
		{"offset=0xfffffffffffff000",
		 "unable to map backing store for guest RAM: Value too "
		 "large for defined data type"},
		{"size=1T", "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"align=8E", "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"size=4097",
		 "backend 'memory-backend-file' memory size must be multiple of 4 KiB"},
		{"host-nodes=0", "host-nodes must be empty for policy default, or you should "
				 "explicitly specify a policy other than default"},
		{"policy=bind", "host-nodes must be set for policy bind"},
		{"policy=preferred,host-nodes=1-127",
		 "cannot bind memory to host NUMA nodes: Invalid argument"},
	};
	static const char *const paths[] = {"/new", "/d/empty"};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(options); i++) {
		char text[300];

		sprintf(text,
			"vm v -kernel k -object memory-backend-file,id=m,size=1M,mem-path=%s,%s",
			paths[i % 2], options[i / 2][0]);
		assert_false(run(text));
		assert_string_equal(reported(24, 300), options[i / 2][1]);
		assert_int_equal(n_images(), ARRAY_SIZE(ramdisk_files));
		assert_int_equal(image_find(images.first, "/d/empty")->size, 0);
		assert_int_equal(used_frames(), 0);
	}
}

static void a_file_that_cannot_be_created_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{"/d/nodir/new", "No such file or directory"},
		{"", "No such file or directory"},
		{"/d/dangling", "No such file or directory"},
		{"/d/dangling/", "Is a directory"},
		{"/d/dangling/new", "No such file or directory"},
		{"/d/new/", "Is a directory"},
		{"/d/nodir/new/", "No such file or directory"},
		{"/d/f32/new", "Not a directory"},
		{"/d/f32/", "Not a directory"},
		{"/d/fifo/new", "Not a directory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300], want[300];

		sprintf(text, "vm v -kernel k -object memory-backend-file,id=m,size=1M,mem-path=%s",
			rows[i][0]);
		sprintf(want, "can't open backing store %s for guest RAM: %s", rows[i][0],
			rows[i][1]);
		print_message("[ row      ] %s\n", rows[i][0]);
		assert_false(run(text));
		assert_string_equal(reported(24, 300), want);
		assert_int_equal(n_images(), ARRAY_SIZE(ramdisk_files));
	}
}

static void names_have_255_bytes(void **state)
{
	char text[600] = "vm v -kernel k -object memory-backend-file,id=m,size=4K,mem-path=/d/";

	memset(text + strlen(text), 'n', 255);
	assert_true(run(text));
	strcat(text, "n");
	assert_false(run(text));
	assert_non_null(strstr(logged, "for guest RAM: File name too long\n"));
}

/* Only the owner's bits count; 'mode' is that of the directory. */
static void creating_needs_a_directory_one_may_write_and_enter(void **state)
{
	for (unsigned mode = 0; mode < 8; mode++) {
		static const char *const texts[] = {
			"vm v -kernel k -object memory-backend-file,id=m,size=4K,mem-path=/d/dir/x",
			"vm v -kernel k -object memory-backend-file,id=m,size=4K,mem-path=/d/dir",
		};

		for (unsigned i = 0; i < 2; i++) {
			start_machine();
			for (struct image *image = images.first; image != NULL; image = image->next)
				if (strcmp(image->path, "/d/dir") == 0)
					image->mode = mode << 6 | 077;
			assert_int_equal(run_again(texts[i]), (mode & 3) == 3);
			if ((mode & 3) != 3)
				assert_non_null(strstr(logged, "guest RAM: Permission denied\n"));
		}
	}
}

static void a_directory_gets_a_file_without_a_name(void **state)
{
	assert_true(RUN("memory-backend-file,id=a,size=8K,mem-path=/d/dir -object "
			"memory-backend-file,id=b,size=8K,mem-path=/d/dir/,share=on -object "
			"memory-backend-file,id=c,size=8K,mem-path=/,share=on"));
	assert_null(backend(0)->image); /* private: no other backend could see it */
	assert_int_equal(backend(0)->kind, MEM_COW);
	assert_ptr_not_equal(backend(1)->image, backend(2)->image);
	assert_true(is_zeros(backend(1)->image) && backend(1)->image->size == KIB(8));
	assert_int_equal(n_images(), ARRAY_SIZE(ramdisk_files));
	assert_false(RUN("memory-backend-file,id=a,size=8K,mem-path=/d/dir,readonly=on"));
	assert_string_equal(reported(24, 200),
			    "can't open backing store /d/dir for guest RAM: Is a directory");
	assert_false(RUN("memory-backend-file,id=a,size=1T,mem-path=/d/dir"));
	assert_string_equal(reported(24, 200),
			    "unable to map backing store for guest RAM: Cannot allocate memory");
}

static void shared_ram_has_an_image_and_private_ram_none(void **state)
{
	assert_true(RUN("memory-backend-ram,id=a,size=5000,share=on -object "
			"memory-backend-ram,id=b,size=5000,share=on -object "
			"memory-backend-ram,id=c,size=5000"));
	assert_int_equal(backend(0)->kind, MEM_SHARED);
	assert_int_equal(backend(0)->image->size, 2 * PAGE_SIZE);
	assert_ptr_not_equal(backend(0)->image, backend(1)->image);
	assert_null(backend(2)->image);
	assert_int_equal(used_frames(), 4);
}

/* The machine has less and less room: what fits is accepted, the rest is refused with a message. */
static void memory_that_is_not_there_is_refused(void **state)
{
	static const struct {
		const char *text, *reported;
	} rows[] = {
		{"vm v -kernel k -m 8K -object memory-backend-file,id=m,size=16K,mem-path=/new",
		 "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"vm v -kernel k -m 8K -object memory-backend-file,id=m,size=16K,mem-path=/d/empty",
		 "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"vm v -kernel k -m 8K -object memory-backend-file,id=m,size=16K,mem-path=/d/dir,"
		 "share=on",
		 "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"vm v -kernel k -m 8K -object memory-backend-ram,id=m,size=16K,share=on",
		 "cannot set up guest memory 'm': Cannot allocate memory"},
		{"vm v -kernel k -m 8K -object memory-backend-ram,id=m,size=16K,share=on,"
		 "x-use-canonical-path-for-ramblock-id=on",
		 "cannot set up guest memory '/objects/m': Cannot allocate memory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned n = 2; n <= 8; n++) {
			unsigned holes = n / 5; /* 5 frames or more, but no run of 5 */

			start_machine();
			frame_reset();
			frame_add_range(MACHINE_FRAMES_START, (uint64_t)(n % 5) * PAGE_SIZE);
			frame_add_range(MACHINE_FRAMES_START + MIB(1), 3 * holes * PAGE_SIZE);
			assert_int_equal(run_again(rows[i].text), n == 4);
			assert_string_equal(reported(19, 400), n == 4 ? "" : rows[i].reported);
			assert_int_equal(n_images(),
					 ARRAY_SIZE(ramdisk_files) + (n == 4 && i == 0));
		}
	}
}

static void each_allocation_of_the_arena_can_fail(void **state)
{
	static const char text[] =
		"vm v -kernel k -object memory-backend-file,id=a,size=4K,mem-path=/new -object "
		"memory-backend-ram,id=b,size=4K,share=on -object memory-backend-file,id=c,size=4K,"
		"mem-path=/d,share=on";
	unsigned n_parse = 0, n_open = 0;
	bool accepted = false;

	for (size_t size = 0; !accepted; size += 16) {
		struct diag diag = {.file = "t"};
		enum status status;

		start_machine();
		arena.size = size;
		log_reset();
		status = config_parse(text, strlen(text), &arena, &diag, &config);
		n_parse += status == ERR_NOMEM;
		if (status != OK)
			continue;
		accepted = config_open(&config, &images, &diag) == OK;
		n_open += !accepted;
		if (!accepted)
			assert_non_null(strstr(logged, "Cannot allocate memory\n"));
	}
	assert_true(n_parse > 20 && n_open > 10);
}

/* In pieces that do not fit. */
static void scrub(struct backend *backend)
{
	while (backend_discard_some(backend, 5000))
		;
}

/* A window that the guest could have written, between pages of others. */
static void discard_data_scrubs_only_shared_writable_memory(void **state)
{
	static const char *const bools[] = {"off", "on"};

	for (unsigned i = 0; i < 16; i++) {
		unsigned share = i & 1, readonly = i >> 1 & 1, discard = i >> 2 & 1, rom = i >> 3;
		bool valid = !(rom == 1 && readonly && share);
		bool scrubbed = valid && discard && share && !readonly;
		struct image *image;
		uint8_t *byte;
		char text[400];

		sprintf(text,
			"vm v -kernel k -object memory-backend-file,id=a,size=16K,mem-path=/new "
			"-object memory-backend-file,id=b,size=8K,offset=4K,mem-path=/new,share=%s,"
			"readonly=%s,discard-data=%s,rom=%s",
			bools[share], bools[readonly], bools[discard], rom ? "off" : "auto");
		assert_int_equal(run(text), valid);
		image = image_find(images.first, "/new");
		byte = phys_to_virt(image->base);
		memset(byte, 0x5a, image->size);
		scrub(backend(0));
		scrub(backend(1));
		for (unsigned at = 0; at < KIB(16); at++)
			assert_int_equal(byte[at],
					 scrubbed && at >= KIB(4) && at < KIB(12) ? 0 : 0x5a);
	}
}

static void a_piece_scrubs_so_many_bytes(void **state)
{
	uint8_t *byte;

	assert_true(RUN("memory-backend-file,id=a,size=8K,mem-path=/new,share=on,discard-data=on"));
	byte = phys_to_virt(backend(0)->image->base);
	memset(byte, 0x5a, KIB(8));
	assert_true(backend_discard_some(backend(0), 1));
	assert_int_equal(byte[0], 0);
	assert_int_equal(byte[1], 0x5a);
	assert_true(backend_discard_some(backend(0), KIB(8) - 2));
	assert_int_equal(byte[KIB(8) - 2], 0);
	assert_int_equal(byte[KIB(8) - 1], 0x5a);
	assert_false(backend_discard_some(backend(0), 1));
	assert_int_equal(byte[KIB(8) - 1], 0);
	byte[0] = 1;
	assert_false(backend_discard_some(backend(0), 1));
	assert_int_equal(byte[0], 1);
}

static void what_has_no_file_is_not_scrubbed(void **state)
{
	assert_true(RUN("memory-backend-file,id=a,size=8K,mem-path=/d/dir,discard-data=on -object "
			"memory-backend-ram,id=b,size=8K,share=on"));
	memset(phys_to_virt(backend(1)->image->base), 1, KIB(8));
	scrub(backend(0));
	scrub(backend(1));
	assert_int_equal(*(uint8_t *)phys_to_virt(backend(1)->image->base), 1);
}

/* -mem-prealloc counts as prealloc=on, and prealloc=off overrides it. */
static void rom_is_never_preallocated(void **state)
{
	static const struct {
		const char *vm, *object;
		bool prealloc, accepted;
	} rows[] = {
		{"", "readonly=on", false, true},
		{"", "readonly=on,prealloc=on", true, false},
		{"", "readonly=on,share=on,prealloc=on", true, false},
		{"", "readonly=on,rom=off,prealloc=on", true, true},
		{"", "prealloc=on", true, true},
		{" -mem-prealloc", "readonly=on", true, false},
		{" -mem-prealloc", "readonly=on,prealloc=off", false, true},
		{" -mem-prealloc", "readonly=on,rom=off", true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300];

		sprintf(text,
			"vm v -kernel k%s -object "
			"memory-backend-file,id=m,size=1M,mem-path=/d/f32,%s",
			rows[i].vm, rows[i].object);
		assert_int_equal(run(text), rows[i].accepted);
		assert_int_equal(backend(0)->prealloc, rows[i].prealloc);
		if (!rows[i].accepted)
			assert_non_null(strstr(logged, "'prealloc=on' is not supported with ROM"));
	}
}

/* Node 1 has memory, but none that is free. */
static void a_file_that_stays_on_another_node_is_named(void **state)
{
	const struct numa before = numa;

	numa.n_nodes = 2;
	numa.with_memory[0] |= BIT(1);
	assert_true(RUN("memory-backend-file,id=m,size=4K,mem-path=/d/f8,readonly=on,rom=on,"
			"policy=bind,host-nodes=1"));
	assert_non_null(strstr(logged, "the file of memory object 'm' stays on another node: it "
				       "does not fit on these nodes"));
	logged[0] = '\0';
	assert_true(RUN("memory-backend-file,id=m,size=4K,mem-path=/d/f8,readonly=on,rom=on,"
			"policy=bind,host-nodes=0-1"));
	assert_string_equal(logged, "");
	numa = before;
}

static void frames_come_by_the_policy(void **state)
{
	static const char *const policies[] = {"preferred", "bind", "interleave"};
	static const enum frame_mode modes[] = {FRAME_PREFERRED, FRAME_BIND, FRAME_INTERLEAVE};

	assert_true(RUN("memory-backend-ram,id=m,size=1M"));
	assert_int_equal(backend_frame_policy(backend(0)).mode, FRAME_LOCAL);
	for (unsigned i = 0; i < 3; i++) {
		struct frame_policy policy;
		char text[300];

		sprintf(text,
			"vm v -kernel k -object memory-backend-ram,id=m,size=1M,policy=%s,"
			"host-nodes=0-1,host-nodes=127",
			policies[i]);
		assert_true(run(text));
		policy = backend_frame_policy(backend(0));
		assert_int_equal(policy.mode, modes[i]);
		assert_int_equal(policy.nodes[0], 3);
		assert_int_equal(policy.nodes[1], BIT(63));
	}
}

static void what_can_never_fit_is_refused_if_it_is_to_be_reserved(void **state)
{
	static const struct {
		uint64_t size;
		const char *options;
		bool fits;
	} cases[] = {
		{MACHINE_MEMORY, "", true},
		{MACHINE_MEMORY + 1, "", false},
		{MACHINE_MEMORY + 1, ",reserve=on", false},
		{MACHINE_MEMORY + 1, ",reserve=off", true},
		{MACHINE_MEMORY + 1, ",reserve=off,share=on", false},
		{BIT(47), ",reserve=off", true},
		{BIT(47) + 1, ",reserve=off", false},
	};
	char text[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sprintf(text, "vm v -kernel k -object memory-backend-ram,id=m,size=%lu%s",
			cases[i].size, cases[i].options);
		assert_int_equal(run(text), cases[i].fits);
		if (!cases[i].fits)
			assert_non_null(strstr(logged, "cannot set up guest memory 'm': Cannot "
						       "allocate memory"));
	}
	/* Each object alone must fit: together they may be larger than the machine. */
	assert_true(run("vm v -kernel k -object memory-backend-ram,id=a,size=60G "
			"-object memory-backend-ram,id=b,size=60G"));
}

/* Sizes and offsets around every limit: what is accepted is inside the file. */
static void no_size_or_offset_wraps(void **state)
{
	static const uint64_t edges[] = {0,	  PAGE_SIZE, KIB(8),   MIB(32), GIB(64),   BIT(47),
					 BIT(62), BIT(63),   -MIB(32), -KIB(8), -PAGE_SIZE};
	static const char *const paths[] = {"/d/f32", "/d/empty", "/new", "/d/dir"};
	unsigned n_accepted = 0;

	for (unsigned i = 0; i < 33 * 33 * 4; i++) {
		uint64_t size = edges[i % 33 / 3] + i % 3 - 1;
		uint64_t offset = edges[i / 33 % 33 / 3] + i / 33 % 3 - 1;
		const char *path = paths[i / (33 * 33)];
		char text[300];

		/* Do not fill the test's own memory. */
		if (size + offset > MIB(64) && size + offset <= MACHINE_MEMORY)
			continue;
		sprintf(text,
			"vm v -kernel k -object memory-backend-file,id=m,size=%lu,offset=%lu,"
			"mem-path=%s",
			size, offset, path);
		if (!run(text)) {
			assert_string_not_equal(logged, "");
			continue;
		}
		n_accepted++;
		assert_true(size > 0 && is_aligned(size, PAGE_SIZE) &&
			    is_aligned(offset, PAGE_SIZE) && size + offset > offset);
		if (backend(0)->image != NULL)
			assert_true(size + offset <= backend(0)->image->size);
	}
	assert_in_range(n_accepted, 30, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_file_is_created_of_zeros),
		cmocka_unit_test(a_large_created_file_has_large_pages),
		cmocka_unit_test(an_empty_file_grows),
		cmocka_unit_test(an_empty_file_that_cannot_grow_is_refused),
		cmocka_unit_test(objects_over_one_file_have_one_image),
		cmocka_unit_test(a_file_that_one_of_its_backends_shares_may_be_written),
		cmocka_unit_test(a_created_file_does_not_grow_again),
		cmocka_unit_test(a_refusal_takes_the_created_file_away),
		cmocka_unit_test(a_file_that_cannot_be_created_is_refused),
		cmocka_unit_test(names_have_255_bytes),
		cmocka_unit_test(creating_needs_a_directory_one_may_write_and_enter),
		cmocka_unit_test(a_directory_gets_a_file_without_a_name),
		cmocka_unit_test(shared_ram_has_an_image_and_private_ram_none),
		cmocka_unit_test(what_can_never_fit_is_refused_if_it_is_to_be_reserved),
		cmocka_unit_test(memory_that_is_not_there_is_refused),
		cmocka_unit_test(each_allocation_of_the_arena_can_fail),
		cmocka_unit_test(discard_data_scrubs_only_shared_writable_memory),
		cmocka_unit_test(a_piece_scrubs_so_many_bytes),
		cmocka_unit_test(what_has_no_file_is_not_scrubbed),
		cmocka_unit_test(rom_is_never_preallocated),
		cmocka_unit_test(frames_come_by_the_policy),
		cmocka_unit_test(a_file_that_stays_on_another_node_is_named),
		cmocka_unit_test(no_size_or_offset_wraps),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
