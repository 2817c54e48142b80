/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that save templates, and VMs and templates that start from a saved state. */
#include "hv/config/template_lines.h"

#include <string.h>

#include "hv/lib/memory_part.h"
#include "hv/lib/saved_head.h"
#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

#define MEMORY \
	"-m 8M -machine memory-backend=m -object memory-backend-file,id=m,size=8M,mem-path=/d/f8"
#define PRIVATE MEMORY ",readonly=on,rom=off "

#define STATE_BYTES (STATE_HEAD_SIZE + STATE_NAME_SIZE + 8 + 4 * 8 + SAVED_NAME_SIZE)

static uint8_t state_bytes[7][STATE_BYTES];
static struct image state_files[7];
static uint8_t part_bytes[3][PART_HEAD_SIZE + BLOCK_HEAD_SIZE];
static struct image part_files[3];

static void add_file(struct image *file, const char *path, void *bytes, size_t len)
{
	struct image **tail = &images.first;

	while (*tail)
		tail = &(*tail)->next;
	*file = (struct image){
		.path = path, .mode = 0644, .base = virt_to_phys(bytes), .size = len};
	*tail = file;
}

static void add_state(unsigned i, const char *path, const struct saved_head *head)
{
	struct state_writer writer;

	state_begin(&writer, state_bytes[i], "0.0.0");
	saved_head_put(&writer, head);
	add_file(&state_files[i], path, state_bytes[i], state_end(&writer));
}

/* Files of state: complete, damaged, cut off, of another version; with parts; impossible. */
static void add_files(void)
{
	static const char *const paths[] = {"/good", "/bad", "/short", "/new"};
	const struct saved_head whole = {.id = 7}, parts = {.id = 8, .has_parts = true}, none = {0};

	for (unsigned i = 0; i < 4; i++)
		add_state(i, paths[i], &whole);
	state_bytes[1][13] ^= 1;
	state_files[2].size--;
	state_bytes[3][8]++;
	add_state(4, "/p.state", &parts);
	add_state(5, "/p", &parts);
	add_state(6, "/none", &none);
	for (unsigned i = 0; i < 3; i++) {
		size_t n = part_put_head(part_bytes[i], 8, i);

		part_put_end(part_bytes[i] + n, i == 1);
	}
}

/* The parts of /p.state. */
static void add_parts(unsigned first, unsigned n)
{
	static const char *const paths[] = {"/p.mem.0", "/p.mem.1", "/p.mem.2"};

	for (unsigned i = first; i < first + n; i++)
		add_file(&part_files[i], paths[i], part_bytes[i], sizeof(part_bytes[i]));
}

static bool run_with_files(const char *text)
{
	start_machine();
	add_files();
	return run_again(text);
}

static void refused(const char *text, const char *want)
{
	assert_false(run_with_files(text));
	assert_string_equal(logged, want);
}

static void saves_are_read(void **state)
{
	const struct save_config *save;

	assert_true(run("vm t -kernel k\nclone t count=2\nsave t /d/x\nsave -s t-1 'a b'"));
	save = config.saves;
	assert_string_equal(save->template, "t");
	assert_string_equal(save->path, "/d/x");
	assert_false(save->how.is_sent);
	save = save->next;
	assert_string_equal(save->template, "t-1");
	assert_string_equal(save->path, "a b");
	assert_true(save->how.is_sent && !save->how.is_packed && !save->how.is_layer);
	assert_null(save->next);
	assert_true(run("vm t -kernel k\nclone t\nsave -z t x\nsave -i -s t-0 y"));
	save = config.saves;
	assert_true(!save->how.is_sent && save->how.is_packed && !save->how.is_layer);
	save = save->next;
	assert_true(save->how.is_sent && save->how.is_packed && save->how.is_layer);
	assert_string_equal(save->template, "t-0");
	assert_true(run("vm t -kernel k\nsave t x\nsave t /x"));
}

static void wrong_saves_are_refused(void **state)
{
	char text[600] = "vm t -kernel k\nsave t /", *end = text + strlen(text);

	refused("vm t -kernel k\nsave",
		"error: t:2:1: 'save' needs the name of a template and a name for the files\n");
	refused("vm t -kernel k\nsave -s t",
		"error: t:2:1: 'save' needs the name of a template and a name for the files\n");
	refused("vm t -kernel k\nsave -z -s t",
		"error: t:2:1: 'save' needs the name of a template and a name for the files\n");
	refused("vm t -kernel k\nsave -c t /x", "error: t:2:11: save: Invalid parameter '/x'\n");
	refused("vm t -kernel k\nsave t /x y", "error: t:2:11: save: Invalid parameter 'y'\n");
	refused("vm t -kernel k\nsave t ''",
		"error: t:2:10: save: the name of the files is empty or too long\n");
	refused("vm t -kernel k\nsave u /x",
		"error: t:2:6: there is no VM 'u' that could be a template\n"
		"error:       = the only VM is 't'\n");
	refused("vm t -kernel k\nsave t /n/x",
		"error: t:2:8: save: no folder '/n/': No such file or directory\n");
	refused("vm t -kernel k\nsave t /d/f8/x",
		"error: t:2:8: save: no folder '/d/f8/': Not a directory\n");
	memset(end, 'x', SAVE_PATH_MAX - 1);
	assert_true(run(text));
	end[SAVE_PATH_MAX - 1] = 'x';
	refused(text, "error: t:2:8: save: the name of the files is empty or too long\n");
}

static void files_that_are_there_are_kept(void **state)
{
	static struct image there = {.mode = 0644};
	static const char *const paths[] = {"/x.state", "/x.mem", "/x.mem.0"};
	static const char *const lines[] = {"vm t -kernel k\nsave t /x",
					    "vm t -kernel k\nsave t /x",
					    "vm t -kernel k\nsave -z t /x"};

	for (unsigned i = 0; i < 3; i++) {
		char want[100];

		start_machine();
		there.path = paths[i];
		there.next = images.first;
		images.first = &there;
		assert_false(run_again(lines[i]));
		snprintf(want, sizeof(want),
			 "error: t:2:%u: save: failed to open '%s': File exists\n", i == 2 ? 11 : 8,
			 paths[i]);
		assert_string_equal(logged, want);
	}
	start_machine();
	images.first = &there;
	assert_true(run_again("vm t -kernel k\nsave -s t /x")); /* it is sent */
}

static void a_vm_starts_from_a_file(void **state)
{
	assert_true(run_with_files("vm a " PRIVATE "-incoming file:/good"));
	assert_string_equal(config.vms->incoming, "/good");
	assert_ptr_equal(config.vms->incoming_image, &state_files[0]);
	assert_false(config.vms->is_template);
	assert_null(config.vms->kernel);
	assert_true(run_with_files("vm a " PRIVATE "-kernel k -append x --incoming file:good"));
	assert_string_equal(config.vms->kernel, "k");
}

static void a_template_is_made_from_a_file(void **state)
{
	assert_true(run_with_files("template a " PRIVATE "-incoming file:/good\nclone a count=3\n"
				   "vm b -incoming template:a\nclone b"));
	assert_true(config.vms->is_template);
	assert_int_equal(config.n_vms, 1);
	assert_int_equal(config.clones->count, 3);
	assert_string_equal(config.clones->next->name, "b");
}

static void wrong_files_are_refused(void **state)
{
	refused("vm a -incoming file:/bad",
		"error: t:1:21: '/bad' is damaged: its checksum is 15eb58ac, and should be "
		"15eb59ac\n");
	refused("vm a -incoming file:/short",
		"error: t:1:21: '/short' is cut off: it has 191 of 192 bytes\n");
	refused("vm a -incoming file:/new", "error: t:1:21: '/new' has version 7 of the format "
					    "(Stencil 0.0.0), only 1 to 6 are "
					    "supported\n");
	refused("vm a -incoming file:/nowhere",
		"error: t:1:21: could not open '/nowhere': No such file or directory\n");
	refused("vm a -incoming file:/none",
		"error: t:1:21: '/none' section 'memory' 0: has an impossible value\n");
	refused("vm a -incoming file:/d", "error: t:1:21: could not open '/d': Is a directory\n");
	refused("vm a -incoming file:/d/fifo",
		"error: t:1:21: could not open '/d/fifo': Not a regular file\n");
}

static void wrong_lines_are_refused(void **state)
{
	refused("template", "error: t:1:1: 'template' needs a name\n");
	refused("template 9",
		"error: t:1:10: '9' is not a name for a template\n"
		"error: Names consist of letters, digits, '-', '.', '_', starting with "
		"a letter.\n");
	refused("template a -kernel k",
		"error: t:1:10: template 'a' has no -incoming file:PATH to be made from\n");
	refused("template a",
		"error: t:1:10: template 'a' has no -incoming file:PATH to be made from\n");
	refused("vm a -incoming", "error: t:1:6: -incoming: requires an argument\n"
				  "error: t:1:4: vm 'a' has no -kernel, and no -bios\n");
	refused("vm a -incoming tcp:0:4444",
		"error: t:1:16: option '-incoming tcp:0:4444' is not supported, only '-incoming "
		"template:NAME' of a vm, and '-incoming file:PATH'\n");
	refused("template a -incoming template:b",
		"error: t:1:22: option '-incoming template:b' is not supported, only '-incoming "
		"template:NAME' of a vm, and '-incoming file:PATH'\n");
	refused("vm a -append x -incoming file:/good",
		"error: t:1:14: -append only allowed with -kernel option\n");
	refused("vm a -incoming template:b -m 8M\nvm b -kernel k",
		"error: t:1:27: a VM with -incoming has the options of its template, and no "
		"others\n");
}

static void the_files_of_compressed_memory_are_found(void **state)
{
	start_machine();
	add_files();
	add_parts(0, 3);
	assert_true(run_again("vm a -m 8M -incoming file:/p.state"));
	assert_true(config.vms->saved.id == 8 && config.vms->saved.has_parts);
	assert_ptr_equal(config.vms->parts->image, &part_files[0]);
	assert_string_equal(config.vms->parts->next->path, "/p.mem.1");
	assert_ptr_equal(config.vms->parts->next->image, &part_files[1]);
	assert_null(config.vms->parts->next->next); /* the last one says so */
	assert_true(run_with_files("vm a " PRIVATE "-incoming file:/good"));
	assert_null(config.vms->parts);
}

static void a_file_of_compressed_memory_that_is_missing_is_named(void **state)
{
	refused("vm a -m 8M -incoming file:/p.state",
		"error: t:1:27: could not open '/p.mem.0': No such file or directory\n");
	start_machine();
	add_files();
	add_parts(0, 1);
	assert_false(run_again("vm a -m 8M -incoming file:/p.state"));
	assert_string_equal(
		logged, "error: t:1:27: could not open '/p.mem.1': No such file or directory\n");
	refused("vm a -m 8M -incoming file:/p",
		"error: t:1:27: '/p' has its memory in files of the same name, and must end in "
		"'.state'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves_are_read),
		cmocka_unit_test(wrong_saves_are_refused),
		cmocka_unit_test(files_that_are_there_are_kept),
		cmocka_unit_test(a_vm_starts_from_a_file),
		cmocka_unit_test(a_template_is_made_from_a_file),
		cmocka_unit_test(wrong_files_are_refused),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(the_files_of_compressed_memory_are_found),
		cmocka_unit_test(a_file_of_compressed_memory_that_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
