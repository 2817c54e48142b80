/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is around QMP in hosted programs: three VMs that do what they are told at once, the rest of
 * the monitor, and a port. An includer defines serial_receive() and serial_send().
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/gdb/gdb.h"
#include "hv/host/console.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/monitor/command.h"
#include "hv/monitor/examine_job.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/job.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/say.h"
#include "hv/monitor/status.h"
#include "hv/qmp/qmp.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/audit.h"
#include "hv/vm/hold.h"
#include "hv/vm/news.h"
#include "hv/vm/output.h"
#include "hv/vm/template.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/balloon_vms.h"
#include "tests/unit/hotplug_vms.h"

static char did[4096]; /* to VMs, a line for each call */

static struct backend ram;
static struct vm_config config = {.name = "t", .ram_size = MIB(16), .backends = &ram};
static struct mem_map no_memory;
static struct platform_wiring no_devices;
static struct vcpu vcpus[4];
static struct ept_layer layer = {.n_owned = 73};
static struct vm template, stopped, running, made;

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}
struct vm_totals vm_totals = {.n_made = 7, .n_ended_well = 3, .n_failed = 1};
uint64_t tsc_hz = 1000000000;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(did);
	va_list args;

	va_start(args, fmt);
	vsnprintf(did + len, sizeof(did) - len, fmt, args);
	va_end(args);
}

uint64_t tsc_unix_ns(uint64_t at)
{
	return UINT64_C(1700000000123456000);
}

/* Free memory for QMP. */
static inline void make_memory(void)
{
	static char memory[MIB(1)] __attribute__((aligned(PAGE_SIZE)));

	phys_offset = (uintptr_t)memory - FRAME_LOWEST;
	frame_add_range(FRAME_LOWEST, sizeof(memory));
}

uint64_t console_n_lost(void)
{
	return 5;
}

uint64_t vm_output_n_lost(void)
{
	return 6;
}

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

bool status_show(bool on, bool is_line)
{
	note(on ? "status page\n" : "console\n");
	return true;
}

size_t console_waiting(void)
{
	return 0;
}

void console_write_raw(const char *text, size_t len)
{
	note("console: %.*s", (int)len, text);
}

void serial_init(const struct serial_port *port)
{
}

bool serial_can_send(const struct serial_port *port)
{
	return true;
}

bool serial_all_sent(const struct serial_port *port)
{
	return true;
}

struct vm *focus_vm(void)
{
	return vms;
}

void focus_set(const struct vm *vm)
{
	note("focus %s\n", vm->name);
}

unsigned focus_cpu(const struct vm *vm)
{
	return 0;
}

void focus_set_cpu(unsigned number)
{
	note("vCPU %u\n", number);
}

bool focus_is_reader(const struct vm *vm)
{
	return true;
}

void focus_want_attach(const struct vm *vm)
{
	note("attach %s\n", vm->name);
}

void examine_job(struct vm *vm, unsigned cpu, const struct examine *examine)
{
	note("examine %s\n", vm->name);
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

bool sched_are_aside(const struct vcpu *of, unsigned n)
{
	return true;
}

void registers_show(const struct vcpu *of)
{
	say("CR0=00000011");
}

static struct vm *dumped;

static enum job_state dump(void)
{
	note("dump %s\n", dumped->name);
	return JOB_IS_DONE;
}

static enum job_state refuse_dump(void)
{
	say("Error: dump: failed to open '/there': File exists");
	return JOB_IS_DONE;
}

void file_job_dump(struct vm *vm, const char *path, bool is_sent)
{
	static const struct job good = {.step = dump}, bad = {.step = refuse_dump};

	dumped = vm;
	job_begin(strcmp(path, "/there") == 0 ? &bad : &good);
}

const struct serial_port *gdb_port(void)
{
	return NULL;
}

const char *gdb_refuses(const struct serial_port *port)
{
	return "does not exist in this machine";
}

enum status gdb_begin(const struct serial_port *port)
{
	return OK;
}

enum status gdb_offer(uint32_t vm_index)
{
	return OK;
}

void file_job_save(struct vm *vm, const char *path, struct save_how how)
{
	note("save %s to %s\n", vm->name, path);
}

void map_job_start(struct vm *of, const char *const *parameters, size_t n)
{
	note("map %s\n", of->name);
}

void file_job_send(const char *path)
{
	note("send %s\n", path);
}

void vm_pause(struct vm *vm, bool on)
{
	if (vm->vcpu->is_paused != on)
		news_tell(vm->name, on ? NEWS_STOP : NEWS_RESUME, "");
	vm->vcpu->is_paused = on;
}

static unsigned n_left; /* clones that there is memory for */

struct vm *template_clone(struct vm *vm, const char *name)
{
	if (n_left == 0)
		return NULL;
	n_left--;
	news_tell(made.name, NEWS_CLONED, vm->name);
	return &made;
}

void template_put(struct vm *vm)
{
	if (vm)
		vm->n_holds--;
}

void template_give_up(struct vm *vm)
{
	vm->is_given_up = true;
}

void template_give_up_all(void)
{
}

enum status vm_audit(void (*tell)(const char *name, const char *what), struct vm_audit *ret)
{
	*ret = (struct vm_audit){.n_vms = 3};
	return OK;
}

void vm_start(struct vm *vm)
{
	note("start %s\n", vm->name);
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	note("%s %s\n", action == VM_FREEZE ? "freeze" : "revert", vm->name);
}

void vm_press_power_button(struct vm *vm)
{
	news_tell(vm->name, NEWS_POWERDOWN, "");
}

void vm_reset(struct vm *vm)
{
	news_tell(vm->name, vm->by_operator ? NEWS_RESET_BY_OPERATOR : NEWS_RESET, "");
}

bool vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
{
	vm->outcome = outcome;
	news_tell(vm->name, vm->by_operator ? NEWS_ENDED_BY_OPERATOR : NEWS_ENDED, fmt);
	return true;
}

static void make_vm(struct vm *vm, const char *name, enum vm_outcome outcome)
{
	struct vcpu *vcpu = &vcpus[vms ? vms->index + 1 : 0];

	*vcpu = (struct vcpu){0};
	*vm = (struct vm){.name = name,
			  .index = vms ? vms->index + 1 : 0,
			  .outcome = outcome,
			  .config = &config,
			  .mem = &no_memory,
			  .vcpu = vcpu,
			  .n_vcpus = 1,
			  .platform.wiring = &no_devices,
			  .next = vms};
	vms = vm;
}

/* A template t, a clone t-0 that the operator has stopped, and r, which runs. */
static void make_vms(void)
{
	ram = (struct backend){.id = "ram", .size = MIB(16), .share = true, .reserve = true};
	vms = NULL;
	*did = '\0';
	make_vm(&template, "t", VM_FROZEN);
	template.layer = &layer;
	template.n_holds = 2;
	template.next_number = 9;
	template.n_clones_ended = 4;
	template.n_clones_failed = 1;
	template.share.used = 3; /* of clones that have ended */
	template.vcpu->n_exits[EXITS_HLT] = 7;
	make_vm(&stopped, "t-0", VM_RUNNING);
	stopped.template = &template;
	stopped.vcpu->is_paused = true;
	stopped.vcpu->n_exits[EXITS_CPUID] = 12;
	stopped.ept.n_owned = 2;
	make_vm(&running, "r", VM_RUNNING);
	running.ept.n_owned = 3;
	running.share.used = 2000000;
	made = (struct vm){.name = "t-1", .template = &template, .vcpu = &vcpus[3]};
	n_left = 2;
}
