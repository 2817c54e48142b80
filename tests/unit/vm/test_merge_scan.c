/* SPDX-License-Identifier: BSD-2-Clause */
/* Which VMs are searched for equal pages, and when. Their pages are not. */
#include "hv/vm/merge_scan.c"

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include <asm/prctl.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}
uint64_t tsc_hz = 1000000000;

static struct mem_map map = {.n = 1};
static struct vcpu vcpu;
static struct vm vm = {.mem = &map, .vcpu = &vcpu, .n_vcpus = 1};
static struct cpu cpu = {.self = &cpu};
static unsigned n_looks, n_forgotten;
static unsigned n_pages; /* of the VM */
static uint64_t n_sharing;
static bool is_wanted, is_scarce;

void random_fill(void *buf, size_t len)
{
}

bool sched_is_parked(const struct vcpu *of)
{
	return true;
}

bool sched_is_wanted(const struct cpu *cpu)
{
	return is_wanted;
}

struct merged_counters merged_count(void)
{
	return (struct merged_counters){.sharing = n_sharing};
}

bool merged_free_some(uint32_t *next, uint32_t n)
{
	return false;
}

uint64_t frame_total(void)
{
	return 1000;
}

bool frame_is_scarce(void)
{
	return is_scarce;
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
	if (n_looks == n_pages)
		return MERGE_ENDED;
	n_looks++;
	return MERGE_LOOKED;
}

void merge_forget(struct merge *merge, struct ept *ept)
{
	n_forgotten++;
}

uint64_t merge_scanned(void)
{
	return n_looks;
}

void merge_begin_scan(void)
{
}

static int begin(void **state)
{
	vms = &vm;
	n_looks = n_forgotten = 0;
	n_pages = 10 * HURRY_PAGES;
	is_wanted = is_scarce = false;
	search.vm = NULL;
	search.is_scanning = search.is_in_vain = false;
	search.due = search.hurry_due = 0;
	search.is_working = false;
	vm_merge_setup(MERGE_OWN);
	return arch_prctl(ARCH_SET_GS, &cpu);
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

static void hurry(void)
{
	search.hurry_due = 0;
	vm_merge_hurry();
}

/* Between turns nothing is looked for, unless memory is scarce: then even if vCPUs wait. */
static void it_hurries_while_memory_is_scarce(void **state)
{
	is_wanted = true;
	hurry();
	assert_false(vm_merge_work() && n_looks > 0);
	assert_int_equal(n_looks, 0);
	search.due = 0;
	is_scarce = true;
	for (unsigned i = 1; i <= 3; i++) {
		hurry();
		assert_int_equal(n_looks, i * HURRY_PAGES);
	}
	is_scarce = false;
	hurry();
	assert_int_equal(n_looks, 3 * HURRY_PAGES);
}

/* Until a scan has found equal pages, or memory was not scarce at the end of one. */
static void it_does_not_hurry_in_vain(void **state)
{
	is_scarce = true;
	n_pages = HURRY_PAGES / 2;
	hurry();
	assert_int_equal(n_looks, n_pages);
	assert_true(search.is_in_vain);
	search.due = 0;
	n_pages = 10 * HURRY_PAGES;
	hurry();
	assert_int_equal(n_looks, HURRY_PAGES / 2);
	is_scarce = false;
	n_pages = n_looks;
	for (unsigned i = 0; i < 10 && search.is_in_vain; i++) {
		search.due = 0;
		assert_true(vm_merge_work());
	}
	assert_false(search.is_in_vain);
}

/* A look whether memory is scarce has a price: not at each turn. */
static void it_looks_for_scarcity_now_and_then(void **state)
{
	vm_merge_hurry();
	assert_true(search.hurry_due > 0);
	is_scarce = true;
	search.hurry_due = UINT64_MAX;
	vm_merge_hurry();
	assert_int_equal(n_looks, 0);
}

static void nothing_hurries_without_merging(void **state)
{
	search.is_on = false;
	is_scarce = true;
	hurry();
	assert_int_equal(n_looks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_debugged_vm_is_left_alone, begin),
		cmocka_unit_test_setup(it_hurries_while_memory_is_scarce, begin),
		cmocka_unit_test_setup(it_does_not_hurry_in_vain, begin),
		cmocka_unit_test_setup(it_looks_for_scarcity_now_and_then, begin),
		cmocka_unit_test_setup(nothing_hurries_without_merging, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
