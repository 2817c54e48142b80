/* SPDX-License-Identifier: BSD-2-Clause */
/* What a processor knows of a vCPU that is reverted while it is loaded. */
#include "hv/vcpu/forget.c"
#include "hv/vcpu/load.c"

#include "tests/unit/support.h"

#include <asm/prctl.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

struct machine machine;
struct vcpu_shared vcpu_shared = {.n_switched = SWITCHED_TSC_AUX};

static struct cpu cpu;
static struct cpuid_model model;
static unsigned n_flushes;
static const struct vmcs_guest *written;

void vmx_flush_ept(uint64_t type, const uint64_t (*descriptor)[2])
{
	n_flushes++;
}

void vmx_flush_vpids(const struct vmx_capability *cap)
{
	fail();
}

void speculation_load(const struct vcpu *vcpu, struct cpu *on, bool is_other)
{
	fail();
}

/* Only for vcpu_load(). */
void vmcs_unlaunch(phys_t vmcs)
{
	fail();
}

void vmcs_write_host(const struct vmcs_host *host)
{
	fail();
}

void vmcs_write_constant(const struct vmcs_constant *constant)
{
	fail();
}

void vmcs_read_guest(struct vmcs_guest *ret)
{
	fail();
}

void vmcs_write_guest(const struct vmcs_guest *guest)
{
	written = guest;
}

uint64_t idt_base(void)
{
	return 0;
}

static int set_up(void **state)
{
	memset(&machine, 0, sizeof(machine));
	cpu = (struct cpu){.self = &cpu};
	n_flushes = 0;
	return arch_prctl(ARCH_SET_GS, &cpu);
}

/* Let it enter. Returns whether that takes a flush. */
static bool enter(struct vcpu *vcpu)
{
	unsigned before = n_flushes;

	if (vcpu->ept_generation != vcpu->ept->generation)
		vcpu_forget(vcpu, vcpu->ept->generation);
	return n_flushes > before;
}

/* Its translations by the CR3 before the revert are wrong even if it has written no page. */
static void a_reverted_vcpu_forgets_its_translations(void **state)
{
	struct ept_layer layer = {.root = 0x5000, .serial = 7};
	struct ept tree = {.root = layer.root, .base = &layer, .generation = 1};
	struct vcpu template = {0}, clone = {.ept = &tree, .cpuid = &model};

	clone.saved_in = &template;
	assert_true(enter(&clone));
	assert_false(enter(&clone));
	vcpu_reload(&clone);
	assert_true(enter(&clone));
	tree.root = 0x6000;
	tree.owns_root = true;
	vcpu_reload(&clone);
	assert_true(enter(&clone));
}

/* Others of its layer keep their translations if it has tables of its own. */
static void a_revert_costs_other_clones_no_flush(void **state)
{
	struct ept_layer layer = {.root = 0x5000, .serial = 7};
	struct ept tree = {.root = 0x6000, .owns_root = true, .base = &layer, .generation = 1};
	struct ept other_tree = {.root = layer.root, .base = &layer, .generation = 1};
	struct vcpu template = {0}, clone = {.ept = &tree, .cpuid = &model};
	struct vcpu other = {.ept = &other_tree};

	clone.saved_in = &template;
	assert_true(enter(&other));
	assert_true(enter(&clone));
	vcpu_reload(&clone);
	assert_true(enter(&clone));
	other.ept_generation = 0;
	assert_false(enter(&other));
}

static void a_revert_restores_what_the_processor_keeps(void **state)
{
	struct ept tree = {.root = 0x6000, .owns_root = true, .generation = 1};
	struct vcpu template = {.saved = {.cr2 = 0x1234, .dr6 = 0xffff0ff1}};
	struct vcpu clone = {.ept = &tree, .cpuid = &model};

	clone.saved_in = &template;
	template.saved.dr[2] = 0x77;
	vcpu_reload(&clone);
	assert_ptr_equal(written, &template.saved.vmcs);
	assert_int_equal(machine.cr2, 0x1234);
	assert_int_equal(machine.dr6, 0xffff0ff1);
	assert_int_equal(machine.dr[2], 0x77);
}

/* Two VMs without a root of their own take turns at the processor's. */
static void a_vcpu_forgets_what_another_tree_had_at_the_same_root(void **state)
{
	static uint64_t table[512] __attribute__((aligned(PAGE_SIZE)));
	struct ept trees[2] = {{.top = 0x6000 | EPT_PRESENT | EPT_OWN, .generation = 1},
			       {.top = 0x7000 | EPT_PRESENT | EPT_OWN, .generation = 1}};
	struct vcpu vcpus[2] = {{.ept = &trees[0]}, {.ept = &trees[1]}};

	cpu.ept_root = virt_to_phys(table);
	cpu.vpids = (struct vpid_source){.round = 1, .n_left = 100};
	for (unsigned i = 0; i < 2; i++) {
		vcpus[i].saved_in = &vcpus[i];
		assert_true(take_vmcs(&vcpus[i], &cpu));
		assert_true(enter(&vcpus[i]));
		assert_int_equal(table[0], trees[i].top);
		assert_false(take_vmcs(&vcpus[i], &cpu));
		assert_false(enter(&vcpus[i]));
	}
	assert_true(take_vmcs(&vcpus[0], &cpu));
	assert_true(enter(&vcpus[0]));
	assert_int_equal(table[0], trees[0].top);
	/* One with a root of its own has the processor meanwhile, and needs no flush. */
	trees[1].root = 0x9000;
	trees[1].owns_root = true;
	assert_true(take_vmcs(&vcpus[1], &cpu));
	assert_false(enter(&vcpus[1]));
	assert_true(take_vmcs(&vcpus[0], &cpu));
	assert_false(enter(&vcpus[0]));
	/* A VMCS that is made again has no EPT pointer. */
	cpu.eptp[0] = 0;
	cpu.vmcs_of = NULL;
	machine.vmcs[VMCS_EPTP] = 0;
	assert_true(take_vmcs(&vcpus[0], &cpu));
	assert_false(enter(&vcpus[0]));
	assert_int_equal(machine.vmcs[VMCS_EPTP], vmx_eptp(cpu.ept_root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_reverted_vcpu_forgets_its_translations, set_up),
		cmocka_unit_test_setup(a_revert_costs_other_clones_no_flush, set_up),
		cmocka_unit_test_setup(a_revert_restores_what_the_processor_keeps, set_up),
		cmocka_unit_test_setup(a_vcpu_forgets_what_another_tree_had_at_the_same_root,
				       set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
