/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/watchdog.h"

/*
 * Fill 'watchdog': a timer that the ACPI table WDAT describes ('wdat', NULL: none), else that of an
 * Intel chipset. One that the firmware has left running is stopped.
 */
void watchdog_find(const void *wdat, uint64_t wdat_len);

/*
 * Reset the machine when watchdog_feed() is not called for so many seconds. NULL, or the reason
 * why this machine cannot, which is valid until the next call. Needs tsc_init().
 */
const char *watchdog_start(unsigned seconds);
