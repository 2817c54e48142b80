/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/host/power_order.h"

/* Remember how this machine is switched off and reset. Needs acpi_init(). */
void power_init(const struct boot_info *info);

/* Print "end: WORDS", once: a failure while the machine ends does not change how the run ended. */
void power_print_end(const char *words);

/*
 * Stop the other processors, and end the machine as planned. After a press of its power button it
 * is switched off, whatever the plan. Halt if nothing works. A second call, from a panic on the
 * way, continues where the first one stopped.
 */
_Noreturn void power_end(struct power_plan plan);

/*
 * For the handler of exceptions, on the processor that ends the machine: true if the interrupted
 * code was a way to switch off or to reset, or the firmware called for it. power_go_on() leaves it,
 * with the reason, and tries the next way.
 */
bool power_is_trying(void);
_Noreturn void power_go_on(const char *reason);

/*
 * For the handlers of the timer and of NMIs: if the interrupted code was the firmware, and it
 * should have switched off by now, leave it as above.
 */
void power_watch_firmware(const char *reason);
