/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * The monitor's answers and commands whose length depends on how many VMs, vCPUs or devices there
 * are. Each begins a job (hv/monitor/job.h). A caller that names a VM holds vms_lock; the VM runs,
 * or is a template that can be cloned.
 */

bool answer_is_running(const struct vm *vm);
/* Not one that was given up. vms_lock is held. */
bool answer_is_template(const struct vm *vm);
const char *answer_status(const struct vm *vm);

/* List the VMs and templates that there are now. */
void answer_vms(void);
void answer_templates(void);
/* List the VMs that there are now, each template before its clones. */
void answer_tree(void);

/* Describe the VM's memory: 'command' is one of hv/monitor/info.h, shorter than ANSWER_COMMAND. */
#define ANSWER_COMMAND 32
void answer_memory(const struct vm *vm, const char *command);
void answer_cpus(const struct vm *vm);
/* How often the VM has exited, and why. Not a job. */
void answer_exits(const struct vm *vm);
/* The VM is stopped meanwhile. */
void answer_registers(struct vm *vm);

/* Start so many clones, until memory ends or the template's name is given up. */
void answer_clone(struct vm *template, uint32_t count, bool is_paused);
/* Check all memory, once no template is half made or half freed. */
void answer_check(void);
