/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/*
 * QEMU's object model, as far as there is one here: /objects has the memory backends of the VM.
 * They belong to its line of the configuration: a template and its clones have the same.
 */
enum job_state qmp_qom_list(struct qmp_call *call);
enum job_state qmp_qom_get(struct qmp_call *call);
/* Of all properties, "dump" and "merge" can change while VMs run. */
enum job_state qmp_qom_set(struct qmp_call *call);
