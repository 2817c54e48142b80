/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes of a QMP client. What comes back is lines of printable JSON objects, none of them
 * half, and no lock is held at the end.
 */
#include "hv/backends/json.h"
#include "hv/monitor/monitor.h"
#include "tests/qmp/machine.h"
#include "tests/unit/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t n_input;
static char line[1 << 16];
static size_t len;

int serial_receive(const struct serial_port *port)
{
	(void)port;
	if (n_input == 0)
		return -1;
	n_input--;
	return *input++;
}

/* Our JSON reader takes single quotes, too; a client's does not. */
static void check_quotes(void)
{
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		assert(in_string || line[i] != '\'');
		if (in_string && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			in_string = !in_string;
	}
}

static void check_line(void)
{
	static char memory[1 << 20] __attribute__((aligned(16)));
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "answer"};
	struct word word = {.text = line, .len = len, .start = word_cursor(line, len)};
	struct json *json;

	assert(json_read(&word, &arena, &diag, &json) == OK);
	assert(json->type == JSON_OBJECT);
	check_quotes();
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	(void)port;
	assert(len < sizeof(line) - 1);
	if (byte == '\r')
		return;
	if (byte != '\n') {
		line[len++] = (char)byte;
		return;
	}
	line[len] = '\0';
	check_line();
	len = 0;
}

static void turn(void)
{
	job_work();
	qmp_poll();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] = "\xff{\"execute\":\"qmp_capabilities\"}";

	if (!qmp_is_on()) {
		make_memory();
		if (qmp_begin(&SERIAL_COM2) != OK)
			abort();
	}
	make_vms();
	input = (const uint8_t *)begin;
	n_input = sizeof(begin) - 1;
	turn();
	input = data;
	n_input = size;
	for (unsigned i = 0; i < 4 || n_input > 0; i++) {
		turn();
		assert(vms_lock.next == vms_lock.serving);
	}
	/* An answer may have any number of pieces. */
	for (unsigned i = 0; i < 200 || len > 0; i++)
		turn();
	return 0;
}
