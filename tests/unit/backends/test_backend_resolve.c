/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend_resolve() for all combinations of what it reads: type, share, readonly, rom. It agrees
 * with the measured truth table, which has a row for each combination of a file, and with QEMU's
 * rules, restated here.
 */
#include "hv/backends/backend_read.h"

#include <string.h>

#include "tests/unit/support.h"

#include "tests/unit/csv.h"

#define REFUSED	 (-1)
#define N_INPUTS (2 * 2 * 2 * 3)

struct input {
	enum backend_type type;
	bool share, readonly;
	enum on_off_auto rom;
};

static struct input input_of(unsigned i)
{
	return (struct input){i & 1 ? BACKEND_RAM : BACKEND_FILE, i & 2, i & 4,
			      (enum on_off_auto)(i / 8)};
}

static int resolve(struct input input)
{
	struct diag diag = {.file = "test"};
	struct backend backend = {.id = "m",
				  .type = input.type,
				  .share = input.share,
				  .readonly = input.readonly,
				  .rom = input.rom};

	return backend_resolve(&backend, &diag) == OK ? (int)backend.kind : REFUSED;
}

/* QEMU's documentation of rom=: what is allowed, and what results. */
static int qemus_rule(struct input input)
{
	bool rom = input.rom == ON_OFF_AUTO_ON || (input.rom == ON_OFF_AUTO_AUTO && input.readonly);

	if (input.type == BACKEND_RAM)
		return input.share ? MEM_SHARED : MEM_COW;
	if (rom)
		return input.readonly ? MEM_ROM : REFUSED;
	if (!input.share)
		return MEM_COW;
	return input.readonly ? REFUSED : MEM_SHARED;
}

static void every_input_resolves_as_in_qemu(void **state)
{
	unsigned n_refused = 0;

	for (unsigned i = 0; i < N_INPUTS; i++) {
		assert_int_equal(resolve(input_of(i)), qemus_rule(input_of(i)));
		n_refused += resolve(input_of(i)) == REFUSED;
	}
	assert_int_equal(n_refused, 3);
}

static enum on_off_auto rom_of(const char *text)
{
	if (strcmp(text, "on") == 0)
		return ON_OFF_AUTO_ON;
	return strcmp(text, "off") == 0 ? ON_OFF_AUTO_OFF : ON_OFF_AUTO_AUTO;
}

/* The measured kind: "rom" in the memory tree, else how Linux maps it. */
static int measured(const struct csv *csv)
{
	if (strcmp(csv_get(csv, "result"), "accepted") != 0)
		return REFUSED;
	if (strstr(csv_get(csv, "mtree"), "rom") != NULL)
		return MEM_ROM;
	return strchr(csv_get(csv, "mmap_perms"), 's') != NULL ? MEM_SHARED : MEM_COW;
}

static void the_truth_table_has_a_row_for_each_file(void **state)
{
	struct csv csv = csv_open("truth.csv");
	bool seen[N_INPUTS] = {false};
	unsigned n = 0;

	while (csv_next(&csv)) {
		bool share = strcmp(csv_get(&csv, "share"), "on") == 0;
		bool readonly = strcmp(csv_get(&csv, "readonly"), "on") == 0;
		enum on_off_auto rom = rom_of(csv_get(&csv, "rom"));
		unsigned i = (share ? 2 : 0) + (readonly ? 4 : 0) + 8 * rom;

		/* Other rows may be refused because of their files. */
		if (strcmp(csv_get(&csv, "file"), "rw") != 0 ||
		    strcmp(csv_get(&csv, "consumer"), "machine") != 0)
			continue;
		assert_int_equal(resolve(input_of(i)), measured(&csv));
		n += !seen[i];
		seen[i] = true;
	}
	assert_int_equal(n, N_INPUTS / 2);
	free(csv.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_input_resolves_as_in_qemu),
		cmocka_unit_test(the_truth_table_has_a_row_for_each_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
