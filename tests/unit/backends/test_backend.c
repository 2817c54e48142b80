/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backends against QEMU's behaviour: the measured tables of tests/data, all combinations of share,
 * readonly and rom, and Stencil's own refusals.
 */
#include "hv/backends/backend_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/config/hotplug.h"
#include "tests/unit/support.h"

#include "tests/unit/config_run.h"
#include "tests/unit/csv.h"

/* 'text' with each 'from' replaced by 'to'. Valid for the next three calls. */
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

static const char *expected(const struct csv *csv, const char *message)
{
	const char *ours = csv_get(csv, "stencil");

	return *ours != '\0' ? ours : csv_get(csv, message);
}

/* The text after "key": in the table's JSON, up to the next comma. */
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

	snprintf(text, sizeof(text), "%lu", value);
	return has_value(json, key, text);
}

static bool has_bool(const char *json, const char *key, bool value)
{
	return has_value(json, key, value ? "true" : "false");
}

static void check_host_nodes(const char *json, const struct backend *backend)
{
	assert_int_equal(backend->has_host_nodes, strstr(json, "\"host-nodes\": [0]") != NULL);
	assert_int_equal(!backend->has_host_nodes, strstr(json, "\"host-nodes\": []") != NULL);
	assert_int_equal(backend->host_nodes[0], backend->has_host_nodes);
	assert_int_equal(backend->host_nodes[1], 0);
}

static void check_common(const char *json, const struct backend *backend)
{
	static const char *const policies[] = {"\"default\"", "\"preferred\"", "\"bind\"",
					       "\"interleave\""};

	assert_true(has_number(json, "size", backend->size));
	assert_true(has_bool(json, "share", backend->share));
	assert_true(has_bool(json, "merge", backend->merge));
	assert_true(has_bool(json, "dump", backend->dump));
	assert_true(has_bool(json, "prealloc", backend->prealloc));
	assert_true(has_bool(json, "reserve", backend->reserve));
	assert_true(has_value(json, "policy", policies[backend->policy]));
	/* Measured with one vCPU. */
	assert_true(has_number(json, "prealloc-threads", backend->prealloc_threads));
	check_host_nodes(json, backend);
}

static void check_effective(const char *json, const struct backend *backend)
{
	char quoted[600];

	snprintf(quoted, sizeof(quoted), "{\"%s\": {", backend->id);
	assert_non_null(strstr(json, quoted));
	check_common(json, backend);
	assert_int_equal(backend->type == BACKEND_RAM, strstr(json, "mem-path") == NULL);
	if (backend->type == BACKEND_RAM) {
		assert_int_equal(backend->image != NULL, backend->share);
		return;
	}
	assert_true(has_bool(json, "readonly", backend->readonly));
	assert_true(has_bool(json, "discard-data", backend->discard_data));
	assert_true(has_value(json, "rom", backend->rom == ON_OFF_AUTO_ON ? "\"on\"" : "\"off\""));
	assert_true(has_number(json, "align", backend->align));
	assert_true(has_number(json, "offset", backend->offset));
	snprintf(quoted, sizeof(quoted), "\"%s\"", backend->mem_path);
	assert_true(has_value(json, "mem-path", quoted));
}

static void the_argument_of_object_is_read_as_qemu_reads_it(void **state)
{
	struct csv csv = csv_open("parser.csv");
	unsigned n = 0, n_exempt = 0;

	for (; csv_next(&csv); n++) {
		char *argument = replace(csv_get(&csv, "option_string"), "<D>", "/d");
		bool second = strcmp(csv_get(&csv, "n"), "367") == 0;
		const char *ours = csv_get(&csv, "stencil");
		bool accepted = strcmp(csv_get(&csv, "cmdline"), "accepted") == 0 && *ours == '\0';
		char text[16384];
		int start;

		start = sprintf(text, "vm v -kernel k %s-object ",
				second ? "-object memory-backend-ram,id=m,size=1M " : "");
		sprintf(text + start, "'%s'", argument);
		print_message("[ row      ] %s: %s\n", csv_get(&csv, "n"), argument);
		assert_int_equal(run(text), accepted);
		assert_string_equal(reported((unsigned)start + 2, (unsigned)strlen(text) + 1),
				    replace(expected(&csv, "cmdline_msg"), "<D>", "/d"));
		if (accepted)
			check_effective(replace(csv_get(&csv, "cmdline_effective"), "<D>", "/d"),
					config.vms->backends);
		assert_int_equal(*ours != '\0', *csv_get(&csv, "reason") != '\0');
		n_exempt += *ours != '\0';
	}
	print_message("[ rows     ] parser.csv: %u compared, %u exempt\n", n - n_exempt, n_exempt);
	assert_int_equal(n, 253);
	assert_int_equal(n_exempt, 12);
	free(csv.text);
}

/* What object_add says, of a VM that runs; empty: it has made the object. */
static const char *add(const char *argument, struct backend **ret)
{
	static char why[DIAG_MESSAGE_MAX + 1];
	struct word *word = arena_alloc(&arena, sizeof(*word));
	struct diag diag = {.kept = why};
	struct image_work later = {0};
	struct image_list list = images;
	enum status status;

	why[0] = '\0';
	list.unnamed = &arena;
	list.later = &later;
	word->text = arena_strndup(&arena, argument, strlen(argument));
	word->len = strlen(argument);
	word->start = word_cursor(word->text, word->len);
	status = hotplug_read_object(config.vms, word, &list, &diag, ret);
	images.first = list.first;
	assert_int_equal(status != OK, why[0] != '\0');
	return why;
}

static void object_add_reads_its_argument_as_qemu_does(void **state)
{
	struct csv csv = csv_open("object_add.csv");
	unsigned n = 0, n_exempt = 0;

	for (; csv_next(&csv); n++) {
		char *ours = replace(csv_get(&csv, "stencil"), "<D>", "/d");
		const char *why;
		bool second = strcmp(csv_get(&csv, "n"), "367") == 0;
		char *argument = replace(csv_get(&csv, "option_string"), "<D>", "/d");
		struct backend *backend;

		assert_true(run(second ? "vm v -kernel k -object memory-backend-ram,id=m,size=1M"
				       : "vm v -kernel k"));
		why = add(argument, &backend);
		print_message("[ row      ] %s: %s: %s\n", csv_get(&csv, "n"), argument, why);
		assert_string_equal(
			why, *ours != '\0' ? ours : replace(csv_get(&csv, "message"), "<D>", "/d"));
		assert_int_equal(*ours != '\0', *csv_get(&csv, "reason") != '\0');
		n_exempt += *ours != '\0';
		if (*why == '\0')
			check_effective(replace(csv_get(&csv, "effective"), "<D>", "/d"), backend);
	}
	print_message("[ rows     ] object_add.csv: %u compared, %u exempt\n", n - n_exempt,
		      n_exempt);
	assert_int_equal(n, 253);
	assert_int_equal(n_exempt, 12);
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

static const char *consumer_options(const char *consumer)
{
	if (strcmp(consumer, "machine") == 0)
		return " -machine memory-backend=mem0";
	if (strcmp(consumer, "pc-dimm") == 0)
		return " -m 128M,slots=2,maxmem=2G -device pc-dimm,memdev=mem0";
	if (strcmp(consumer, "nvdimm") == 0)
		return " -machine nvdimm=on -m 128M,slots=2,maxmem=2G -device nvdimm,memdev=mem0";
	assert_string_equal(consumer, "nvdimm-unarmed");
	return " -machine nvdimm=on -m 128M,slots=2,maxmem=2G -device "
	       "nvdimm,memdev=mem0,unarmed=on";
}

/* Unlike QEMU, Stencil warns of ROM in the place of RAM, unless rom=on was given. */
static const char *rom_warning(const struct csv *csv)
{
	static char text[400];
	bool share = strcmp(csv_get(csv, "share"), "on") == 0;
	bool is_main = strcmp(csv_get(csv, "consumer"), "machine") == 0;

	if (strncmp(csv_get(csv, "consumer"), "nvdimm", 6) == 0 ||
	    (!is_main && strcmp(csv_get(csv, "rom"), "on") == 0))
		return "";
	sprintf(text,
		"warning: %s 'mem0' is ROM: nothing that the guest writes will stick | For memory "
		"that begins as the backing store, a template's clone, write "
		"%sreadonly=on,rom=off.",
		is_main ? "main memory" : "memory module", share ? "share=off," : "");
	return text;
}

static void a_row_of_the_truth_table_holds(struct csv *csv)
{
	bool accepted = strcmp(csv_get(csv, "result"), "accepted") == 0;
	bool missing = strcmp(csv_get(csv, "file"), "missing") == 0;
	const char *message = csv_get(csv, "error");
	char text[1000] = "vm v -kernel k -object memory-backend-file,id=mem0,size=32M";

	put_option(text, "mem-path", measured_path(csv));
	put_option(text, "share", csv_get(csv, "share"));
	put_option(text, "readonly", csv_get(csv, "readonly"));
	put_option(text, "rom", csv_get(csv, "rom"));
	strcat(text, consumer_options(csv_get(csv, "consumer")));
	print_message("[ row      ] %s: %s\n", csv_get(csv, "id"), text);
	assert_int_equal(run(text), accepted);
	if (accepted && measured_kind(csv) == MEM_ROM)
		message = rom_warning(csv);
	assert_string_equal(reported(17, 1000), replace(message, "<PATH>", measured_path(csv)));
	assert_int_equal(n_images(),
			 ARRAY_SIZE(ramdisk_files) + (missing && !config.vms->backends->broken));
	if (!accepted)
		return;
	assert_int_equal(config.vms->backends->kind, measured_kind(csv));
	assert_non_null(config.vms->backends->image);
	assert_int_equal(config.vms->backends->image->grown, missing);
}

static void the_truth_table_holds(void **state)
{
	struct csv csv = csv_open("truth.csv");
	unsigned n = 0;

	for (; csv_next(&csv); n++)
		a_row_of_the_truth_table_holds(&csv);
	print_message("[ rows     ] truth.csv: %u compared, none exempt\n", n);
	assert_int_equal(n, 286);
	free(csv.text);
}

/* QEMU's rule as a formula, over the values with defaults filled in. */
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
			reported(24, 300),
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_argument_of_object_is_read_as_qemu_reads_it),
		cmocka_unit_test(object_add_reads_its_argument_as_qemu_does),
		cmocka_unit_test(the_truth_table_holds),
		cmocka_unit_test(all_36_combinations_resolve_or_are_refused),
		cmocka_unit_test(resolution_needs_no_parser),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
