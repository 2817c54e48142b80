/* SPDX-License-Identifier: BSD-2-Clause */
/* When a processor flushes the translations of a tree, and when it need not. */
#include "hv/vcpu/forget.c"

#include "tests/unit/support.h"

#include <asm/prctl.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

uint64_t test_vmcs[TEST_VMCS_FIELDS];
struct vcpu_shared vcpu_shared;

static struct cpu cpu;
static unsigned n_flushes;
static uint64_t flushed;

void vmx_flush_ept(const struct vmx_capability *cap, uint64_t eptp)
{
	n_flushes++;
	flushed = eptp;
}

static int set_up(void **state)
{
	cpu = (struct cpu){.self = &cpu};
	n_flushes = 0;
	flushed = 0;
	return arch_prctl(ARCH_SET_GS, &cpu);
}

static struct ept_layer layer = {.root = 0x5000, .serial = 7};

/* Let a vCPU with such a tree enter. Returns whether that takes a flush. */
static bool enter(struct vcpu *vcpu)
{
	unsigned before = n_flushes;

	vcpu_forget(vcpu, vcpu->ept->generation);
	assert_int_equal(test_vmcs[VMCS_EPTP], vmx_eptp(vcpu->ept->root));
	assert_int_equal(vcpu->ept_generation, vcpu->ept->generation);
	if (n_flushes > before)
		assert_int_equal(flushed, vmx_eptp(vcpu->ept->root));
	return n_flushes > before;
}

static void clones_share_the_translations_of_their_layer(void **state)
{
	struct ept trees[2] = {{.root = layer.root, .base = &layer, .generation = 1},
			       {.root = layer.root, .base = &layer, .generation = 9}};
	struct vcpu clones[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}};

	assert_true(enter(&clones[0]));
	assert_false(enter(&clones[1]));
	assert_false(enter(&clones[0]));
}

static void a_tree_with_a_root_of_its_own_is_always_flushed(void **state)
{
	struct ept tree = {.root = 0x6000, .owns_root = true, .base = &layer, .generation = 2};
	struct ept first = {.root = layer.root, .owns_root = true, .generation = 2};
	struct vcpu clone = {.ept = &tree}, vcpu = {.ept = &first};

	assert_true(enter(&clone));
	assert_true(enter(&clone));
	assert_true(enter(&vcpu)); /* before it became a template */
	assert_true(enter(&vcpu));
	/* Reverted: nothing of the layer's was flushed here yet. */
	tree.root = layer.root;
	assert_true(enter(&clone));
	tree.root = 0x6000;
	assert_true(enter(&clone));
	tree.root = layer.root;
	assert_false(enter(&clone));
}

static void another_layer_with_the_same_root_is_flushed(void **state)
{
	struct ept_layer later = {.root = layer.root, .serial = 8};
	struct ept trees[2] = {{.root = layer.root, .base = &layer, .generation = 1},
			       {.root = layer.root, .base = &later, .generation = 1}};
	struct vcpu clones[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}};

	assert_true(enter(&clones[0]));
	assert_true(enter(&clones[1]));
	assert_true(enter(&clones[0]));
}

static void a_translation_that_is_wrong_is_flushed(void **state)
{
	struct ept tree = {.root = layer.root, .base = &layer, .generation = 1};
	struct vcpu clone = {.ept = &tree};

	assert_true(enter(&clone));
	vcpu_distrust(&clone);
	assert_int_not_equal(clone.ept_generation, tree.generation);
	assert_true(enter(&clone));
	assert_false(enter(&clone));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(clones_share_the_translations_of_their_layer, set_up),
		cmocka_unit_test_setup(a_tree_with_a_root_of_its_own_is_always_flushed, set_up),
		cmocka_unit_test_setup(another_layer_with_the_same_root_is_flushed, set_up),
		cmocka_unit_test_setup(a_translation_that_is_wrong_is_flushed, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
