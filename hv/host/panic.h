/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/power_order.h"

struct interrupt_frame;

/*
 * Stop the machine with a report: message, registers, backtrace, VMCS. Any
 * processor, any context; if several panic, the first one reports.
 */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For #MC, also one that interrupted a guest: the report shows the banks. */
_Noreturn void panic_machine_check(void);

/* The same for an unexpected exception. */
_Noreturn void panic_exception(const struct interrupt_frame *frame);

/* What follows the report. At first the plan of a machine without options. */
void panic_set_plan(struct power_plan plan);

/* A seam: hv/vm/report.c prints the current VMCS, if any, for the report. */
void panic_dump_vmx(void);
