/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/*
 * A VM's objects and devices are constant after its start, because its clones share the description
 * of them. These commands refuse in the words of QEMU, of whose machines some have no hotplug
 * either.
 */
enum job_state qmp_device_add(struct qmp_call *call);
enum job_state qmp_device_del(struct qmp_call *call);
enum job_state qmp_object_del(struct qmp_call *call);
