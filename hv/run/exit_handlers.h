/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/* What a handler wants next. For EXIT_NEXT, hv/run/exit.c moves RIP. */
enum exit_action {
	EXIT_AGAIN, /* resume at the same instruction */
	EXIT_NEXT,  /* resume after it */
};

/* Exit handlers, one family per file. The vCPU is loaded, interrupts are off, no lock is held. */
typedef enum exit_action exit_handler(struct vcpu *vcpu);
exit_handler exit_hlt, exit_pause, exit_undefined, exit_ignored, exit_xsetbv, exit_triple_fault,
	exit_task_switch, exit_rdpmc, exit_vmcall, exit_init, exit_bus_lock, exit_notify;
exit_handler exit_msr_read, exit_msr_write;
exit_handler exit_cr, exit_dr;
exit_handler exit_io;
exit_handler exit_ept_violation, exit_ept_misconfig;
exit_handler exit_exception, exit_external_interrupt, exit_window, exit_preemption_timer;
