/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The format of a file that holds a VM's state. All numbers are little-endian.
 *
 *	8 bytes		"STENCILS"
 *	4		version of the format
 *	4		CRC-32 of everything after this field
 *	8		length of the file
 *	48		the version of Stencil that wrote it, padded with NULs; not in versions 1 to
 *3 sections: 16		name, padded with NULs
 *	  4		number among the sections of this name: 0, 1, ...
 *	  4		bytes that follow
 *
 * A version has certain sections in a certain order, and a section certain
 * fields: nothing is optional, and nothing may be left over. A change of a
 * table of fields needs a new STATE_VERSION. A field that a version adds says
 * so; in files of older versions it is 0. So does a device (struct device_class);
 * a VM that is loaded from an older file has it as new.
 */
#define STATE_VERSION	     6
#define STATE_VERSION_OLDEST 1 /* that can be read */
#define STATE_MAGIC	     "STENCILS"
#define STATE_HEAD_SIZE	     72 /* before the first section */
#define STATE_HEAD_SIZE_3    24 /* in files of versions 1 to 3 */
#define STATE_RELEASE_SIZE   48
#define STATE_NAME_SIZE	     16
#define STATE_WHY_MAX	     300 /* bytes of a message, including its NUL */

/*
 * A member of a struct: 'count' elements of 'size' bytes (1, 2, 4, 8), or a
 * pointer to them. A file is refused if an element has bits outside 'allowed'.
 */
struct state_field {
	const char *name;
	uint32_t offset;
	uint32_t count;
	uint32_t size;
	uint64_t allowed;
	uint32_t since; /* version of the format; 0: all have it */
	bool is_pointer;
};

/* Where the field's elements are. */
static inline void *state_field_at(const struct state_field *field, const void *object)
{
	char *member = (char *)object + field->offset;

	return field->is_pointer ? *(void **)member : member;
}

/* The fields of a section, for the tests. */
struct state_table {
	const char *section;
	const struct state_field *fields;
	size_t n;
};

#define STATE_SIZE(type, member) sizeof(((type *)0)->member)
#define STATE_FIELD(type, member, allowed) \
	{ \
#member, offsetof(type, member), 1, STATE_SIZE(type, member), allowed, 0, false \
	}
#define STATE_FIELD_SINCE(version, type, member, allowed) \
	{ \
#member, offsetof(type, member), 1, STATE_SIZE(type, member), allowed, version, \
			false \
	}
#define STATE_ARRAY(type, member, allowed) \
	{ \
#member, offsetof(type, member), \
			STATE_SIZE(type, member) / STATE_SIZE(type, member[0]), \
			STATE_SIZE(type, member[0]), allowed, 0, false \
	}
#define STATE_BYTES_AT(type, pointer, count) \
	{ \
#pointer, offsetof(type, pointer), count, 1, 0xff, 0, true \
	}

/* Initialized by state_begin(). */
struct state_writer {
	uint8_t *data; /* NULL: only count */
	size_t len;
	size_t section; /* where the current section begins */
};

/*
 * 'data' has room for everything that will be put, or is NULL to count only. 'release' names the
 * version of Stencil; what is longer than STATE_RELEASE_SIZE bytes is cut.
 */
void state_begin(struct state_writer *writer, void *data, const char *release);
void state_begin_section(struct state_writer *writer, const char *name, unsigned number);
void state_put(struct state_writer *writer, const void *data, size_t len);
void state_put_number(struct state_writer *writer, uint64_t value);
void state_put_fields(struct state_writer *writer, const struct state_field *fields, size_t n,
		      const void *object);
void state_end_section(struct state_writer *writer);
/* Returns the length of the file. */
size_t state_end(struct state_writer *writer);

/* Initialized by state_open(). */
struct state_reader {
	const uint8_t *data;
	size_t len, at;
	size_t end; /* of the current section */
	uint32_t version;
	const char *section;
	unsigned number;
	char why[STATE_WHY_MAX]; /* after an error: one line without a newline */
};

/*
 * The version of Stencil that wrote the file, printable; "" if the file does not say it. The place
 * is the same in all versions of the format from 4 on, so that a newer one can be named, too.
 */
void state_get_release(const void *data, size_t len, char ret[STATE_RELEASE_SIZE + 1]);

/*
 * These functions write 'reader->why' on error. 'data' must stay valid as long as the reader. Open:
 * check that the data are a whole file of a known version. ERR_CORRUPT, ERR_UNSUPPORTED.
 */
enum status state_open(struct state_reader *reader, const void *data, size_t len);
/*
 * Begin the next section, which must be this one. The section before must have
 * been read to its end.
 */
enum status state_read_section(struct state_reader *reader, const char *name, unsigned number);
enum status state_get(struct state_reader *reader, void *ret, size_t len);
enum status state_get_number(struct state_reader *reader, uint64_t *ret);
/* An error may leave some of the fields written, each with an allowed value. */
enum status state_get_fields(struct state_reader *reader, const struct state_field *fields,
			     size_t n, void *object);
/* Check that the file ends here. */
enum status state_close(struct state_reader *reader);

/* Write 'why': the section's name and the message. Returns ERR_CORRUPT. */
enum status state_refuse(struct state_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
