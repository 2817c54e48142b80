/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes typed at the prompt: the line editor, its history, completion, and all commands, over
 * VMs that do nothing. */
#include <string.h>

#include "hv/gdb/gdb.h"
#include "hv/lib/assert.h"
#include "hv/monitor/command.h"
#include "hv/monitor/examine_job.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/job.h"
#include "hv/monitor/line.h"
#include "hv/monitor/line_history.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/registers.h"
#include "hv/vm/audit.h"
#include "hv/vm/hold.h"
#include "hv/vm/template.h"
#include "tests/unit/idle_vms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vcpu vcpu;
static struct ept_layer layer;
static struct vm running, template;

uint64_t tsc_hz = 1000000000;

void console_write_raw(const char *text, size_t len)
{
	assert(len > 0 && text[len - 1] == '\n');
}

struct vm *focus_vm(void)
{
	return &running;
}

void focus_set(const struct vm *vm)
{
	(void)vm;
}

unsigned focus_cpu(const struct vm *vm)
{
	(void)vm;
	return 0;
}

void focus_set_cpu(unsigned number)
{
	assert(number < running.n_vcpus);
}

bool focus_is_reader(const struct vm *vm)
{
	return vm == &running;
}

void focus_want_attach(const struct vm *vm)
{
	assert(vm == &running);
}

/* Memory that does not exist above 64 KiB. */
void examine_job(struct vm *vm, unsigned cpu, const struct examine *of)
{
	struct examine examine = *of;
	static const uint8_t bytes[EXAMINE_BYTES_MAX];
	char line[EXAMINE_LINE_MAX];

	assert(vm == &running && cpu == 0 && examine.reg <= EXAMINE_RIP);
	for (unsigned i = 0; i < 100 && examine_line_bytes(&examine) > 0; i++)
		examine_line(&examine, examine.address < 0x10000 ? bytes : NULL, line);
}

void registers_show(const struct vcpu *of)
{
	assert(of == &vcpu);
}

void template_put(struct vm *vm)
{
	assert(vm == NULL || (vm == &template && vm->n_holds-- > 0));
}

void file_job_dump(struct vm *vm, const char *path, bool is_sent)
{
	(void)vm;
	(void)is_sent;
	assert(strlen(path) < MONITOR_LINE_SIZE);
}

const struct serial_port *gdb_port(void)
{
	return NULL;
}

const char *gdb_refuses(const struct serial_port *port)
{
	return "does not exist in this machine";
}

enum status gdb_begin(const struct serial_port *port)
{
	return OK;
}

enum status gdb_offer(uint32_t vm_index)
{
	return OK;
}

void file_job_save(struct vm *vm, const char *path, struct save_how how)
{
	file_job_dump(vm, path, how.is_sent);
}

void map_job_start(struct vm *of, const char *const *parameters, size_t n)
{
	while (n-- > 0)
		file_job_dump(of, *parameters++, false);
}

void file_job_send(const char *path)
{
	file_job_dump(NULL, path, true);
}

void vm_pause(struct vm *vm, bool on)
{
	(void)vm;
	(void)on;
}

struct vm *template_clone(struct vm *vm, const char *name)
{
	assert(vm == &template && name == NULL);
	return NULL;
}

void template_give_up(struct vm *vm)
{
	assert(vm == &template);
}

void template_give_up_all(void)
{
}

enum status vm_audit(void (*say)(const char *name, const char *what), struct vm_audit *ret)
{
	(void)say;
	*ret = (struct vm_audit){0};
	return OK;
}

void vm_start(struct vm *vm)
{
	(void)vm;
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	assert(vm == &running && (action == VM_FREEZE || action == VM_REVERT));
}

void vm_press_power_button(struct vm *vm)
{
	assert(vm == &running);
}

void vm_reset(struct vm *vm)
{
	assert(vm == &running);
}

bool vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
{
	(void)fmt;
	assert(vm == &running && outcome == VM_ENDED_WELL);
	return true;
}

/* As hv/monitor/monitor.c. */
static void type(struct monitor_line *line, struct line_history *history, uint8_t byte)
{
	char echo[MONITOR_ECHO_SIZE], rest[MONITOR_LINE_SIZE + 1];
	static struct completion completion;
	enum line_event event;
	const char *text = NULL;
	size_t len = monitor_line_type(line, byte, echo, &event);

	assert(len <= sizeof(echo));
	if (event == LINE_OLDER || event == LINE_NEWER)
		text = event == LINE_OLDER ? line_history_older(history)
					   : line_history_newer(history);
	if (text)
		assert(monitor_line_set(line, text, echo) <= sizeof(echo));
	if (event == LINE_COMPLETE) {
		command_complete(line->text, line->cursor, &completion);
		len = completion_rest(&completion, rest);
		assert(monitor_line_insert(line, rest, len, echo) <= sizeof(echo));
	}
	assert(line->cursor <= line->len && line->len == strlen(line->text));
	if (event != LINE_ENTERED)
		return;
	line_history_add(history, line->text);
	command_run(line->text);
	while (job_is_running())
		job_work();
	monitor_line_clear(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct monitor_line line = {0};
	struct line_history history = {0};

	vms = NULL;
	idle_vms_add(&template, "t", VM_FROZEN, &vcpu, 1);
	template.layer = &layer;
	idle_vms_add(&running, "r", VM_RUNNING, &vcpu, 1);
	for (size_t i = 0; i < size; i++)
		type(&line, &history, data[i]);
	return 0;
}
