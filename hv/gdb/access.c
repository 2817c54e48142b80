/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/access.h"

#include "hv/gdb/target.h"
#include "hv/lib/string.h"

/* g */
enum status gdb_access_get_all(struct gdb_session *session, const struct gdb_subject *subject,
			       const char *at)
{
	uint8_t value[GDB_REGISTER_MAX];

	(void)at;
	for (unsigned i = 0; i < gdb_n_registers; i++) {
		TRY(target_get_register(subject->target, subject->cpu, &gdb_registers[i], value));
		gdb_put_bytes(&session->reply, value, gdb_registers[i].size);
	}
	return OK;
}

/* Those that keep their value may be of any kind. */
static enum status set_if_changed(const struct gdb_subject *subject, const struct gdb_register *reg,
				  const uint8_t value[GDB_REGISTER_MAX])
{
	uint8_t old[GDB_REGISTER_MAX];

	TRY(target_get_register(subject->target, subject->cpu, reg, old));
	if (memcmp(old, value, reg->size) == 0)
		return OK;
	return target_set_register(subject->target, subject->cpu, reg, value);
}

/* G XX...: the registers before one that cannot be set are set. */
enum status gdb_access_set_all(struct gdb_session *session, const struct gdb_subject *subject,
			       const char *at)
{
	uint8_t value[GDB_REGISTER_MAX];

	(void)session;
	for (unsigned i = 0; i < gdb_n_registers; i++) {
		if (!gdb_read_bytes(&at, value, gdb_registers[i].size))
			return ERR_INVAL;
		TRY(set_if_changed(subject, &gdb_registers[i], value));
	}
	return OK;
}

static const struct gdb_register *read_register(const char **at)
{
	uint64_t number;

	if (!gdb_read_number(at, &number) || number >= gdb_n_registers)
		return NULL;
	return &gdb_registers[number];
}

/* p n */
enum status gdb_access_get_one(struct gdb_session *session, const struct gdb_subject *subject,
			       const char *at)
{
	const struct gdb_register *reg = read_register(&at);
	uint8_t value[GDB_REGISTER_MAX];

	if (reg == NULL)
		return ERR_INVAL;
	TRY(target_get_register(subject->target, subject->cpu, reg, value));
	gdb_put_bytes(&session->reply, value, reg->size);
	return OK;
}

/* P n=XX... */
enum status gdb_access_set_one(struct gdb_session *session, const struct gdb_subject *subject,
			       const char *at)
{
	const struct gdb_register *reg = read_register(&at);
	uint8_t value[GDB_REGISTER_MAX];

	(void)session;
	if (reg == NULL || !gdb_read_word(&at, "=") || !gdb_read_bytes(&at, value, reg->size))
		return ERR_INVAL;
	return set_if_changed(subject, reg, value);
}

struct range {
	uint64_t address, len;
};

/* "ADDRESS,LENGTH" */
static bool read_range(const char **at, struct range *ret)
{
	return gdb_read_number(at, &ret->address) && gdb_read_word(at, ",") &&
	       gdb_read_number(at, &ret->len);
}

static size_t page_part(uint64_t address, size_t len)
{
	size_t part = PAGE_SIZE - address % PAGE_SIZE;

	return part < len ? part : len;
}

/* Up to where there is memory; none at the beginning is an error. */
static enum status read(const struct gdb_subject *subject, uint64_t address, uint8_t *bytes,
			size_t *len)
{
	size_t n = 0, part;

	for (; n < *len; n += part) {
		enum status status;

		part = page_part(address + n, *len - n);
		status = target_read(subject->target, subject->cpu, address + n, bytes + n, part);
		if (status != OK && n == 0)
			return status == ERR_BUSY ? status : ERR_RANGE;
		if (status != OK)
			break;
	}
	*len = n;
	return OK;
}

/* m ADDRESS,LENGTH: an answer may be shorter than what is asked for, but not empty. */
enum status gdb_access_read(struct gdb_session *session, const struct gdb_subject *subject,
			    const char *at)
{
	uint8_t bytes[GDB_PACKET_MAX / 2];
	struct range range;
	size_t len;

	if (!read_range(&at, &range))
		return ERR_INVAL;
	len = range.len < sizeof(bytes) ? (size_t)range.len : sizeof(bytes) - 1;
	TRY(read(subject, range.address, bytes, &len));
	gdb_put_bytes(&session->reply, bytes, len);
	return OK;
}

/* The pages before one that cannot be written are written. */
static enum status write(const struct gdb_subject *subject, uint64_t address, const uint8_t *bytes,
			 size_t len)
{
	while (len > 0) {
		size_t part = page_part(address, len);

		TRY(target_write(subject->target, subject->cpu, address, bytes, part));
		address += part;
		bytes += part;
		len -= part;
	}
	return OK;
}

/* M ADDRESS,LENGTH:XX... */
enum status gdb_access_write(struct gdb_session *session, const struct gdb_subject *subject,
			     const char *at)
{
	uint8_t bytes[GDB_PACKET_MAX / 2];
	struct range range;

	(void)session;
	if (!read_range(&at, &range) || !gdb_read_word(&at, ":") || range.len > sizeof(bytes) ||
	    !gdb_read_bytes(&at, bytes, (size_t)range.len))
		return ERR_INVAL;
	return write(subject, range.address, bytes, (size_t)range.len);
}

/* X ADDRESS,LENGTH:BYTES */
enum status gdb_access_write_binary(struct gdb_session *session, const struct gdb_subject *subject,
				    const char *at)
{
	struct range range;

	if (!read_range(&at, &range) || !gdb_read_word(&at, ":") ||
	    range.len != (uint64_t)(session->end - at))
		return ERR_INVAL;
	return write(subject, range.address, (const uint8_t *)at, (size_t)range.len);
}

/* "KIND,ADDRESS,LENGTH" */
static bool read_break(const char *at, struct target_break *ret)
{
	unsigned kind = gdb_digit(*at);
	struct range range;

	if (kind >= N_TARGET_BREAKS)
		return false;
	at++;
	if (!gdb_read_word(&at, ",") || !read_range(&at, &range))
		return false;
	*ret = (struct target_break){(enum target_break_kind)kind, range.address, range.len};
	return true;
}

/* Z KIND,ADDRESS,LENGTH. gdb takes an empty answer for a kind that does not exist here. */
enum status gdb_access_set_break(struct gdb_session *session, const struct gdb_subject *subject,
				 const char *at)
{
	struct target_break breakpoint;

	if (!read_break(at, &breakpoint))
		return ERR_INVAL;
	if (breakpoint.kind == TARGET_ON_READ)
		return OK;
	TRY(target_set_break(subject->target, subject->cpu, &breakpoint));
	gdb_answer(session, OK);
	return OK;
}

/* z KIND,ADDRESS,LENGTH */
enum status gdb_access_clear_break(struct gdb_session *session, const struct gdb_subject *subject,
				   const char *at)
{
	struct target_break breakpoint;

	(void)session;
	if (!read_break(at, &breakpoint))
		return ERR_INVAL;
	return target_clear_break(subject->target, &breakpoint);
}
