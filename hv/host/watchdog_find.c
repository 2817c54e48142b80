/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the watchdog timer and starts it. A timer of a management controller that only IPMI reaches
 * is not found, and the firmware's own one of UEFI is switched off in boot/main.c.
 */
#include "hv/host/watchdog_find.h"

#include "hv/host/acpi_register.h"
#include "hv/host/paging.h"
#include "hv/host/tco_find.h"
#include "hv/host/wdat_parse.h"
#include "hv/lib/print.h"

enum { REASON_MAX = 200 };

/* Registers of a timer are not mapped yet: what is mapped is memory, or another device's. */
static bool map_registers(const struct wdat *wdat)
{
	for (unsigned i = 0; i < wdat->n_steps; i++)
		if (wdat->step[i].reg.space == ACPI_SPACE_MEMORY &&
		    paging_probe(wdat->step[i].reg.address, false))
			return false;
	for (unsigned i = 0; i < wdat->n_steps; i++)
		if (!acpi_register_map(wdat->step[i].reg))
			return false;
	return true;
}

static bool find_wdat(const void *table, uint64_t len)
{
	enum status status = wdat_parse(table, len, &watchdog.wdat);

	if (status == ERR_NOTFOUND)
		return false;
	if (status == OK && map_registers(&watchdog.wdat))
		return true;
	log_warning("ACPI table WDAT is not used: %s",
		    status == ERR_CORRUPT ? "it is damaged" : "its actions are not supported");
	return false;
}

static void stop_running(void)
{
	bool is_running = watchdog.kind == WATCHDOG_TCO
				  ? tco_is_running(&watchdog.tco)
				  : wdat_run(&watchdog.wdat, WDAT_GET_RUNNING, 0);

	if (!is_running)
		return;
	watchdog_stop();
	log_info("watchdog: stopped, the firmware has left it running");
}

void watchdog_find(const void *wdat, uint64_t wdat_len)
{
	if (wdat != NULL && find_wdat(wdat, wdat_len))
		watchdog.kind = WATCHDOG_WDAT;
	else if (tco_find(&watchdog.tco) == OK && acpi_register_map(watchdog.tco.gcs))
		watchdog.kind = WATCHDOG_TCO;
	if (watchdog.kind != WATCHDOG_NONE)
		stop_running();
}

static const char *say_none(char reason[REASON_MAX])
{
	uint32_t id = tco_chipset_id();
	struct tco tco;

	if (tco_find(&tco) != ERR_NOTFOUND)
		return "the firmware has hidden this machine's watchdog";
	format(reason, REASON_MAX,
	       "this machine has no watchdog that Stencil knows: no usable ACPI table WDAT, "
	       "and the PCI device 00:1f.0 (%04x:%04x) is no Intel chipset from ICH9 to the 9 "
	       "series",
	       id & 0xffff, id >> 16);
	return reason;
}

static bool start_wdat(unsigned count)
{
	const struct wdat *wdat = &watchdog.wdat;

	(void)wdat_run(wdat, WDAT_SET_STOPPED, 0);
	(void)wdat_run(wdat, WDAT_SET_REBOOT, 0); /* without the action it always does */
	return wdat_run(wdat, WDAT_SET_COUNTDOWN, count) && wdat_run(wdat, WDAT_SET_RUNNING, 0) &&
	       wdat_run(wdat, WDAT_RESET, 0);
}

static bool take_status(void)
{
	if (watchdog.kind == WATCHDOG_TCO)
		return tco_take_status(&watchdog.tco);
	return wdat_run(&watchdog.wdat, WDAT_GET_STATUS, 0) &&
	       wdat_run(&watchdog.wdat, WDAT_SET_STATUS, 0);
}

/* What the timer can be set to: counts of 'step' milliseconds. */
struct range {
	uint64_t step, min, max;
};

static struct range timer_range(void)
{
	if (watchdog.kind == WATCHDOG_TCO)
		return (struct range){2 * TCO_TICK_MS, TCO_TICKS_MIN, TCO_TICKS_MAX};
	return (struct range){watchdog.wdat.period_ms, watchdog.wdat.min_count,
			      watchdog.wdat.max_count};
}

static const char *timer_name(void)
{
	return watchdog.kind == WATCHDOG_TCO ? watchdog.tco.chipset : "ACPI table WDAT";
}

/* False: it does not count, or may not reset the machine. */
static bool start_timer(unsigned count)
{
	return watchdog.kind == WATCHDOG_TCO ? tco_start(&watchdog.tco, count) : start_wdat(count);
}

const char *watchdog_start(unsigned seconds)
{
	static char reason[REASON_MAX];
	struct range range = timer_range();
	uint64_t count;

	if (watchdog.kind == WATCHDOG_NONE)
		return say_none(reason);
	count = seconds * UINT64_C(1000) / range.step;
	if (count < range.min || count > range.max) {
		format(reason, sizeof(reason), "this machine's watchdog takes at %s %lu seconds",
		       count < range.min ? "least" : "most",
		       count < range.min ? (range.min * range.step + 999) / 1000
					 : range.max * range.step / 1000);
		return reason;
	}
	if (take_status())
		log_warning("the watchdog has ended the last run");
	if (!start_timer((unsigned)count)) {
		watchdog_stop();
		return "this machine's board does not let its watchdog reset it";
	}
	watchdog.is_on = true;
	log_info("watchdog: %s, %u seconds", timer_name(), seconds);
	return NULL;
}
