/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject commands": of the operator's commands in the same words, up to a digit or a slash, the
 * n-th one in a row fails at its n-th allocation. The work that others do for it counts: a freeze,
 * a revert.
 */
#include "tests/inject/commands.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/command.h"
#include "hv/monitor/line.h"
#include "hv/monitor/monitor.h"
#include "tests/inject/inject.h"

static char words[MONITOR_LINE_SIZE];
static unsigned n_typed, n_allocations;
static bool is_working;

static size_t length(const char *line)
{
	size_t n = 0;

	while (line[n] != '\0' && line[n] != '/' && !(line[n] >= '0' && line[n] <= '9'))
		n++;
	return n;
}

static void note(const char *line)
{
	size_t n = length(line);

	n_allocations = 0;
	if (strlen(words) == n && memcmp(words, line, n) == 0) {
		n_typed++;
		return;
	}
	n_typed = 1;
	format(words, sizeof(words), "%.*s", (int)n, line);
}

void inject_command_works(bool works)
{
	uint64_t none;

	is_working = works && n_typed > 0 && inject_asked("commands", &none);
}

bool inject_command_is_working(void)
{
	return is_working;
}

bool inject_command_fails(void)
{
	if (++n_allocations != n_typed)
		return false;
	log_info("inject: '%s': allocation %u fails", words, n_allocations);
	return true;
}

void __real_command_run(char *line);
void __wrap_command_run(char *line)
{
	note(line);
	inject_command_works(true);
	__real_command_run(line);
}

void __real_monitor_poll(void);
void __wrap_monitor_poll(void)
{
	inject_command_works(true);
	__real_monitor_poll();
	inject_command_works(false);
}
