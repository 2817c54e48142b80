/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backends against what QEMU does: the measured tables of tests/data, all combinations of
 * share, readonly and rom, and the refusals of our own.
 */
#include "hv/backends/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/backends/config.h"
#include "hv/frame.h"
#include "tests/unit/support.h"

#include "tests/unit/csv.h"
#include "tests/unit/ramdisk_files.h"

static char memory[1 << 18] __attribute__((aligned(16)));
static struct config config;
static bool no_frames;

uint64_t frame_total(void)
{
	return GIB(64) / PAGE_SIZE;
}

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	assert_true(no_frames); /* all files of ramdisk_files.h are aligned */
	return 0;
}

/* 'text' with each 'from' made 'to'; valid until the next call but three. */
static char *replace(const char *text, const char *from, const char *to)
{
	static char buffers[4][16384];
	static unsigned n;
	char *out = buffers[n++ % 4], *start = out;
	const char *hit;

	while ((hit = strstr(text, from)) != NULL) {
		out += sprintf(out, "%.*s%s", (int)(hit - text), text, to);
		text = hit + strlen(from);
	}
	strcpy(out, text);
	return start;
}

/* Parse and open the text with the files of ramdisk_files.h. */
static bool run(const char *text)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "t"};
	enum status parsed, opened;

	log_reset();
	parsed = config_parse(text, strlen(text), &arena, &diag, &config);
	assert_int_not_equal(parsed, ERR_NOMEM);
	opened = config_open(&config, ramdisk_list(), &diag);
	assert_int_equal(parsed == OK && opened == OK, diag.n_errors == 0);
	return diag.n_errors == 0;
}

/* All messages without level and place, joined as in the tables; places lie in [from, to]. */
static const char *said(unsigned from, unsigned to)
{
	static char result[16384];
	const char *line = logged, *end;
	char *out = result;
	unsigned column;
	int skip;

	*out = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		line += strncmp(line, "error: ", 7) == 0 ? 7 : 9;
		skip = 0;
		if (sscanf(line, "t:1:%u: %n", &column, &skip) == 1)
			assert_in_range(column, from, to);
		line += skip;
		out += sprintf(out, "%s%.*s", out == result ? "" : " | ", (int)(end - line), line);
	}
	return result;
}

static const char *expected(const struct csv *csv, const char *message)
{
	const char *ours = csv_get(csv, "stencil");

	return *ours != '\0' ? ours : csv_get(csv, message);
}

/* The text behind "key": in the table's JSON, up to the next comma. */
static bool has_value(const char *json, const char *key, const char *value)
{
	char pair[700];

	snprintf(pair, sizeof(pair), "\"%s\": %s", key, value);
	json = strstr(json, pair);
	return json != NULL && strchr(",}", json[strlen(pair)]) != NULL;
}

static bool has_number(const char *json, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return has_value(json, key, text);
}

static void check_effective(const char *json, const struct backend *backend)
{
	char quoted[600];

	snprintf(quoted, sizeof(quoted), "{\"%s\": {", backend->id);
	assert_non_null(strstr(json, quoted));
	assert_true(has_number(json, "size", backend->size));
	assert_true(has_value(json, "share", backend->share ? "true" : "false"));
	assert_int_equal(backend->type == BACKEND_RAM, strstr(json, "mem-path") == NULL);
	if (backend->type == BACKEND_RAM)
		return;
	assert_true(has_value(json, "readonly", backend->readonly ? "true" : "false"));
	assert_true(has_value(json, "rom", backend->rom == ON_OFF_AUTO_ON ? "\"on\"" : "\"off\""));
	assert_true(has_number(json, "align", backend->align));
	assert_true(has_number(json, "offset", backend->offset));
	snprintf(quoted, sizeof(quoted), "\"%s\"", backend->mem_path);
	assert_true(has_value(json, "mem-path", quoted));
	assert_non_null(backend->image);
}

static void the_argument_of_object_is_read_as_qemu_reads_it(void **state)
{
	struct csv csv = csv_open("parser.csv");
	unsigned n = 0;

	for (; csv_next(&csv); n++) {
		char *argument = replace(csv_get(&csv, "option_string"), "<D>", "/d");
		bool second = strcmp(csv_get(&csv, "n"), "367") == 0;
		const char *ours = csv_get(&csv, "stencil");
		char text[16384];
		int start;

		start = sprintf(text, "vm v -kernel k %s-object ",
				second ? "-object memory-backend-ram,id=m,size=1M " : "");
		sprintf(text + start, "'%s'", argument);
		print_message("[ row      ] %s: %s\n", csv_get(&csv, "n"), argument);
		assert_int_equal(run(text),
				 !strcmp(csv_get(&csv, "cmdline"), "accepted") && *ours == '\0');
		assert_string_equal(said((unsigned)start + 2, (unsigned)strlen(text) + 1),
				    replace(expected(&csv, "cmdline_msg"), "<D>", "/d"));
		if (strcmp(csv_get(&csv, "cmdline"), "accepted") == 0 && *ours == '\0')
			check_effective(replace(csv_get(&csv, "cmdline_effective"), "<D>", "/d"),
					config.vms->backends);
	}
	assert_int_equal(n, 253);
	free(csv.text);
}

static void put_option(char *text, const char *key, const char *value)
{
	if (strcmp(value, "unset") != 0)
		sprintf(text + strlen(text), ",%s=%s", key, value);
}

static enum mem_kind measured_kind(const struct csv *csv)
{
	if (strstr(csv_get(csv, "mtree"), "rom") != NULL)
		return MEM_ROM;
	return strcmp(csv_get(csv, "mmap_perms"), "rw-s") == 0 ? MEM_SHARED : MEM_COW;
}

static const char *measured_path(const struct csv *csv)
{
	if (strcmp(csv_get(csv, "file"), "rw") == 0)
		return "/d/f32";
	return strcmp(csv_get(csv, "file"), "missing") == 0 ? "/d/new" : "/d/ro0444";
}

static void a_row_of_the_truth_table_holds(struct csv *csv)
{
	const char *consumer = csv_get(csv, "consumer"), *message = expected(csv, "error");
	bool accepted = strcmp(csv_get(csv, "result"), "accepted") == 0;
	char text[1000] = "vm v -kernel k -object memory-backend-file,id=mem0,size=32M";

	put_option(text, "mem-path", measured_path(csv));
	put_option(text, "share", csv_get(csv, "share"));
	put_option(text, "readonly", csv_get(csv, "readonly"));
	put_option(text, "rom", csv_get(csv, "rom"));
	if (strcmp(consumer, "machine") == 0)
		strcat(text, " -machine memory-backend=mem0");
	else
		sprintf(text + strlen(text), " -m 128M,slots=2,maxmem=2G -device %s,memdev=mem0",
			strcmp(consumer, "pc-dimm") == 0 ? "pc-dimm" : "nvdimm");
	print_message("[ row      ] %s: %s\n", csv_get(csv, "id"), text);
	assert_int_equal(run(text), accepted && *csv_get(csv, "stencil") == '\0');
	message = replace(message, "<PATH>", measured_path(csv));
	if (strncmp(consumer, "nvdimm", 6) == 0)
		assert_non_null(strstr(said(1, 1000), message));
	else
		assert_string_equal(said(17, 1000), message);
	if (accepted) {
		assert_int_equal(config.vms->backends->kind, measured_kind(csv));
		assert_true(config.vms->backends->image != NULL || *message != '\0');
	}
}

static void the_truth_table_holds(void **state)
{
	struct csv csv = csv_open("truth.csv");
	unsigned n = 0;

	for (; csv_next(&csv); n++)
		a_row_of_the_truth_table_holds(&csv);
	assert_int_equal(n, 286);
	free(csv.text);
}

/* QEMU's rule as a formula of its own, over the values with defaults filled in. */
static int wanted_kind(bool share, bool readonly, enum on_off_auto rom)
{
	if (rom == ON_OFF_AUTO_ON && !readonly)
		return -1;
	if (rom == ON_OFF_AUTO_OFF && readonly && share)
		return -2;
	if (readonly && rom != ON_OFF_AUTO_OFF)
		return MEM_ROM;
	return share ? MEM_SHARED : MEM_COW;
}

static void all_36_combinations_resolve_or_are_refused(void **state)
{
	static const char *const bools[] = {"unset", "off", "on"};
	static const char *const roms[] = {"auto", "on", "off", "unset"};
	unsigned n_refused = 0;

	for (unsigned i = 0; i < 36; i++) {
		unsigned share = i % 3, readonly = i / 3 % 3, rom = i / 9;
		int want = wanted_kind(share == 2, readonly == 2, rom % 3);
		char text[300] = "vm v -kernel k -object "
				 "memory-backend-file,id=m,size=1M,mem-path=/d/f32";

		put_option(text, "share", bools[share]);
		put_option(text, "readonly", bools[readonly]);
		put_option(text, "rom", roms[rom]);
		assert_int_equal(run(text), want >= 0);
		if (want >= 0) {
			assert_int_equal(config.vms->backends->kind, want);
			continue;
		}
		n_refused++;
		assert_true(config.vms->backends->broken);
		assert_string_equal(
			said(24, 300),
			want == -1
				? "property 'rom' = 'on' is not supported with 'readonly' = 'off'"
				: "property 'rom' = 'off' is incompatible with 'readonly' = "
				  "'on' and 'share' = 'on'");
	}
	assert_int_equal(n_refused, 7);
}

static void resolution_needs_no_parser(void **state)
{
	struct diag diag = {.file = "t"};

	for (unsigned i = 0; i < 12; i++) {
		struct backend backend = {
			.type = BACKEND_FILE,
			.share = i & 1,
			.readonly = i >> 1 & 1,
			.rom = i >> 2,
		};
		int want = wanted_kind(i & 1, i >> 1 & 1, i >> 2);

		assert_int_equal(backend_resolve(&backend, &diag), want < 0 ? ERR_INVAL : OK);
		if (want >= 0)
			assert_int_equal(backend.kind, want);
	}
	assert_int_equal(diag.n_errors, 3);
}

static void a_file_that_cannot_be_moved_is_refused(void **state)
{
	struct image *odd = image_find(ramdisk_list(), "/d/odd5000");

	odd->aligned = false;
	no_frames = true;
	assert_false(run("vm v -kernel k -object "
			 "memory-backend-file,id=m,size=4K,mem-path=/d/odd5000"));
	assert_string_equal(said(24, 80),
			    "unable to map backing store for guest RAM: Cannot allocate memory");
	odd->aligned = true;
	no_frames = false;
}

static void a_file_without_read_permission_gets_no_hint(void **state)
{
	assert_false(
		run("vm v -kernel k -object memory-backend-file,id=m,size=4K,mem-path=/d/no0000"));
	assert_string_equal(said(24, 100),
			    "can't open backing store /d/no0000 for guest RAM: Permission denied");
	assert_false(
		run("vm v -kernel k -object "
		    "memory-backend-file,id=m,size=4K,mem-path=/d/no0000,readonly=on,rom=off"));
	assert_non_null(strstr(logged, "Permission denied\n"));
}

static void rules_that_the_tables_do_not_reach(void **state)
{
	static const struct {
		const char *argument, *said;
	} rows[] = {
		{"memory-backend-ram,id=m,size=1M,host-nodes=0",
		 "host-nodes must be empty for policy default, or you should explicitly specify a "
		 "policy other than default"},
		{"memory-backend-ram,id=m,size=1M,host-nodes=0,policy=default",
		 "host-nodes must be empty for policy default, or you should explicitly specify a "
		 "policy other than default"},
		{"memory-backend-file,id=m,size=1M,mem-path=/d/f32,align=8E",
		 "unable to map backing store for guest RAM: Cannot allocate memory"},
		{"memory-backend-file,id=m,size=0xffffffffffffffff,mem-path=/d/f32",
		 "unable to map backing store for guest RAM: Value too large for defined data "
		 "type"},
		{"memory-backend-ram,id=m,size=0xffffffffffffffff",
		 "cannot set up guest memory 'm': Cannot allocate memory"},
		{"memory-backend-file,id=m,size=4K,mem-path=/d/empty",
		 "/d/empty: growing an empty backing store is not supported yet"},
		{"memory-backend-ram,id=m,size=1M,merge=zz",
		 "Parameter 'merge' expects 'on' or 'off'"},
		{"memory-backend-ram,id=m,size=1M,prealloc-threads=-1",
		 "Parameter 'prealloc-threads' expects a uint64 value"},
		{"memory-backend-ram,id=m,size=1M,merge=off",
		 "option 'merge' of memory-backend-ram is not supported yet"},
		{"memory-backend-ram,id=m,size=1M,merge=on,dump=on,prealloc=off,reserve=on,"
		 "prealloc-threads=1,policy=default,prealloc-context=,"
		 "x-use-canonical-path-for-ramblock-id=off",
		 ""},
		{"memory-backend-memfd,id=m,size=1M",
		 "object type 'memory-backend-memfd' is not supported yet"},
		{"memory-backend-ram,size=1M,id=1,id=m,foo",
		 "warning: short-form boolean option 'foo' "
		 "deprecated | Please use foo=on instead | Parameter 'id' expects an identifier | "
		 "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[400] = "vm v -kernel k -object ";

		strcat(text, rows[i].argument);
		assert_int_equal(run(text), *rows[i].said == '\0');
		assert_string_equal(said(24, 400), rows[i].said);
	}
}

static void memory_that_no_machine_has_is_refused(void **state)
{
	assert_false(run("vm v -kernel k -m 65G"));
	assert_string_equal(said(19, 19),
			    "cannot set up guest memory 'pc.ram': Cannot allocate memory");
	assert_true(run("vm v -kernel k -m 64G"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_argument_of_object_is_read_as_qemu_reads_it),
		cmocka_unit_test(the_truth_table_holds),
		cmocka_unit_test(all_36_combinations_resolve_or_are_refused),
		cmocka_unit_test(resolution_needs_no_parser),
		cmocka_unit_test(a_file_that_cannot_be_moved_is_refused),
		cmocka_unit_test(a_file_without_read_permission_gets_no_hint),
		cmocka_unit_test(rules_that_the_tables_do_not_reach),
		cmocka_unit_test(memory_that_no_machine_has_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
