/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_event.h"

#include "hv/host/io.h"
#include "hv/host/tsc.h"

#define BY_GUEST "\"guest\": true, \"reason\": "
#define BY_HOST	 "\"guest\": false, \"reason\": "
#define CAUSE	 "vm:str guest:bool reason:ShutdownCause"
#define END	 CAUSE " why:str"

const struct qmp_event qmp_events[] = {
	[NEWS_STOP] = {"STOP", "", NULL, "vm:str"},
	[NEWS_RESUME] = {"RESUME", "", NULL, "vm:str"},
	[NEWS_RESET] = {"RESET", BY_GUEST "\"guest-reset\"", NULL, CAUSE},
	[NEWS_RESET_BY_OPERATOR] = {"RESET", BY_HOST "\"host-qmp-system-reset\"", NULL, CAUSE},
	[NEWS_POWERDOWN] = {"POWERDOWN", "", NULL, "vm:str"},
	[NEWS_WATCHDOG] = {"WATCHDOG", "", "action", "vm:str action:WatchdogAction"},
	[NEWS_PANICKED] = {"GUEST_PANICKED", "\"action\": \"poweroff\"", NULL,
			   "vm:str action:GuestPanicAction"},
	[NEWS_ENDED] = {"SHUTDOWN", BY_GUEST "\"guest-shutdown\"", "why", END},
	[NEWS_ENDED_BY_OPERATOR] = {"SHUTDOWN", BY_HOST "\"host-qmp-quit\"", "why", END},
	[NEWS_FAILED] = {"SHUTDOWN", BY_HOST "\"host-error\"", "why", END},
	[NEWS_FROZEN] = {"__org.stencil_FROZEN", "", NULL, "vm:str"},
	[NEWS_CLONED] = {"__org.stencil_CLONED", "", "template", "vm:str template:str"},
	[NEWS_MEMORY_FULL] = {"__org.stencil_MEMORY_FULL", "", NULL, "vm:str"},
	[NEWS_DEVICE_DELETED] = {"DEVICE_DELETED", "", "device", "vm:str device:str"},
	[N_NEWS_KINDS] = {"__org.stencil_EVENTS_LOST", "", NULL, "count:int"},
};

static void begin(struct qmp_text *to, const struct qmp_event *event, uint64_t tsc)
{
	uint64_t us = tsc_unix_ns(tsc) / 1000;

	qmp_put(to,
		"{\"timestamp\": {\"seconds\": %lu, \"microseconds\": %lu}, \"event\": \"%s\", "
		"\"data\": {",
		us / 1000000, us % 1000000, event->name);
}

void qmp_put_event(struct qmp_text *to, const struct news *news)
{
	const struct qmp_event *event = &qmp_events[news->kind];

	begin(to, event, news->tsc);
	qmp_put(to, "\"vm\": \"%s\"%s%s", news->name, event->data[0] != '\0' ? ", " : "",
		event->data);
	if (event->text != NULL) {
		qmp_put(to, ", \"%s\": ", event->text);
		qmp_put_string(to, news->text);
	}
	qmp_put(to, "}}\r\n");
}

void qmp_put_lost(struct qmp_text *to, uint64_t n)
{
	begin(to, &qmp_events[N_NEWS_KINDS], rdtsc());
	qmp_put(to, "\"count\": %lu}}\r\n", n);
}
