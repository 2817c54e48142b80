/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Read tests/data/NAME row by row. Fields may be quoted, with doubled quotes and line breaks
 * inside. Include this after support.h.
 */
#define CSV_COLUMNS_MAX 12
#define CSV_BYTES_MAX	(1 << 20)

struct csv {
	char *text, *at;
	char *column[CSV_COLUMNS_MAX]; /* names */
	char *field[CSV_COLUMNS_MAX];  /* of the current row */
	size_t n_columns;
};

/* Unquote in place. '*ret_end' is what ended the field: ',', '\n' or NUL. */
static char *csv_field(char **at, char *ret_end)
{
	char *start = *at, *in = *at, *out = *at;

	if (*in == '"') {
		for (in++; *in != '\0' && (*in != '"' || in[1] == '"'); *out++ = *in++)
			in += *in == '"';
		in += *in == '"';
	} else {
		while (*in != '\0' && *in != ',' && *in != '\n')
			*out++ = *in++;
	}
	*ret_end = *in;
	*at = in + (*in != '\0');
	*out = '\0';
	return start;
}

static size_t csv_row(struct csv *csv, char **fields)
{
	size_t n = 0;
	char end;

	do {
		assert_true(n < CSV_COLUMNS_MAX);
		fields[n++] = csv_field(&csv->at, &end);
	} while (end == ',');
	return n;
}

static inline bool csv_next(struct csv *csv)
{
	if (*csv->at == '\0')
		return false;
	assert_int_equal(csv_row(csv, csv->field), csv->n_columns);
	return true;
}

static inline char *csv_get(const struct csv *csv, const char *column)
{
	for (size_t i = 0; i < csv->n_columns; i++) {
		if (strcmp(csv->column[i], column) == 0)
			return csv->field[i];
	}
	fail_msg("no column %s", column);
	return NULL;
}

/* The caller frees 'text'. */
static inline struct csv csv_open(const char *name)
{
	struct csv csv = {.text = calloc(1, CSV_BYTES_MAX)};
	int here = (int)(strrchr(__FILE__, '/') - __FILE__);
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%.*s/../data/%s", here, __FILE__, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_in_range(fread(csv.text, 1, CSV_BYTES_MAX - 1, file), 1, CSV_BYTES_MAX - 2);
	fclose(file);
	csv.at = csv.text;
	csv.n_columns = csv_row(&csv, csv.column);
	return csv;
}
