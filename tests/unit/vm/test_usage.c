/* SPDX-License-Identifier: BSD-2-Clause */
/* What VMs have used: the sum over a template and its clones, and over all, never falls. */
#include "hv/vm/usage.h"

#include <string.h>

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "hv/vcpu/sched.h"

struct vm *vms;
struct lock vms_lock;

void vms_gather(void)
{
}

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

static struct vcpu vcpu[4];
static struct vm template, clone, other;

static void make(struct vm *vm, struct vcpu *first, unsigned n_vcpus, struct vm *of)
{
	*vm = (struct vm){.vcpu = first, .n_vcpus = n_vcpus, .template = of, .next = vms};
	vms = vm;
}

static int make_all(void **state)
{
	vms = NULL;
	memset(vcpu, 0, sizeof(vcpu));
	make(&template, &vcpu[0], 1, NULL);
	make(&clone, &vcpu[1], 2, &template);
	make(&other, &vcpu[3], 1, NULL);
	template.share.used = 1;
	clone.share.used = 20;
	other.share.used = 300;
	vcpu[0].n_exits[EXITS_HLT] = 4;
	vcpu[1].n_exits[EXITS_HLT] = 50;
	vcpu[2].n_exits[EXITS_IO] = 600;
	vcpu[3].n_exits[EXITS_OTHER] = 7000;
	return 0;
}

static struct usage usage_of(const struct vm *vm)
{
	struct usage usage = {0};

	usage_add(&usage, vm);
	return usage;
}

static struct usage usage_of_all(void)
{
	struct usage usage = {0};

	usage_add_all(&usage);
	return usage;
}

static void a_clone_hands_over_to_its_template(void **state)
{
	struct usage before = usage_of_all(), after, expected = {.ticks = 21};

	expected.n_exits[EXITS_HLT] = 54;
	expected.n_exits[EXITS_IO] = 600;
	usage_hand_over(&clone);
	after = usage_of(&template);
	assert_memory_equal(&after, &expected, sizeof(after));
	after = usage_of(&clone);
	assert_memory_equal(&after, &(struct usage){0}, sizeof(after));
	after = usage_of_all();
	assert_memory_equal(&after, &before, sizeof(after));
}

static void others_hand_over_to_the_machine(void **state)
{
	struct usage before = usage_of_all(), after;

	usage_hand_over(&other);
	vms = other.next;
	usage_hand_over(&clone);
	vms = clone.next;
	usage_hand_over(&template);
	vms = NULL;
	after = usage_of_all();
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(after.ticks, 321);
}

static void each_kind_has_a_name(void **state)
{
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		assert_non_null(usage_exit_name((enum exit_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_clone_hands_over_to_its_template, make_all),
		cmocka_unit_test_setup(others_hand_over_to_the_machine, make_all),
		cmocka_unit_test(each_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
