/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct interrupt_frame;

/*
 * Stop all other running processors for good, by NMI. Returns false if this processor already did;
 * if another processor did, this one halts too. Breaks the console's lock, whose owner may be
 * stopped.
 */
bool stop_others(void);

/* Halt this processor for good. Its NMIs and machine checks are still handled. */
_Noreturn void cpu_park(void);

/*
 * For the NMI handler: if another processor has called stop_others(), leave the handler to a place
 * where this processor halts for good. Returning from the handler makes further NMIs possible.
 */
bool stop_catch(struct interrupt_frame *frame);

/*
 * After stop_others(): let a stopped processor send an NMI to this one when the TSC reaches the
 * deadline; 0: not any more. Does nothing if there is no other processor.
 */
void stop_watch(uint64_t tsc_deadline);
