/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/lib/saved_head.h"

#include "hv/lib/string.h"

#define VERSION_WITH_HEAD 6 /* of the format */

void saved_head_put(struct state_writer *writer, const struct saved_head *head)
{
	state_begin_section(writer, "memory", 0);
	state_put_number(writer, head->id);
	state_put_number(writer, head->below);
	state_put(writer, head->template, SAVED_NAME_SIZE);
	state_put_number(writer, head->size);
	state_put_number(writer, head->has_parts);
	state_end_section(writer);
}

/* The name ends, and a terminal can show it. */
static bool is_name(const char name[SAVED_NAME_SIZE])
{
	for (size_t i = 0; i < SAVED_NAME_SIZE && name[i] != '\0'; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return name[SAVED_NAME_SIZE - 1] == '\0';
}

enum status saved_head_get(struct state_reader *reader, struct saved_head *ret)
{
	uint64_t has_parts;

	*ret = (struct saved_head){0};
	if (reader->version < VERSION_WITH_HEAD)
		return OK;
	TRY(state_read_section(reader, "memory", 0));
	TRY(state_get_number(reader, &ret->id));
	TRY(state_get_number(reader, &ret->below));
	TRY(state_get(reader, ret->template, SAVED_NAME_SIZE));
	TRY(state_get_number(reader, &ret->size));
	TRY(state_get_number(reader, &has_parts));
	if (ret->id == 0 || has_parts > 1 || !is_name(ret->template))
		return state_refuse(reader, "has an impossible value");
	if (ret->below != 0 && has_parts == 0)
		return state_refuse(reader, "lacks the pages that have changed");
	ret->has_parts = has_parts;
	return OK;
}

enum status saved_head_read(const void *data, size_t len, struct saved_head *ret,
			    char why[STATE_WHY_MAX])
{
	struct state_reader reader;
	enum status status = state_open(&reader, data, len);

	if (status == OK)
		status = saved_head_get(&reader, ret);
	if (status != OK)
		memcpy(why, reader.why, STATE_WHY_MAX);
	return status;
}
