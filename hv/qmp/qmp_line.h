/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/*
 * QMP's commands that do what a command of the prompt does, as steps of struct qmp_command. A
 * console's command that takes long is waited for.
 */
/*
 * Begin a job with the VM or template, once no other one runs, and wait for its end; what it says
 * is the error. begin() says false if it has answered with an error; vms_lock is held.
 */
enum job_state qmp_run_job(struct qmp_call *call,
			   bool (*begin)(struct qmp_call *call, struct vm *vm));

enum job_state qmp_human_monitor_command(struct qmp_call *call);
enum job_state qmp_dump_guest_memory(struct qmp_call *call);
enum job_state qmp_clone(struct qmp_call *call);
