/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/threads/machine.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "hv/frame/numa.h"
#include "hv/lib/print.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/build.h"
#include "hv/vm/bury.h"
#include "hv/vm/hold.h"
#include "hv/vm/life.h"
#include "hv/vm/news.h"
#include "hv/vm/template.h"
#include "hv/vm/usage.h"
#include "tests/unit/support.h"

#define START	  MIB(16) /* of memory */
#define PAGE_GPA  MIB(4)  /* of the guests' first page */
#define N_BURIED  100	  /* frames at a time */
#define N_STOPPED 8	  /* VMs at a time */

/* Declared here, because unistd.h has another pause(). */
long syscall(long number, ...);

uint64_t machine_n_ended, machine_n_wrong;

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;
struct vcpu_shared vcpu_shared;
uint64_t tsc_hz = 1000000000;

static struct cpu processors[MACHINE_CPUS];
static struct machine_work work;
static struct clone_config line;
static struct news_queue news;
static struct vm_config config = {.name = "t", .topology.n_cpus = 1};

/* ---- what it has instead of hv/vcpu/vcpu.c and hv/vm/build.c ---- */

void vcpu_create_copy(struct vcpu *to, struct vm *vm, struct ept *ept, struct lapic *lapic,
		      const struct vcpu *from)
{
	memset(to, 0, sizeof(*to));
	to->vm = vm;
	to->ept = ept;
}

bool vm_discard_some(struct vm *of)
{
	return false;
}

bool vm_free_some(struct vm *of)
{
	return false;
}

void vm_release(struct vm *of)
{
	ept_destroy(&of->ept);
}

/* ---- the machine ---- */

static void set_nodes(unsigned n_nodes, uint64_t node_size)
{
	numa = (struct numa){.n_nodes = n_nodes, .n_spans = n_nodes};
	for (unsigned node = 0; node < n_nodes; node++) {
		numa.span[node] = (struct numa_span){node ? START + node * node_size : 0, node};
		numa_set_add(numa.with_memory, node);
		for (unsigned to = 0; to < n_nodes; to++)
			numa.distance[node][to] = to == node ? NUMA_LOCAL : NUMA_REMOTE;
	}
}

void machine_be(unsigned index)
{
	assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, &processors[index]), 0);
	stack_here = &processors[index].frames;
}

void machine_begin(unsigned n_processors, unsigned n_nodes, uint64_t node_size)
{
	set_nodes(n_nodes, node_size);
	phys_arena(START, n_nodes * node_size);
	frame_reset();
	frame_add_range(START, n_nodes * node_size);
	memset(processors, 0, sizeof(processors));
	n_cpus = n_processors;
	for (unsigned i = 0; i < n_processors; i++) {
		cpus[i] = &processors[i];
		processors[i].self = &processors[i];
		processors[i].index = i;
		processors[i].frames.node = i % n_nodes;
		machine_be(i);
		sched_begin(&processors[i]);
	}
	machine_be(0);
	machine_n_ended = machine_n_wrong = 0;
	log_set_level(LOG_ERROR); /* the tests' log is one thread's */
	assert_int_equal(ept_setup(), OK);
}

static gpa_t page_gpa(unsigned i)
{
	return (gpa_t){PAGE_GPA + i * PAGE_SIZE};
}

/* What the template has written. */
static uint64_t original(unsigned i)
{
	return 1000000 + i;
}

static uint64_t *own_page(struct vm *vm, unsigned i)
{
	phys_t frame = 0;
	enum status status;

	lock_acquire(&vm->lock);
	status = ept_copy(&vm->ept, page_gpa(i), &frame);
	lock_release(&vm->lock);
	return status == OK ? phys_to_virt(frame) : NULL;
}

static struct vm *make_template(unsigned n_pages)
{
	struct vm_shared *shared;
	struct vm *vm = vm_allocate(&config, &shared);

	assert_non_null(vm);
	vm->name = config.name;
	vm->config = &config;
	vm->share.weight = SHARE_WEIGHT_DEFAULT;
	vm->vcpu->vm = vm;
	vm->vcpu->ept = &vm->ept;
	assert_int_equal(ept_init(&vm->ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map_zero(&vm->ept, (gpa_t){0}, GIB(1)), OK);
	for (unsigned i = 0; i < n_pages; i++) {
		uint64_t *page = own_page(vm, i);

		assert_non_null(page);
		*page = original(i);
	}
	vm_list(vm);
	return vm;
}

void machine_start(const struct machine_work *asked)
{
	struct vm *vm = make_template(asked->n_pages);

	work = *asked;
	line = (struct clone_config){
		.template = config.name, .count = work.count, .parallel = work.parallel};
	template_set_config(&line);
	while (!template_freeze(vm))
		;
}

static bool writes_well(struct vm *vm)
{
	bool well = true;

	for (unsigned i = 0; i < work.n_writes; i++) {
		uint64_t *page = own_page(vm, i);

		well &= page != NULL && *page == original(i);
		if (page)
			*page = vm->number;
	}
	for (unsigned i = 0; i < work.n_writes; i++) {
		const uint64_t *page = own_page(vm, i);

		well &= page != NULL && *page == vm->number;
	}
	return well;
}

/*
 * A clone's whole life, in one turn, unless the operator has stopped it: then a revert is for
 * vm_gathered(). Returns whether it has ended.
 */
static bool run_guest(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	for (;;) {
		if (!writes_well(vm))
			__atomic_fetch_add(&machine_n_wrong, 1, __ATOMIC_RELAXED);
		if (vm->platform.control.n_reverts == work.n_reverts)
			return vm_end(vm, VM_ENDED_WELL, "exited with 0");
		if (!vm_revert_at_once(vcpu)) {
			vm_gather(vm, VM_REVERT);
			return false;
		}
	}
}

/* Atomic, because sched_request() may read them. */
static void set_current(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	if (vcpu)
		__atomic_store_n(&vcpu->last_cpu, cpu, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->current, vcpu, __ATOMIC_RELAXED);
}

bool machine_turn(void)
{
	struct vcpu *vcpu = sched_pop();
	struct vm *vm;
	bool has_ended;

	if (vcpu == NULL)
		return false;
	vm = vcpu->vm;
	set_current(vcpu);
	(void)sched_charge(vcpu, 1000);
	has_ended = run_guest(vcpu);
	set_current(NULL);
	__atomic_store_n(&vcpu->regs.requests, 0, __ATOMIC_RELAXED);
	sched_gather(vcpu, 1000);
	vm_gathered(vm);
	if (has_ended)
		__atomic_fetch_add(&machine_n_ended, 1, __ATOMIC_RELAXED);
	return true;
}

void machine_hear(void)
{
	news_listen(&news);
}

void machine_operate(void)
{
	struct usage sum = {0};
	struct news heard;
	unsigned n = 0;

	while (news_take(&heard))
		;
	vms_acquire();
	usage_add_all(&sum);
	(void)template_find("another");
	for (struct vm *vm = vms; vm && n < N_STOPPED; vm = vm->next) {
		if (vm->template == NULL)
			continue;
		vm_pause(vm, true);
		vm_pause(vm, false);
		n++;
	}
	lock_release(&vms_lock);
}

bool machine_is_finished(void)
{
	return sched_is_empty() && !template_has_graves();
}

void machine_give_up(void)
{
	template_give_up_all();
}

void machine_look_around(void)
{
	(void)template_bury(N_BURIED);
}

void machine_end(void)
{
	machine_be(0);
	template_give_up_all();
	template_bury_all();
}
