/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/access.h"

#include "hv/gdb/target.h"
#include "hv/lib/string.h"

/* The thread that the packet is about; NULL: there is none, which is answered. */
static struct target *current(struct gdb_session *session, unsigned *ret_cpu)
{
	struct target *target = gdb_resolve(&session->general, ret_cpu);

	if (target == NULL)
		gdb_refuse(session, ERR_NOTFOUND);
	return target;
}

/* g */
void gdb_take_registers(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	uint8_t value[GDB_REGISTER_MAX];

	(void)at;
	for (unsigned i = 0; target != NULL && i < gdb_n_registers; i++) {
		enum status status = target_get_register(target, cpu, &gdb_registers[i], value);

		if (status != OK) {
			gdb_refuse(session, status);
			return;
		}
		gdb_put_bytes(&session->reply, value, gdb_registers[i].size);
	}
}

/* Those that keep their value may be of any kind. */
static enum status set_if_changed(const struct target *target, unsigned cpu,
				  const struct gdb_register *reg,
				  const uint8_t value[GDB_REGISTER_MAX])
{
	uint8_t old[GDB_REGISTER_MAX];

	TRY(target_get_register(target, cpu, reg, old));
	if (memcmp(old, value, reg->size) == 0)
		return OK;
	return target_set_register(target, cpu, reg, value);
}

/* G XX...: the registers before one that cannot be set are set. */
void gdb_take_set_registers(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	uint8_t value[GDB_REGISTER_MAX];
	enum status status = OK;

	if (target == NULL)
		return;
	for (unsigned i = 0; status == OK && i < gdb_n_registers; i++)
		status = gdb_read_bytes(&at, value, gdb_registers[i].size)
				 ? set_if_changed(target, cpu, &gdb_registers[i], value)
				 : ERR_INVAL;
	gdb_answer(session, status);
}

static const struct gdb_register *read_register(const char **at)
{
	uint64_t number;

	if (!gdb_read_number(at, &number) || number >= gdb_n_registers)
		return NULL;
	return &gdb_registers[number];
}

/* p n */
void gdb_take_register(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	const struct gdb_register *reg = read_register(&at);
	uint8_t value[GDB_REGISTER_MAX];
	enum status status = ERR_INVAL;

	if (target == NULL)
		return;
	if (reg != NULL)
		status = target_get_register(target, cpu, reg, value);
	if (status == OK)
		gdb_put_bytes(&session->reply, value, reg->size);
	else
		gdb_refuse(session, status);
}

/* P n=XX... */
void gdb_take_set_register(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	const struct gdb_register *reg = read_register(&at);
	uint8_t value[GDB_REGISTER_MAX];
	enum status status = ERR_INVAL;

	if (target == NULL)
		return;
	if (reg != NULL && gdb_read_word(&at, "=") && gdb_read_bytes(&at, value, reg->size))
		status = set_if_changed(target, cpu, reg, value);
	gdb_answer(session, status);
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

/* m ADDRESS,LENGTH: an answer may be shorter than what is asked for, but not empty. */
void gdb_take_read(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	uint8_t bytes[GDB_PACKET_MAX / 2];
	struct range range;
	size_t n = 0, part;

	if (target == NULL)
		return;
	if (!read_range(&at, &range)) {
		gdb_refuse(session, ERR_INVAL);
		return;
	}
	range.len = range.len < sizeof(bytes) ? range.len : sizeof(bytes) - 1;
	for (; n < range.len; n += part) {
		enum status status;

		part = page_part(range.address + n, (size_t)range.len - n);
		status = target_read(target, cpu, range.address + n, bytes + n, part);
		if (status != OK && n == 0)
			gdb_refuse(session, status == ERR_BUSY ? status : ERR_RANGE);
		if (status != OK)
			break;
	}
	gdb_put_bytes(&session->reply, bytes, n);
}

/* The pages before one that cannot be written are written. */
static enum status write(const struct target *target, unsigned cpu, uint64_t address,
			 const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t part = page_part(address, len);

		TRY(target_write(target, cpu, address, bytes, part));
		address += part;
		bytes += part;
		len -= part;
	}
	return OK;
}

/* M ADDRESS,LENGTH:XX... */
void gdb_take_write(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	uint8_t bytes[GDB_PACKET_MAX / 2];
	struct range range;

	if (target == NULL)
		return;
	if (!read_range(&at, &range) || !gdb_read_word(&at, ":") || range.len > sizeof(bytes) ||
	    !gdb_read_bytes(&at, bytes, (size_t)range.len))
		gdb_refuse(session, ERR_INVAL);
	else
		gdb_answer(session, write(target, cpu, range.address, bytes, (size_t)range.len));
}

/* X ADDRESS,LENGTH:BYTES */
void gdb_take_write_binary(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	struct range range;

	if (target == NULL)
		return;
	if (!read_range(&at, &range) || !gdb_read_word(&at, ":") ||
	    range.len != (uint64_t)(session->end - at))
		gdb_refuse(session, ERR_INVAL);
	else
		gdb_answer(session, write(target, cpu, range.address, (const uint8_t *)at,
					  (size_t)range.len));
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
void gdb_take_set_break(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	struct target_break breakpoint;

	if (target == NULL)
		return;
	if (!read_break(at, &breakpoint))
		gdb_refuse(session, ERR_INVAL);
	else if (breakpoint.kind != TARGET_ON_READ)
		gdb_answer(session, target_set_break(target, cpu, &breakpoint));
}

/* z KIND,ADDRESS,LENGTH */
void gdb_take_clear_break(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target = current(session, &cpu);
	struct target_break breakpoint;

	if (target == NULL)
		return;
	if (!read_break(at, &breakpoint))
		gdb_refuse(session, ERR_INVAL);
	else
		gdb_answer(session, target_clear_break(target, &breakpoint));
}
