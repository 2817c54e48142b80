/* SPDX-License-Identifier: BSD-2-Clause */
/* Which VMs are searched for equal pages. Their pages are not. */
#include "hv/vm/merge_scan.c"

#include "tests/unit/support.h"

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;
uint64_t tsc_hz = 1000000000;

static struct mem_map map = {.n = 1};
static struct vcpu vcpu;
static struct vm vm = {.mem = &map, .vcpu = &vcpu, .n_vcpus = 1};
static unsigned n_looks, n_forgotten;

void random_fill(void *buf, size_t len)
{
}

bool sched_is_parked(const struct vcpu *of)
{
	return true;
}

bool sched_is_wanted(const struct cpu *cpu)
{
	return false;
}

enum status merge_setup(uint64_t n_frames, const struct siphash_key *key)
{
	return OK;
}

void merge_end(void)
{
}

bool merge_takes(const struct mem_region *region)
{
	return true;
}

enum merge_result merge_step(struct merge *merge, struct ept *ept, struct mem_map *mem,
			     uint64_t seen)
{
	n_looks++;
	return MERGE_LOOKED;
}

void merge_forget(struct merge *merge, struct ept *ept)
{
	n_forgotten++;
}

uint64_t merge_scanned(void)
{
	return 0;
}

void merge_begin_scan(void)
{
}

static int begin(void **state)
{
	vms = &vm;
	n_looks = n_forgotten = 0;
	return 0;
}

/* In the middle of a visit, as hv/vm/debug.c does before its first breakpoint. */
static void a_debugged_vm_is_left_alone(void **state)
{
	assert_true(step(0));
	assert_true(step(0));
	assert_int_equal(n_looks, 1);
	vm.is_debugged = true;
	vm_merge_pause(&vm);
	assert_int_equal(n_forgotten, 1);
	vm_merge_resume(&vm);
	for (unsigned i = 0; i < 3; i++)
		assert_false(step(0)); /* a scan without a VM ends */
	assert_int_equal(n_looks, 1);
	vm.is_debugged = false;
	assert_true(step(0));
	assert_true(step(0));
	assert_int_equal(n_looks, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_debugged_vm_is_left_alone, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
