/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/*
 * QMP's commands about VMs, as steps of struct qmp_command. QEMU has one VM, Stencil any number: a
 * command is about the one that its argument "vm" names, and without it about the only one there
 * is.
 */

/* The VM or template; NULL: there is none, which is answered. vms_lock is held. */
struct vm *qmp_find_vm(struct qmp_call *call);

/* Set the configuration of the VM, which outlives it. False: there is none, which is answered. */
bool qmp_find_config(struct qmp_call *call);

enum job_state qmp_query_status(struct qmp_call *call);
enum job_state qmp_query_vms(struct qmp_call *call);
/* "query-memdev" and the other queries of hv/monitor/info.h. */
enum job_state qmp_query_memory(struct qmp_call *call);

enum job_state qmp_balloon(struct qmp_call *call);
enum job_state qmp_query_balloon(struct qmp_call *call);
enum job_state qmp_stop(struct qmp_call *call);
enum job_state qmp_cont(struct qmp_call *call);
enum job_state qmp_powerdown(struct qmp_call *call);
enum job_state qmp_reset(struct qmp_call *call);
enum job_state qmp_freeze(struct qmp_call *call);
enum job_state qmp_revert(struct qmp_call *call);
enum job_state qmp_destroy(struct qmp_call *call);
