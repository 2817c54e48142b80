/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/console.h"
#include "hv/monitor/status.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/vm.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/balloon_vms.h"
#include "tests/unit/hotplug_vms.h"

/*
 * A list of VMs for the monitor: they stop at once, have no memory and no devices. The console is
 * never full.
 */
struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}

static bool idle_has_screen = true, idle_shows_status;

bool status_show(bool on, bool is_line)
{
	idle_shows_status = on && idle_has_screen;
	return idle_has_screen;
}

size_t console_waiting(void)
{
	return 0;
}

void platform_list(const struct platform *platform, struct device_list *ret)
{
	*ret = (struct device_list){0};
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	return true;
}

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

void vm_kick_receivers(struct vm *vm)
{
	vm->platform.irqchip.kicked = false;
}

struct vm *vm_find(unsigned index)
{
	struct vm *vm = vms;

	while (vm && vm->index != index)
		vm = vm->next;
	return vm;
}

unsigned vm_n_indices = 100;

/* Put a VM at the head of the list. */
static inline void idle_vms_add(struct vm *vm, const char *name, enum vm_outcome outcome,
				struct vcpu *vcpus, unsigned n_vcpus)
{
	static struct vm_config config;
	static struct mem_map no_memory;

	*vm = (struct vm){.name = name,
			  .index = vms ? vms->index + 1 : 0,
			  .outcome = outcome,
			  .config = &config,
			  .mem = &no_memory,
			  .vcpu = vcpus,
			  .n_vcpus = n_vcpus,
			  .next = vms};
	vms = vm;
}
