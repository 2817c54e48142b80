/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write and read files of state. What is read comes from anywhere: check each
 * length and each bit before use. The checksum detects accidents; a forged file
 * with a correct checksum can do no more than a guest can.
 */
#include "hv/lib/state_file.h"

#include "hv/lib/assert.h"
#include "hv/lib/crc32.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define VERSION_WITH_RELEASE 4 /* of the format */

enum {
	AT_VERSION = 8,
	AT_CRC = 12,
	AT_LENGTH = 16,
	AT_RELEASE = 24,
	SECTION_HEAD_SIZE = STATE_NAME_SIZE + 8
};

static uint64_t load(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

static void store(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static void put_value(struct state_writer *writer, uint64_t value, size_t size)
{
	if (writer->data)
		store(writer->data + writer->len, value, size);
	writer->len += size;
}

void state_begin(struct state_writer *writer, void *data, const char *release)
{
	uint8_t padded[STATE_RELEASE_SIZE] = {0};
	size_t n = strlen(release);

	memcpy(padded, release, n < sizeof(padded) ? n : sizeof(padded));
	*writer = (struct state_writer){.data = data, .len = AT_RELEASE};
	state_put(writer, padded, sizeof(padded));
}

void state_begin_section(struct state_writer *writer, const char *name, unsigned number)
{
	uint8_t padded[STATE_NAME_SIZE] = {0};

	assert(strlen(name) < STATE_NAME_SIZE);
	memcpy(padded, name, strlen(name));
	writer->section = writer->len;
	state_put(writer, padded, sizeof(padded));
	put_value(writer, number, 4);
	put_value(writer, 0, 4); /* the length, set by state_end_section() */
}

void state_end_section(struct state_writer *writer)
{
	size_t len = writer->len - writer->section - SECTION_HEAD_SIZE;

	assert(len <= UINT32_MAX);
	if (writer->data)
		store(writer->data + writer->section + STATE_NAME_SIZE + 4, len, 4);
}

void state_put(struct state_writer *writer, const void *data, size_t len)
{
	if (writer->data)
		memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}

void state_put_number(struct state_writer *writer, uint64_t value)
{
	put_value(writer, value, 8);
}

/* Copy the elements as they are: both the processor and the format are little-endian. */
void state_put_fields(struct state_writer *writer, const struct state_field *fields, size_t n,
		      const void *object)
{
	for (size_t i = 0; i < n; i++)
		state_put(writer, state_field_at(&fields[i], object),
			  (size_t)fields[i].count * fields[i].size);
}

size_t state_end(struct state_writer *writer)
{
	uint8_t *data = writer->data;

	if (data == NULL)
		return writer->len;
	memcpy(data, STATE_MAGIC, AT_VERSION);
	store(data + AT_VERSION, STATE_VERSION, 4);
	store(data + AT_LENGTH, writer->len, 8);
	store(data + AT_CRC, crc32_add(0, data + AT_LENGTH, writer->len - AT_LENGTH), 4);
	return writer->len;
}

/* The bytes before the first section. */
static size_t head_size(const uint8_t *data)
{
	bool has_release = load(data + AT_VERSION, 4) >= VERSION_WITH_RELEASE;

	return has_release ? STATE_HEAD_SIZE : STATE_HEAD_SIZE_3;
}

static enum status check_length(const uint8_t *data, size_t len, char why[STATE_WHY_MAX])
{
	uint64_t length = load(data + AT_LENGTH, 8);

	if (length == len && len >= head_size(data))
		return OK;
	if (length == len)
		format(why, STATE_WHY_MAX, "is too short: it has %zu bytes", len);
	else if (length > len)
		format(why, STATE_WHY_MAX, "is cut off: it has %zu of %lu bytes", len, length);
	else
		format(why, STATE_WHY_MAX, "has %lu bytes after its end", len - length);
	return ERR_CORRUPT;
}

void state_get_release(const void *data, size_t len, char ret[STATE_RELEASE_SIZE + 1])
{
	const uint8_t *bytes = data;
	size_t n = 0;

	if (len >= STATE_HEAD_SIZE && head_size(bytes) == STATE_HEAD_SIZE)
		memcpy(ret, bytes + AT_RELEASE, n = STATE_RELEASE_SIZE);
	ret[n] = '\0';
	for (size_t i = 0; ret[i] != '\0'; i++)
		if (ret[i] < ' ' || ret[i] > '~')
			ret[i] = '?';
}

static enum status refuse_version(const void *data, size_t len, uint32_t version,
				  char why[STATE_WHY_MAX])
{
	char release[STATE_RELEASE_SIZE + 1];
	char by[sizeof(release) + 16] = "";

	state_get_release(data, len, release);
	if (release[0] != '\0')
		format(by, sizeof(by), " (Stencil %s)", release);
	format(why, STATE_WHY_MAX, "has version %u of the format%s, only %u to %u are supported",
	       version, by, STATE_VERSION_OLDEST, STATE_VERSION);
	return ERR_UNSUPPORTED;
}

static enum status check(const void *data, size_t len, char why[STATE_WHY_MAX])
{
	const uint8_t *bytes = data;
	uint32_t version, crc;

	if (len < STATE_HEAD_SIZE_3 || memcmp(bytes, STATE_MAGIC, AT_VERSION) != 0) {
		format(why, STATE_WHY_MAX, "is not a file of a VM's state");
		return ERR_CORRUPT;
	}
	version = (uint32_t)load(bytes + AT_VERSION, 4);
	if (version < STATE_VERSION_OLDEST || version > STATE_VERSION)
		return refuse_version(data, len, version, why);
	TRY(check_length(bytes, len, why));
	crc = crc32_add(0, bytes + AT_LENGTH, len - AT_LENGTH);
	if (crc == load(bytes + AT_CRC, 4))
		return OK;
	format(why, STATE_WHY_MAX, "is damaged: its checksum is %08x, and should be %08x", crc,
	       (unsigned)load(bytes + AT_CRC, 4));
	return ERR_CORRUPT;
}

enum status state_open(struct state_reader *reader, const void *data, size_t len)
{
	*reader = (struct state_reader){.data = data, .len = len};
	TRY(check(data, len, reader->why));
	reader->version = (uint32_t)load(reader->data + AT_VERSION, 4);
	reader->at = reader->end = head_size(reader->data);
	return OK;
}

enum status state_refuse(struct state_reader *reader, const char *fmt, ...)
{
	size_t n = format(reader->why, STATE_WHY_MAX, "section '%s' %u: ", reader->section,
			  reader->number);
	va_list args;

	va_start(args, fmt);
	format_v(reader->why + n, STATE_WHY_MAX - n, fmt, args);
	va_end(args);
	return ERR_CORRUPT;
}

enum status state_read_section(struct state_reader *reader, const char *name, unsigned number)
{
	const uint8_t *head = reader->data + reader->at;
	char padded[STATE_NAME_SIZE] = {0};
	uint64_t len;

	if (reader->at < reader->end)
		return state_refuse(reader, "%zu bytes are left over", reader->end - reader->at);
	reader->section = name;
	reader->number = number;
	if (reader->len - reader->at < SECTION_HEAD_SIZE)
		return state_refuse(reader, "is missing");
	memcpy(padded, name, strlen(name));
	if (memcmp(head, padded, STATE_NAME_SIZE) != 0 || load(head + STATE_NAME_SIZE, 4) != number)
		return state_refuse(reader, "is not where it should be");
	reader->at += SECTION_HEAD_SIZE;
	len = load(head + STATE_NAME_SIZE + 4, 4);
	if (len > reader->len - reader->at)
		return state_refuse(reader, "is longer than the file");
	reader->end = reader->at + len;
	return OK;
}

/* Take the next bytes. NULL: fewer are left, and 'why' is written. */
static const uint8_t *take(struct state_reader *reader, size_t len)
{
	const uint8_t *bytes = reader->data + reader->at;

	if (len > reader->end - reader->at) {
		(void)state_refuse(reader, "is too short");
		return NULL;
	}
	reader->at += len;
	return bytes;
}

enum status state_get(struct state_reader *reader, void *ret, size_t len)
{
	const uint8_t *bytes = take(reader, len);

	if (bytes == NULL)
		return ERR_CORRUPT;
	memcpy(ret, bytes, len);
	return OK;
}

enum status state_get_number(struct state_reader *reader, uint64_t *ret)
{
	const uint8_t *bytes = take(reader, 8);

	if (bytes == NULL)
		return ERR_CORRUPT;
	*ret = load(bytes, 8);
	return OK;
}

static enum status get_field(struct state_reader *reader, const struct state_field *field,
			     uint8_t *to)
{
	for (uint32_t i = 0; i < field->count; i++) {
		const uint8_t *bytes = take(reader, field->size);
		uint64_t value;

		if (bytes == NULL)
			return ERR_CORRUPT;
		value = load(bytes, field->size);
		if (value & ~field->allowed)
			return state_refuse(reader, "%s cannot be 0x%lx", field->name, value);
		memcpy(to + (size_t)i * field->size, bytes, field->size);
	}
	return OK;
}

enum status state_get_fields(struct state_reader *reader, const struct state_field *fields,
			     size_t n, void *object)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *to = state_field_at(&fields[i], object);

		if (fields[i].since > reader->version)
			memset(to, 0, (size_t)fields[i].count * fields[i].size);
		else
			TRY(get_field(reader, &fields[i], to));
	}
	return OK;
}

enum status state_close(struct state_reader *reader)
{
	size_t n = reader->len - reader->at;

	if (n == 0)
		return OK;
	return state_refuse(reader, "%zu unknown bytes follow", n);
}
