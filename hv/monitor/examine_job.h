/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/examine.h"
#include "hv/vm/vm.h"

/*
 * Begin a job (hv/monitor/job.h) that shows memory as the vCPU with this number addresses it. The
 * VM, which runs or is a template, is stopped meanwhile; none of it changes, and no page becomes
 * private. vms_lock is held.
 */
void examine_job(struct vm *vm, unsigned cpu, const struct examine *examine);
