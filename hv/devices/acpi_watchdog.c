/* SPDX-License-Identifier: BSD-2-Clause */
/* A watchdog timer: see acpi_watchdog.h. It ends once, and then stands until it is run again. */
#include "hv/devices/acpi_watchdog.h"

#include "hv/devices/tick.h"

#define NEVER UINT64_MAX

const char *const watchdog_action_names[] = {[WATCHDOG_ACTION_RESET] = "reset",
					     [WATCHDOG_ACTION_SHUTDOWN] = "shutdown",
					     [WATCHDOG_ACTION_POWEROFF] = "poweroff",
					     [WATCHDOG_ACTION_PAUSE] = "pause",
					     [WATCHDOG_ACTION_INJECT_NMI] = "inject-nmi",
					     [WATCHDOG_ACTION_NONE] = "none",
					     NULL};

uint64_t acpi_watchdog_end(const struct acpi_watchdog *watchdog)
{
	if (!watchdog->runs)
		return NEVER;
	return watchdog->start + tick_time(watchdog->count, watchdog->tsc_hz, ACPI_WATCHDOG_HZ);
}

void acpi_watchdog_look(struct acpi_watchdog *watchdog, uint64_t now)
{
	if (!watchdog->runs || (int64_t)(now - acpi_watchdog_end(watchdog)) < 0)
		return;
	watchdog->runs = false;
	watchdog->has_ended = watchdog->is_news = true;
}

void acpi_watchdog_restart(struct acpi_watchdog *watchdog, uint64_t now)
{
	watchdog->start = now;
}

void acpi_watchdog_reset(struct acpi_watchdog *watchdog, uint64_t tsc_hz)
{
	*watchdog = (struct acpi_watchdog){.tsc_hz = tsc_hz,
					   .count = ACPI_WATCHDOG_MAX_COUNT,
					   .has_ended = watchdog->has_ended};
}

static uint32_t left(const struct acpi_watchdog *watchdog, uint64_t now)
{
	uint64_t passed = tick_count(now - watchdog->start, watchdog->tsc_hz, ACPI_WATCHDOG_HZ);

	if (!watchdog->runs || (int64_t)(now - watchdog->start) < 0)
		return watchdog->count;
	return passed < watchdog->count ? watchdog->count - (uint32_t)passed : 0;
}

uint32_t acpi_watchdog_read(const struct acpi_watchdog *watchdog, uint64_t off, uint64_t now)
{
	switch (off) {
	case ACPI_WATCHDOG_COUNT:
		return left(watchdog, now);
	case ACPI_WATCHDOG_CONTROL:
		return watchdog->runs ? ACPI_WATCHDOG_RUN : ACPI_WATCHDOG_STOP;
	case ACPI_WATCHDOG_STATUS:
		return watchdog->has_ended;
	default:
		return UINT32_MAX;
	}
}

static void control(struct acpi_watchdog *watchdog, uint32_t value, uint64_t now)
{
	if (value == ACPI_WATCHDOG_STOP || value == ACPI_WATCHDOG_RUN)
		watchdog->runs = value == ACPI_WATCHDOG_RUN;
	if (value == ACPI_WATCHDOG_RUN || value == ACPI_WATCHDOG_RESET)
		watchdog->start = now;
}

void acpi_watchdog_write(struct acpi_watchdog *watchdog, uint64_t off, uint32_t value, uint64_t now)
{
	if (off == ACPI_WATCHDOG_COUNT) {
		watchdog->count = value < ACPI_WATCHDOG_MAX_COUNT ? value : ACPI_WATCHDOG_MAX_COUNT;
		watchdog->start = now;
	} else if (off == ACPI_WATCHDOG_CONTROL) {
		control(watchdog, value, now);
	} else if (off == ACPI_WATCHDOG_STATUS && value & 1) {
		watchdog->has_ended = false;
	}
}

static const struct state_field acpi_watchdog_fields[] = {
	STATE_FIELD(struct acpi_watchdog, start, UINT64_MAX),
	STATE_FIELD(struct acpi_watchdog, count, ACPI_WATCHDOG_MAX_COUNT),
	STATE_FIELD(struct acpi_watchdog, runs, 1),
	STATE_FIELD(struct acpi_watchdog, has_ended, 1),
	STATE_FIELD(struct acpi_watchdog, is_news, 1),
	STATE_FIELD(struct acpi_watchdog, reserved, 0),
};

const struct device_class acpi_watchdog_class = {
	.name = "acpi-watchdog",
	.fields = acpi_watchdog_fields,
	.n_fields = ARRAY_SIZE(acpi_watchdog_fields),
	.since = 5,
};
