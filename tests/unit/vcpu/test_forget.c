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

void vmx_flush_ept(uint64_t type, const uint64_t (*descriptor)[2])
{
	n_flushes++;
	assert_int_equal((*descriptor)[1], 0);
	flushed = (*descriptor)[0];
}

static uint64_t table[512] __attribute__((aligned(PAGE_SIZE)));

static int set_up(void **state)
{
	cpu = (struct cpu){.self = &cpu, .ept_root = virt_to_phys(table)};
	table[0] = 0;
	n_flushes = 0;
	flushed = 0;
	return arch_prctl(ARCH_SET_GS, &cpu);
}

static struct ept_layer layer = {.root = 0x5000, .serial = 7, .top = 0x8000 | EPT_R | EPT_X};

/* The root by which the processor must find the tree. */
static phys_t root_of(const struct ept *tree)
{
	return tree->owns_root || !(tree->top & EPT_OWN) ? tree->root : cpu.ept_root;
}

/* Let a vCPU with such a tree enter. Returns whether that takes a flush. */
static bool enter(struct vcpu *vcpu)
{
	unsigned before = n_flushes;

	vcpu_forget(vcpu, vcpu->ept->generation);
	assert_int_equal(test_vmcs[VMCS_EPTP], vmx_eptp(root_of(vcpu->ept)));
	if (root_of(vcpu->ept) == cpu.ept_root)
		assert_int_equal(table[0], vcpu->ept->top);
	assert_int_equal(vcpu->ept_generation, vcpu->ept->generation);
	if (n_flushes > before)
		assert_int_equal(flushed, test_vmcs[VMCS_EPTP]);
	return n_flushes > before;
}

/* Let a vCPU that was here before return. Returns whether it must enter as above. */
static bool comes_back(struct vcpu *vcpu)
{
	unsigned before = n_flushes;

	if (!vcpu_remember(vcpu))
		return true;
	assert_int_equal(test_vmcs[VMCS_EPTP], vmx_eptp(root_of(vcpu->ept)));
	if (root_of(vcpu->ept) == cpu.ept_root)
		assert_int_equal(table[0], vcpu->ept->top);
	assert_int_equal(n_flushes, before);
	return false;
}

static struct ept tree_of(struct ept_layer *of)
{
	return (struct ept){.root = of->root, .top = of->top, .base = of, .generation = 1};
}

/* A tree that has copied its first page. */
static struct ept tree_with(phys_t table)
{
	struct ept tree = tree_of(&layer);

	tree.top = table | EPT_PRESENT | EPT_OWN;
	tree.generation = 2;
	return tree;
}

static void clones_share_the_translations_of_their_layer(void **state)
{
	struct ept trees[2] = {tree_of(&layer), tree_of(&layer)};
	struct vcpu clones[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}};

	assert_true(enter(&clones[0]));
	assert_false(enter(&clones[1]));
	assert_false(enter(&clones[0]));
}

static void a_tree_with_a_root_of_its_own_is_always_flushed(void **state)
{
	struct ept tree = {.root = 0x6000, .owns_root = true, .base = &layer, .generation = 2};
	struct ept first = {.root = layer.root, .owns_root = true, .generation = 2};
	struct ept reverted = tree_of(&layer);
	struct vcpu clone = {.ept = &tree}, vcpu = {.ept = &first};

	assert_true(enter(&clone));
	assert_true(enter(&clone));
	assert_true(enter(&vcpu)); /* before it became a template */
	assert_true(enter(&vcpu));
	/* Reverted: nothing of the layer's was flushed here yet. */
	clone.ept = &reverted;
	assert_true(enter(&clone));
	clone.ept = &tree;
	assert_true(enter(&clone));
	clone.ept = &reverted;
	assert_false(enter(&clone));
}

/* Its root is the same for all trees that have none. */
static void trees_take_turns_at_the_processors_root(void **state)
{
	struct ept trees[2] = {tree_with(0x6000), tree_with(0x7000)}, fresh = tree_of(&layer);
	struct vcpu clones[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}}, clone = {.ept = &fresh};

	assert_true(enter(&clones[0]));
	assert_true(enter(&clones[0])); /* it has copied a page */
	assert_false(comes_back(&clones[0]));
	assert_true(enter(&clones[1]));
	assert_true(comes_back(&clones[0]));
	assert_true(enter(&clones[0]));
	assert_false(comes_back(&clones[0]));
	assert_true(comes_back(&clones[1]));
	/* One that uses another root meanwhile changes nothing. */
	assert_true(enter(&clone));
	assert_false(comes_back(&clones[0]));
	assert_false(comes_back(&clone));
	assert_false(comes_back(&clones[0]));
	/* A table that another tree had is not a sign that the tree is the same. */
	fresh.top = trees[0].top;
	assert_true(enter(&clone));
	assert_int_equal(table[0], fresh.top);
}

/* A tree that gets a root of its own leaves the processor's. */
static void a_tree_moves_to_its_root(void **state)
{
	struct ept tree = tree_with(0x6000), other = tree_with(0x7000);
	struct vcpu clone = {.ept = &tree}, second = {.ept = &other};

	assert_true(enter(&clone));
	tree.root = 0x9000;
	tree.owns_root = true;
	assert_true(enter(&clone));
	assert_true(enter(&second));
	assert_false(comes_back(&clone));
	assert_false(comes_back(&second));
}

/* Below another hypervisor each write of the VMCS may be an exit. */
static void the_pointer_is_written_when_it_changes(void **state)
{
	struct ept tree = tree_with(0x6000), own = {.root = 0x9000, .owns_root = true};
	struct vcpu clone = {.ept = &tree}, vcpu = {.ept = &own};

	assert_true(enter(&clone));
	test_vmcs[VMCS_EPTP] = 0;
	vcpu_forget(&clone, 3);
	assert_true(vcpu_remember(&clone));
	assert_int_equal(test_vmcs[VMCS_EPTP], 0);
	assert_true(enter(&vcpu));
	test_vmcs[VMCS_EPTP] = 0;
	vcpu_forget(&vcpu, 3);
	assert_int_equal(test_vmcs[VMCS_EPTP], 0);
}

static void another_layer_with_the_same_root_is_flushed(void **state)
{
	struct ept_layer later = {.root = layer.root, .serial = 8};
	struct ept trees[2] = {tree_of(&layer), tree_of(&later)};
	struct vcpu clones[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}};

	assert_true(enter(&clones[0]));
	assert_true(enter(&clones[1]));
	assert_true(enter(&clones[0]));
}

static void a_translation_that_is_wrong_is_flushed(void **state)
{
	struct ept tree = tree_of(&layer), own = tree_with(0x6000);
	struct vcpu clone = {.ept = &tree}, writer = {.ept = &own};

	assert_true(enter(&clone));
	vcpu_distrust(&clone);
	assert_int_not_equal(clone.ept_generation, tree.generation);
	assert_true(enter(&clone));
	assert_false(enter(&clone));
	/* The layer's translations are right all the same. */
	vcpu_distrust(&writer);
	assert_false(enter(&clone));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(clones_share_the_translations_of_their_layer, set_up),
		cmocka_unit_test_setup(a_tree_with_a_root_of_its_own_is_always_flushed, set_up),
		cmocka_unit_test_setup(trees_take_turns_at_the_processors_root, set_up),
		cmocka_unit_test_setup(a_tree_moves_to_its_root, set_up),
		cmocka_unit_test_setup(the_pointer_is_written_when_it_changes, set_up),
		cmocka_unit_test_setup(another_layer_with_the_same_root_is_flushed, set_up),
		cmocka_unit_test_setup(a_translation_that_is_wrong_is_flushed, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
