/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/*
 * Counters and gauges of the machine, and of each template with its clones and each other VM; with
 * the argument "clones" also of each clone. A step of struct qmp_command.
 */
enum job_state qmp_query_metrics(struct qmp_call *call);
