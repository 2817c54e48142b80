/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of the remote serial protocol: whole, damaged, escaped, too long. */
#include "hv/gdb/packet.h"

#include <string.h>

#include "tests/unit/support.h"

static struct gdb_input input;

/* The event of the last byte; those before complete nothing. */
static enum gdb_event add(const char *bytes, size_t len)
{
	enum gdb_event event = GDB_PART;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(event, GDB_PART);
		event = gdb_input_add(&input, (uint8_t)bytes[i]);
	}
	return event;
}

static enum gdb_event add_text(const char *text)
{
	return add(text, strlen(text));
}

static int begin(void **state)
{
	input = (struct gdb_input){0};
	return 0;
}

static void packets_are_read(void **state)
{
	static const struct {
		const char *line;
		enum gdb_event event;
		const char *data;
	} rows[] = {
		{"$?#3f", GDB_PACKET, "?"},
		{"$#00", GDB_PACKET, ""},
		{"++ noise $g#67", GDB_PACKET, "g"},
		{"$lost$g#67", GDB_PACKET, "g"},
		{"$a}\x03"
		 "b#43",
		 GDB_PACKET, "a#b"},
		{"$g#68", GDB_DAMAGED, NULL},
		{"$g#6x", GDB_DAMAGED, NULL},
		{"$g#x7", GDB_DAMAGED, NULL},
		{"\x03", GDB_INTERRUPT, NULL},
		{"-", GDB_REPEAT, NULL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(add_text(rows[i].line), rows[i].event);
		if (rows[i].data != NULL)
			assert_string_equal(input.data, rows[i].data);
	}
}

/* It is refused as a whole, and the next one is read. */
static void a_longer_packet_is_damaged(void **state)
{
	assert_int_equal(add_text("$"), GDB_PART);
	for (unsigned i = 0; i <= GDB_PACKET_MAX; i++)
		assert_int_equal(add_text("a"), GDB_PART);
	assert_int_equal(add_text("#61"), GDB_DAMAGED);
	assert_int_equal(add_text("$?#3f"), GDB_PACKET);
}

static void what_is_framed_is_read_again(void **state)
{
	char data[256], frame[GDB_FRAME_MAX];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	assert_int_equal(add(frame, gdb_frame(data, sizeof(data), frame)), GDB_PACKET);
	assert_int_equal(input.len, sizeof(data));
	assert_memory_equal(input.data, data, sizeof(data));
	assert_int_equal(gdb_frame("OK", 2, frame), 6);
	assert_memory_equal(frame, "$OK#9a", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(packets_are_read, begin),
		cmocka_unit_test_setup(a_longer_packet_is_damaged, begin),
		cmocka_unit_test_setup(what_is_framed_is_read_again, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
