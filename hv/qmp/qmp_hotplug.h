/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/* Memory for a running VM, and less of it: see hv/monitor/hotplug_job.h. */
enum job_state qmp_object_add(struct qmp_call *call);
enum job_state qmp_object_del(struct qmp_call *call);
enum job_state qmp_device_add(struct qmp_call *call);
enum job_state qmp_device_del(struct qmp_call *call);
