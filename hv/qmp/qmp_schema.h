/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/* What QMP's commands and events are, told from their tables: steps of struct qmp_command. */
enum job_state qmp_query_commands(struct qmp_call *call);
enum job_state qmp_query_schema(struct qmp_call *call);
