/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Stop all other processors for good, by NMI. Returns false if this processor already did; if
 * another processor did, this one halts too. Breaks the console's lock, whose owner may be stopped.
 */
bool stop_others(void);

/* Halt this processor for good. Its NMIs and machine checks are still handled. */
_Noreturn void cpu_park(void);

/* For the NMI handler: does not return if another processor has called stop_others(). */
void stop_if_asked(void);
