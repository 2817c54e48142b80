/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/packet.h"

#include "hv/lib/assert.h"

#define ESCAPE_XOR 0x20

enum { CTRL_C = 3 };

static void begin(struct gdb_input *input)
{
	input->state = GDB_DATA;
	input->is_bad = false;
	input->sum = 0;
	input->len = 0;
}

static void keep(struct gdb_input *input, uint8_t byte)
{
	if (input->len < GDB_PACKET_MAX)
		input->data[input->len++] = (char)byte;
	else
		input->is_bad = true;
}

/* Between packets noise may come: the firmware's output, and acknowledgements. */
static enum gdb_event add_between(struct gdb_input *input, uint8_t byte)
{
	if (byte == '$')
		begin(input);
	if (byte == '-')
		return GDB_REPEAT;
	return byte == CTRL_C ? GDB_INTERRUPT : GDB_PART;
}

static void add_data(struct gdb_input *input, uint8_t byte)
{
	if (byte == '$') { /* the end of the one before was lost */
		begin(input);
		return;
	}
	if (byte == '#') {
		input->state = GDB_SUM_HIGH;
		return;
	}
	input->sum += byte;
	if (input->state == GDB_ESCAPED)
		keep(input, byte ^ ESCAPE_XOR);
	else if (byte != '}')
		keep(input, byte);
	input->state = input->state == GDB_DATA && byte == '}' ? GDB_ESCAPED : GDB_DATA;
}

unsigned gdb_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

static unsigned digit(struct gdb_input *input, uint8_t byte)
{
	unsigned value = gdb_digit((char)byte);

	input->is_bad |= value > 15;
	return value & 0xf;
}

static enum gdb_event end(struct gdb_input *input)
{
	input->state = GDB_BETWEEN;
	input->data[input->len] = '\0';
	return input->is_bad || input->sum != input->told ? GDB_DAMAGED : GDB_PACKET;
}

enum gdb_event gdb_input_add(struct gdb_input *input, uint8_t byte)
{
	switch (input->state) {
	case GDB_BETWEEN:
		return add_between(input, byte);
	case GDB_DATA:
	case GDB_ESCAPED:
		add_data(input, byte);
		return GDB_PART;
	case GDB_SUM_HIGH:
		input->told = (uint8_t)(digit(input, byte) << 4);
		input->state = GDB_SUM_LOW;
		return GDB_PART;
	case GDB_SUM_LOW:
		input->told |= (uint8_t)digit(input, byte);
		return end(input);
	}
	__builtin_unreachable();
}

static bool needs_escape(char c)
{
	return c == '$' || c == '#' || c == '}' || c == '*';
}

size_t gdb_frame(const char *data, size_t len, char ret[GDB_FRAME_MAX])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = 0;
	size_t n = 0;

	assert(len <= GDB_PACKET_MAX);
	ret[n++] = '$';
	for (size_t i = 0; i < len; i++) {
		bool escapes = needs_escape(data[i]);

		if (escapes)
			ret[n++] = '}';
		ret[n++] = escapes ? (char)(data[i] ^ ESCAPE_XOR) : data[i];
	}
	for (size_t i = 1; i < n; i++)
		sum += (uint8_t)ret[i];
	ret[n++] = '#';
	ret[n++] = digits[sum >> 4];
	ret[n++] = digits[sum & 0xf];
	return n;
}
