/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's prompt. Bytes typed while a command runs are kept until it has ended; then the
 * prompt appears again.
 */
#include "hv/monitor/monitor.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/command.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/hotplug_job.h"
#include "hv/monitor/job.h"
#include "hv/monitor/line.h"
#include "hv/monitor/line_history.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/say.h"
#include "hv/vm/map.h"
#include "hv/vm/save_queue.h"

#define PROMPT		   "(stencil) "
#define TYPED_SIZE	   4096
#define PROMPTS_PER_SECOND 2
#define INTERRUPT	   ('C' & 0x1f)

static struct {
	bool is_on; /* atomic */
	struct monitor_line line;
	struct line_history history;
	/* Typed while a command runs. */
	uint8_t typed[TYPED_SIZE];
	size_t n_typed;
	bool is_losing;	 /* lines that did not fit, up to one that is typed when all others have run
			  */
	unsigned n_lost; /* lines, since the last line that says so */
} monitor;

bool monitor_is_on(void)
{
	return __atomic_load_n(&monitor.is_on, __ATOMIC_RELAXED);
}

bool monitor_holds_machine(void)
{
	return (monitor_is_on() && !command_has_quit()) || save_queue_is_wanted() ||
	       map_is_done() || job_is_running();
}

bool monitor_is_waiting(void)
{
	return monitor_is_on() || save_queue_is_wanted() || map_is_done() || job_is_running();
}

/* The prompt and the line, at the beginning of a line. */
static void write_prompt(void)
{
	char text[MONITOR_ECHO_SIZE];

	console_write_part(PROMPT, sizeof(PROMPT) - 1);
	console_write_part(text, monitor_line_show(&monitor.line, text));
}

static size_t recall(const char *text, char *echo)
{
	return text != NULL ? monitor_line_set(&monitor.line, text, echo) : 0;
}

/* Type what all names have in common; list them if that is nothing. */
static size_t complete(char *echo)
{
	static struct completion completion;
	char rest[MONITOR_LINE_SIZE + 1];
	size_t len;

	command_complete(monitor.line.text, monitor.line.cursor, &completion);
	len = completion_rest(&completion, rest);
	if (completion.n > 1 && len == 0) {
		say("%s", completion.list + 1);
		write_prompt();
	}
	return monitor_line_insert(&monitor.line, rest, len, echo);
}

static size_t edit(uint8_t byte, char *echo, enum line_event *ret_event)
{
	size_t len = monitor_line_type(&monitor.line, byte, echo, ret_event);

	switch (*ret_event) {
	case LINE_OLDER:
		return recall(line_history_older(&monitor.history), echo);
	case LINE_NEWER:
		return recall(line_history_newer(&monitor.history), echo);
	case LINE_COMPLETE:
		return complete(echo);
	default:
		return len;
	}
}

static void type(uint8_t byte)
{
	char echo[MONITOR_ECHO_SIZE];
	enum line_event event;
	size_t len = edit(byte, echo, &event);

	if (len > 0)
		console_write_part(echo, len);
	if (event != LINE_ENTERED)
		return;
	line_history_add(&monitor.history, monitor.line.text);
	command_run(monitor.line.text);
	monitor_line_clear(&monitor.line);
	job_work();
}

bool monitor_has_room(void)
{
	return monitor.n_typed < TYPED_SIZE || job_can_be_interrupted();
}

static bool ends_line(uint8_t byte)
{
	return byte == '\r' || byte == '\n';
}

/* Keep whole lines only: a part of one may be another command. */
static void begin_losing(void)
{
	while (monitor.n_typed > 0 && !ends_line(monitor.typed[monitor.n_typed - 1]))
		monitor.n_typed--;
	monitor.is_losing = true;
}

static void lose(uint8_t byte)
{
	if (!ends_line(byte))
		return;
	monitor.n_lost++;
	monitor.is_losing = monitor.n_typed > 0;
}

static void forget_typed(void)
{
	monitor.n_typed = 0;
	monitor.is_losing = false;
	monitor.n_lost = 0;
}

void monitor_type(uint8_t byte)
{
	if (byte == INTERRUPT && job_interrupt()) {
		forget_typed();
		return;
	}
	if (monitor.n_typed == TYPED_SIZE)
		begin_losing();
	if (monitor.is_losing)
		lose(byte);
	else
		monitor.typed[monitor.n_typed++] = byte;
}

static void drop_typed(size_t n)
{
	memmove(monitor.typed, monitor.typed + n, monitor.n_typed - n);
	monitor.n_typed -= n;
}

/* Take typed bytes until one begins a command that takes time. */
static void take_typed(void)
{
	size_t n = 0;

	while (n < monitor.n_typed && !job_is_running() && job_has_room())
		type(monitor.typed[n++]);
	drop_typed(n);
}

/* Ctrl-C was typed after the command, but before it began. */
static void take_interrupt(void)
{
	size_t n = monitor.n_typed;

	while (n > 0 && monitor.typed[n - 1] != INTERRUPT)
		n--;
	if (n > 0 && job_interrupt())
		drop_typed(n);
}

static void say_lost(void)
{
	if (monitor.n_lost == 0 || monitor.is_losing || monitor.n_typed > 0 || job_is_running())
		return;
	say("Error: typed lines lost while a command ran: %u", monitor.n_lost);
	monitor.n_lost = 0;
}

/*
 * While the console is quiet, so that the prompt is not printed after each line of a guest, or from
 * time to time while guests print without end.
 */
static void show_prompt(void)
{
	static uint64_t shown; /* host TSC */

	if (console_line_is_open() ||
	    (console_waiting() > 0 && rdtsc() - shown < tsc_hz / PROMPTS_PER_SECOND))
		return;
	shown = rdtsc();
	write_prompt();
}

void monitor_switch(void)
{
	static bool was_on;
	bool is_on = !monitor_is_on();

	__atomic_store_n(&monitor.is_on, is_on, __ATOMIC_RELAXED);
	if (is_on && !was_on)
		say("Stencil monitor - type 'help' for more information");
	else if (!is_on)
		log_info("console: input goes to the guests");
	was_on = true;
}

/* As the command 'console' asks. */
static void attach(void)
{
	if (monitor_is_on())
		monitor_switch();
	focus_attach();
}

void monitor_quit(void)
{
	command_quit();
}

void monitor_poll(void)
{
	if (!job_is_running())
		file_job_begin_due();
	if (!job_is_running())
		map_job_begin_due();
	if (!job_is_running())
		hotplug_job_begin_due();
	map_end_late();
	job_work();
	if (command_has_quit() && !job_is_running())
		command_end_vms();
	take_typed();
	take_interrupt();
	say_lost();
	if (focus_take_wanted())
		attach();
	if (monitor_is_on() && !job_is_running() && !command_has_quit())
		show_prompt();
}
