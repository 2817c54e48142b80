/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options that use backends against QEMU's behaviour: the measured table
 * tests/data/consumers.csv, with messages and the monitor's answers.
 */
#include "hv/config/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/config/layout.h"
#include "hv/monitor/info.h"
#include "tests/unit/support.h"

#include "tests/unit/csv.h"
#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

#define PIECES_MAX 256

static char memory[1 << 20] __attribute__((aligned(16)));
static char text[8192];
static struct config config;
static const struct device_list no_devices;

/* Replace each 'from' in 'in' by 'to', which is not longer. */
static void replace(char *in, const char *from, const char *to)
{
	char *hit;

	while ((hit = strstr(in, from)) != NULL) {
		memmove(hit + strlen(to), hit + strlen(from), strlen(hit + strlen(from)) + 1);
		memcpy(hit, to, strlen(to));
	}
}

/* "-machine none -object A -object B" has no machine, and so no VM. */
static enum status parse_objects(struct arena *arena, struct diag *diag)
{
	const char *arguments[10];
	size_t n = 0;

	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		if (strcmp(word, "-object") == 0)
			arguments[n++] = strtok(NULL, " ");
	}
	return config_parse_objects(arguments, n, arena, diag, &config);
}

/* Whether the row's command line is accepted. */
static bool run(const struct csv *csv)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list images = {.first = ramdisk_list(), .arena = &arena};
	struct diag diag = {0};
	enum status status;

	log_reset();
	snprintf(text, sizeof(text), "vm v -kernel k %s", csv_get(csv, "args"));
	replace(text, "{D}", "/d");
	replace(text, ",accel=tcg", "");
	if (strstr(text, "-machine none") == NULL || strstr(text, "-set") != NULL ||
	    strstr(text, "-global") != NULL) {
		replace(text, "-machine none", "");
		status = config_parse(text, strlen(text), &arena, &diag, &config);
	} else {
		status = parse_objects(&arena, &diag);
	}
	assert_int_not_equal(status, ERR_NOMEM);
	if (config_open(&config, &images, &diag) != OK)
		status = ERR_INVAL;
	assert_int_equal(status == OK, diag.n_errors == 0);
	return status == OK;
}

/* All messages without advice, joined as in the table. */
static const char *reported(void)
{
	static char result[sizeof(logged)];
	const char *line = logged, *end;
	char *out = result;

	*out = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		line += strncmp(line, "error: ", 7) == 0 ? 7 : 9; /* the level of the logged line */
		if (strncmp(line, "      = ", 8) == 0)
			continue;
		out += sprintf(out, "%s%.*s", out == result ? "" : " | ", (int)(end - line), line);
	}
	return result;
}

static void collect(void *context, const char *line)
{
	strcat(strcat(context, line), "\n");
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted pieces of 'lines', each from one 'start' to the next. 'lines' is overwritten. */
static size_t split(char *lines, const char *start, char **pieces)
{
	size_t n = 0;

	assert_memory_equal(lines + strlen(lines) - 2, "\n\n",
			    2); /* QEMU ends with an empty line */
	lines[strlen(lines) - 2] = '\0';
	for (char *next = strstr(lines, start); next != NULL && n < PIECES_MAX; n++) {
		pieces[n] = next;
		next = strstr(next + 1, start);
		if (next != NULL)
			next[-1] = '\0';
	}
	qsort(pieces, n, sizeof(*pieces), compare_texts);
	return n;
}

/* QEMU's order of backends is that of a hash table. */
static void same_pieces(char *ours, char *theirs, const char *start)
{
	char *our_pieces[PIECES_MAX], *their_pieces[PIECES_MAX];
	size_t n = split(ours, start, our_pieces);

	assert_int_equal(n, split(theirs, start, their_pieces));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(our_pieces[i], their_pieces[i]);
}

/* The sorted pairs "KEY":VALUE of a query's answer. 'json' is overwritten. */
static size_t split_json(char *json, char **pairs)
{
	static const char *const frame[] = {" ", "\n", "{", "}", "\"data\":", "\"return\":"};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(frame); i++)
		replace(json, frame[i], "");
	if (*json == '[') {
		json[strlen(json) - 1] = '\0';
		json++;
	}
	replace(json, ",\"", "\n\""); /* but not between the numbers of a list */
	for (char *pair = strtok(json, "\n"); pair != NULL; pair = strtok(NULL, "\n")) {
		assert_true(n < PIECES_MAX);
		pairs[n++] = pair;
	}
	qsort(pairs, n, sizeof(*pairs), compare_texts);
	return n;
}

static void same_json(char *ours, char *theirs)
{
	char *our_pairs[PIECES_MAX], *their_pairs[PIECES_MAX];
	size_t n = split_json(ours, our_pairs);

	assert_int_equal(n, split_json(theirs, their_pairs));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(our_pairs[i], their_pairs[i]);
}

static void check_answer(const char *command, const char *want)
{
	static struct mem_map map;
	static char ours[16384], theirs[16384];

	map.n = 0;
	*ours = '\0';
	sprintf(theirs, "%s\n", want);
	if (strcmp(command, "info mtree -f") == 0)
		assert_int_equal(memory_layout(config.vms, &map), OK);
	assert_int_equal(
		info_run(&(struct info_vm){config.vms, &map, &no_devices}, command, collect, ours),
		OK);
	if (strcmp(command, "info mtree -f") == 0)
		assert_non_null(strstr(ours, theirs)); /* the rest is the board of QEMU */
	else if (strcmp(command, "info memdev") == 0)
		same_pieces(ours, strcat(theirs, "\n"), "memory backend");
	else if (strncmp(command, "query-", 6) == 0)
		same_json(ours, theirs);
	else
		assert_string_equal(ours, *want != '\0' ? theirs : "");
}

static bool is_accepted(const struct csv *csv)
{
	const char *ours = csv_get(csv, "stencil");

	if (*ours != '\0')
		return strncmp(ours, "warning: ", 9) == 0;
	return strcmp(csv_get(csv, "start"), "accepted") == 0;
}

static void consumers_find_their_backends_as_in_qemu(void **state)
{
	struct csv csv = csv_open("consumers.csv");
	unsigned n = 0;

	for (; csv_next(&csv); n++) {
		const char *ours = csv_get(&csv, "stencil"), *command = csv_get(&csv, "command");

		print_message("[ row      ] %s\n", csv_get(&csv, "args"));
		assert_int_equal(run(&csv), is_accepted(&csv));
		snprintf(text, sizeof(text), "%s", *ours != '\0' ? ours : csv_get(&csv, "message"));
		replace(text, "<D>", "/d");
		replace(text, "{D}", "/d");
		assert_string_equal(reported(), text);
		if (*command != '\0')
			check_answer(command, csv_get(&csv, "output"));
	}
	assert_int_equal(n, 94);
	free(csv.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consumers_find_their_backends_as_in_qemu),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
