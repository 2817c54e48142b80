/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The format of a file that holds a VM's state. All numbers are little-endian.
 *
 *	8 bytes		"STENCILS"
 *	4		version of the format
 *	4		CRC-32 of all that follows
 *	8		length of the file
 *	sections:
 *	  16		name, NULs behind it
 *	  4		number, where there are several of the name: 0, 1, ...
 *	  4		bytes that follow
 *
 * A version has certain sections in a certain order, and a section certain fields: nothing is
 * optional, nothing may be left over. Who changes a table of fields changes STATE_VERSION.
 */
#define STATE_VERSION	1
#define STATE_MAGIC	"STENCILS"
#define STATE_HEAD_SIZE 24
#define STATE_NAME_SIZE 16
#define STATE_WHY_MAX	300 /* bytes of a message, its NUL included */

/*
 * A member of a struct: 'count' elements of 'size' bytes (1, 2, 4, 8). A file with
 * bits other than 'allowed' in an element is refused.
 */
struct state_field {
	const char *name;
	uint32_t offset;
	uint32_t count;
	uint32_t size;
	uint64_t allowed;
};

/* The fields of a section, for the tests. */
struct state_table {
	const char *section;
	const struct state_field *fields;
	size_t n;
};

#define STATE_SIZE(type, member) sizeof(((type *)0)->member)
#define STATE_FIELD(type, member, allowed) \
	{ \
#member, offsetof(type, member), 1, STATE_SIZE(type, member), allowed \
	}
#define STATE_ARRAY(type, member, allowed) \
	{ \
#member, offsetof(type, member), \
			STATE_SIZE(type, member) / STATE_SIZE(type, member[0]), \
			STATE_SIZE(type, member[0]), allowed \
	}

/* Begun with state_begin(). */
struct state_writer {
	uint8_t *data; /* NULL: count only */
	size_t len;
	size_t section; /* where the present one begins */
};

/* 'data' has room for all that will be put, or is NULL. */
void state_begin(struct state_writer *writer, void *data);
void state_begin_section(struct state_writer *writer, const char *name, unsigned number);
void state_put(struct state_writer *writer, const void *data, size_t len);
void state_put_number(struct state_writer *writer, uint64_t value);
void state_put_fields(struct state_writer *writer, const struct state_field *fields, size_t n,
		      const void *object);
void state_end_section(struct state_writer *writer);
/* Returns the file's length. */
size_t state_end(struct state_writer *writer);

/* Made by state_open(). */
struct state_reader {
	const uint8_t *data;
	size_t len, at;
	size_t end; /* of the section */
	const char *section;
	unsigned number;
	char why[STATE_WHY_MAX]; /* after an error: one line without a newline */
};

/* Whether it is a whole file of this version. ERR_CORRUPT, ERR_UNSUPPORTED: 'why' says why not. */
enum status state_check(const void *data, size_t len, char why[STATE_WHY_MAX]);

/* All of these: OK, or else 'reader->why' is written. The data stay where they are. */
enum status state_open(struct state_reader *reader, const void *data, size_t len);
/* The next section must be this one, and the one before read to its end. */
enum status state_read_section(struct state_reader *reader, const char *name, unsigned number);
enum status state_get(struct state_reader *reader, void *ret, size_t len);
enum status state_get_number(struct state_reader *reader, uint64_t *ret);
/* An error may leave some of the fields written, each with what is allowed in it. */
enum status state_get_fields(struct state_reader *reader, const struct state_field *fields,
			     size_t n, void *object);
/* There is nothing more. */
enum status state_close(struct state_reader *reader);

/* Returns ERR_CORRUPT, with the section's name and this as 'why'. */
enum status state_refuse(struct state_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
