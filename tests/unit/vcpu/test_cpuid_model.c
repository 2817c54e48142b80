/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/cpuid_model.h"

#include <string.h>

#include "hv/host/msr.h"
#include "hv/host/speculation.h"
#include "hv/vcpu/kvm_msr.h"
#include "tests/unit/support.h"

/* A processor that has every feature bit, and caches, in every leaf. */
static void everything(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	*ret = (struct cpuid_regs){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	if (leaf == 0)
		*ret = (struct cpuid_regs){0x20, 0x756e6547, 0x6c65746e, 0x49656e69};
	else if (leaf == 0x80000000)
		ret->eax = 0x80000008;
	else if (leaf == 4)
		ret->eax = subleaf < 4 ? 0xfc01c100 | (subleaf + 1) : 0;
	else if (leaf == 0xd && subleaf >= 2)
		*ret = (struct cpuid_regs){subleaf * 64, 512 + subleaf * 128, 0, 0};
	else if (leaf == 0x80000008)
		*ret = (struct cpuid_regs){39 << 8 | 46, 0, 0, 0};
}

/* IA32_SPEC_CTRL, in a processor of before leaf 7 had a subleaf 2. */
static void first_with_spec_ctrl(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	everything(leaf, subleaf, ret);
	if (leaf == 7)
		ret->eax = 0;
}

/* The minimum that can run: long mode, and XSAVE with SSE. */
static void little(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	*ret = (struct cpuid_regs){0};
	if (leaf == 0)
		*ret = (struct cpuid_regs){0xd, 0x756e6547, 0x6c65746e, 0x49656e69};
	else if (leaf == 1)
		*ret = (struct cpuid_regs){0x306c3, 8 << 8, 1 << 26 | 1 << 0, 0x078bfbff};
	else if (leaf == 0xd && subleaf == 0)
		*ret = (struct cpuid_regs){3, 576, 576, 0};
	else if (leaf == 0x80000000)
		ret->eax = 0x80000001;
	else if (leaf == 0x80000001)
		ret->edx = 1 << 29 | 1 << 20 | 1 << 11;
}

static const struct cpuid_options all_controls = {
	.tsc_hz = 400000000, .has_rdtscp = true, .has_invpcid = true};

static const struct cpu_topology one_cpu = {1, {1, 1, 1, 1, 1}};

static struct cpuid_regs look(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_state state = {.topology = &one_cpu, .xcr0 = 7, .apic_id = 5};
	struct cpuid_regs regs;

	cpuid_model_lookup(model, leaf, subleaf, &state, &regs);
	return regs;
}

static void features_without_a_model_are_hidden(void **state)
{
	static const struct {
		uint32_t leaf;
		char reg;
		unsigned bit;
	} hidden[] = {
		{1, 'c', 3},  {1, 'c', 5},  {1, 'c', 6},  {1, 'c', 15}, {1, 'c', 2},  {1, 'd', 21},
		{1, 'd', 29}, {7, 'b', 2},  {7, 'b', 4},  {7, 'b', 11}, {7, 'b', 14}, {7, 'b', 25},
		{7, 'c', 3},  {7, 'c', 16}, {7, 'd', 26}, {7, 'd', 27}, {7, 'd', 31}, {7, 'd', 24},
	};
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		struct cpuid_regs r = look(&model, hidden[i].leaf, 0);
		uint32_t word = hidden[i].reg == 'b' ? r.ebx : hidden[i].reg == 'c' ? r.ecx : r.edx;

		assert_int_equal(word >> hidden[i].bit & 1, 0);
	}
	assert_int_equal(look(&model, 0xa, 0).eax, 0);
	assert_int_equal(look(&model, 0x14, 0).eax, 0);
	assert_int_equal(look(&model, 5, 0).eax, 0);
}

static void a_guest_sees_the_hypervisor_and_what_is_modelled(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, little, &all_controls);
	assert_true(look(&model, 1, 0).ecx & BIT(31));
	assert_true(look(&model, 1, 0).ecx & BIT(21)); /* x2APIC */
	assert_true(look(&model, 1, 0).ecx & BIT(24)); /* TSC deadline */
	assert_true(look(&model, 7, 0).ebx & BIT(1));  /* TSC_ADJUST */
	assert_int_equal(look(&model, 1, 0).ebx >> 24, 5);
	assert_int_equal(look(&model, 1, 0).edx & (BIT(7) | BIT(14)),
			 BIT(7) | BIT(14)); /* MCE, MCA */
	assert_int_equal(look(&model, 0x40000000, 0).eax, 0x40000010);
	assert_memory_equal(&(uint32_t){look(&model, 0x40000000, 0).ebx}, "Sten", 4);
	assert_memory_equal(&(uint32_t){look(&model, 0x40000100, 0).ebx}, "KVMK", 4);
	assert_true(look(&model, 0x80000007, 0).edx & BIT(8));
	assert_int_equal(look(&model, 0x80000008, 0).eax, 48 << 8 | 36);
}

static void features_of_kvm_can_be_hidden(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, little, &all_controls);
	assert_int_equal(look(&model, 0x40000101, 0).eax,
			 KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_STEAL_TIME | KVM_FEATURE_PV_EOI |
				 KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
	assert_int_equal(look(&model, 0x40000100, 0).eax, 0x40000101);
	cpuid_model_hide_kvm(&model, KVM_FEATURE_STEAL_TIME);
	assert_false(look(&model, 0x40000101, 0).eax & KVM_FEATURE_STEAL_TIME);
	assert_true(look(&model, 0x40000101, 0).eax & KVM_FEATURE_CLOCKSOURCE2);
	/* Without a leaf, they answer as any that does not exist: as the last basic one. */
	cpuid_model_hide_kvm(&model, UINT32_MAX);
	assert_int_equal(look(&model, 0x40000100, 0).ebx, look(&model, CPUID_BASIC_LAST, 0).ebx);
	assert_int_equal(cpuid_kvm_features(&model), 0);
	assert_memory_equal(&(uint32_t){look(&model, 0x40000000, 0).ebx}, "Sten", 4);
}

static void the_tsc_frequency_is_exact(void **state)
{
	struct cpuid_options fast = all_controls;
	struct cpuid_model model;

	cpuid_model_init(&model, little, &all_controls);
	assert_int_equal(look(&model, 0x15, 0).eax, 1);
	assert_int_equal(look(&model, 0x15, 0).ebx, 1);
	assert_int_equal(look(&model, 0x15, 0).ecx, 400000000);
	assert_int_equal(look(&model, 0x16, 0).eax, 400);
	assert_int_equal(look(&model, 0x40000010, 0).eax, 400000);
	assert_int_equal(look(&model, 0x40000010, 0).ebx, 400000);
	fast.tsc_hz = UINT64_C(5000000000);
	cpuid_model_init(&model, little, &fast);
	assert_int_equal(look(&model, 0x15, 0).ecx, 0);
	assert_int_equal(look(&model, 0x16, 0).eax, 5000);
	assert_int_equal(look(&model, 0x40000010, 0).eax, 5000000);
	/* A state of a version without the leaf: the last basic leaf. */
	model.hypervisor[0].eax = 0x40000000;
	assert_int_equal(look(&model, 0x40000010, 0).eax, look(&model, 0x1f, 0).eax);
}

static void leaves_beyond_the_last_answer_as_the_last(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	assert_int_equal(look(&model, 0, 0).eax, CPUID_BASIC_LAST);
	assert_int_equal(look(&model, 0x20, 1).ecx, look(&model, 0x1f, 1).ecx);
	assert_int_equal(look(&model, 0x7fffffff, 1).ecx, 0x201);
	assert_int_equal(look(&model, 0x80000009, 1).ecx, 0x201);
	assert_int_equal(look(&model, 0x40000002, 1).ecx, 0x201);
}

static void subleaves_show_one_cpu_and_allowed_components_only(void **state)
{
	struct cpuid_model model;
	struct cpuid_regs r;

	cpuid_model_init(&model, everything, &all_controls);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(look(&model, 4, i).eax, 0x100 | (i + 1));
	assert_int_equal(look(&model, 4, 4).eax, 0);
	assert_int_equal(look(&model, 0xb, 0).ecx, 0x100);
	assert_int_equal(look(&model, 0xb, 1).ecx, 0x201);
	assert_int_equal(look(&model, 0xb, 2).ecx, 2);
	assert_int_equal(look(&model, 0xb, 2).edx, 5);
	assert_int_equal(model.xcr0_allowed, 0xe7);
	assert_int_equal(look(&model, 0xd, 1).eax, 7); /* no XSAVES */
	assert_int_equal(look(&model, 0xd, 3).eax, 0);
	assert_int_equal(look(&model, 0xd, 9).eax, 0);
	r = look(&model, 0xd, 0);
	assert_int_equal(r.ebx, 512 + 2 * 128 + 2 * 64); /* for XCR0 = 7 */
	assert_int_equal(r.ecx, 512 + 7 * 128 + 7 * 64);
}

/* 2 sockets of 2 dies of 3 modules of 2 cores of 2 threads: APIC ID bits 1, 1, 2, 1. */
static const struct cpu_topology deep = {48, {2, 2, 3, 2, 2}};
static const struct cpu_topology flat = {12, {2, 6, 1, 1, 1}};

static struct cpuid_regs look_in(const struct cpu_topology *topology, uint32_t leaf,
				 uint32_t subleaf)
{
	const struct cpuid_state state = {.topology = topology, .apic_id = 0x123};
	struct cpuid_model model;
	struct cpuid_regs regs;

	cpuid_model_init(&model, everything, &all_controls);
	cpuid_model_lookup(&model, leaf, subleaf, &state, &regs);
	return regs;
}

static void check_level(const struct cpu_topology *topology, uint32_t leaf, uint32_t subleaf,
			struct cpuid_regs expected)
{
	struct cpuid_regs r = look_in(topology, leaf, subleaf);

	assert_int_equal(r.eax, expected.eax);
	assert_int_equal(r.ebx, expected.ebx);
	assert_int_equal(r.ecx, expected.ecx);
	assert_int_equal(r.edx, 0x123);
}

static void the_topology_leaves_tell_the_levels(void **state)
{
	check_level(&flat, 0xb, 0, (struct cpuid_regs){1, 2, 0x100, 0});
	check_level(&flat, 0xb, 1, (struct cpuid_regs){4, 12, 0x201, 0});
	check_level(&flat, 0xb, 2, (struct cpuid_regs){0, 0, 2, 0});
	check_level(&flat, 0x1f, 1, (struct cpuid_regs){4, 12, 0x201, 0});
	check_level(&flat, 0x1f, 2, (struct cpuid_regs){0, 0, 2, 0});
	check_level(&deep, 0xb, 0, (struct cpuid_regs){1, 2, 0x100, 0});
	check_level(&deep, 0xb, 1, (struct cpuid_regs){5, 24, 0x201, 0});
	check_level(&deep, 0xb, 2, (struct cpuid_regs){0, 0, 2, 0});
	check_level(&deep, 0x1f, 0, (struct cpuid_regs){1, 2, 0x100, 0});
	check_level(&deep, 0x1f, 1, (struct cpuid_regs){2, 4, 0x201, 0});
	check_level(&deep, 0x1f, 2, (struct cpuid_regs){4, 12, 0x302, 0});
	check_level(&deep, 0x1f, 3, (struct cpuid_regs){5, 24, 0x503, 0});
	check_level(&deep, 0x1f, 4, (struct cpuid_regs){0, 0, 4, 0});
	check_level(&one_cpu, 0x1f, 1, (struct cpuid_regs){0, 1, 0x201, 0});
}

static void leaf_1_counts_the_package(void **state)
{
	assert_int_equal(look_in(&flat, 1, 0).ebx, 0x230cff00);
	assert_true(look_in(&flat, 1, 0).edx & BIT(28));
	assert_int_equal(look_in(&one_cpu, 1, 0).ebx, 0x2301ff00);
	assert_false(look_in(&one_cpu, 1, 0).edx & BIT(28));
}

/* Caches of three levels: the third is shared by a die, the others by a core. */
static void caches(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	everything(leaf, subleaf, ret);
	if (leaf == 4)
		ret->eax = subleaf < 3 ? (subleaf + 1) << 5 | 3 : 0;
}

static void caches_are_shared_by_threads_and_the_last_by_the_die(void **state)
{
	const struct cpuid_state asking = {.topology = &deep};
	struct cpu_topology many = {200, {1, 200, 1, 1, 1}};
	struct cpuid_model model;
	struct cpuid_regs r;

	cpuid_model_init(&model, caches, &all_controls);
	for (uint32_t i = 0; i < 3; i++) {
		cpuid_model_lookup(&model, 4, i, &asking, &r);
		assert_int_equal(r.eax >> 14 & 0xfff, i < 2 ? 1 : 15);
		assert_int_equal(r.eax >> 26, 15);
	}
	cpuid_model_lookup(&model, 4, 3, &asking, &r);
	assert_int_equal(r.eax, 0);
	assert_int_equal(look_in(&many, 4, 0).eax >> 26, 63); /* the most that the field can hold */
}

static void osxsave_follows_cr4(void **state)
{
	struct cpuid_state with = {.topology = &one_cpu, .cr4 = CR4_OSXSAVE, .xcr0 = 1};
	struct cpuid_state without = {.topology = &one_cpu, .xcr0 = 1};
	struct cpuid_model model;
	struct cpuid_regs regs;

	cpuid_model_init(&model, everything, &all_controls);
	cpuid_model_lookup(&model, 1, 0, &with, &regs);
	assert_true(regs.ecx & CPUID_1_ECX_OSXSAVE);
	cpuid_model_lookup(&model, 1, 0, &without, &regs);
	assert_false(regs.ecx & CPUID_1_ECX_OSXSAVE);
}

static void the_apic_bit_follows_its_enable(void **state)
{
	struct cpuid_state on = {.topology = &one_cpu, .apic_enabled = true};
	struct cpuid_state off = {.topology = &one_cpu};
	struct cpuid_model model;
	struct cpuid_regs regs;

	cpuid_model_init(&model, everything, &all_controls);
	cpuid_model_lookup(&model, 1, 0, &on, &regs);
	assert_true(regs.edx & BIT(9));
	cpuid_model_lookup(&model, 1, 0, &off, &regs);
	assert_false(regs.edx & BIT(9));
}

static void allowed_bits_follow_the_features(void **state)
{
	struct cpuid_options none = {.tsc_hz = 1000000};
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	assert_true(model.cr4_allowed & CR4_SMEP);
	assert_false(model.cr4_allowed & (CR4_VMXE | CR4_SMXE | CR4_LA57 | CR4_PKE | CR4_CET));
	assert_true(look(&model, 0x80000001, 0).edx & BIT(27));
	assert_true(look(&model, 7, 0).ebx & BIT(10));
	cpuid_model_init(&model, little, &all_controls);
	assert_false(model.cr4_allowed &
		     (CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE));
	assert_true(model.cr4_allowed & CR4_OSXSAVE);
	cpuid_model_init(&model, everything, &none);
	assert_false(look(&model, 0x80000001, 0).edx & BIT(27));
	assert_false(look(&model, 7, 0).ebx & BIT(10));
}

/* AVX-VNNI and the like have no state of their own; LASS, FRED, AMX and HRESET have. */
static void instructions_without_state_are_shown(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	assert_int_equal(look(&model, 7, 1).eax, 0x00801c30);
	assert_int_equal(look(&model, 7, 1).ebx, 0);
	assert_int_equal(look(&model, 7, 1).ecx, 0);
	assert_int_equal(look(&model, 7, 1).edx, 0x00004430);
	assert_true(look(&model, 7, 0).edx & BIT(14)); /* SERIALIZE */
	cpuid_model_init(&model, first_with_spec_ctrl, &all_controls);
	assert_int_equal(look(&model, 7, 1).eax, 0);
	assert_int_equal(look(&model, 7, 1).edx, 0);
}

static void speculation_is_controlled_where_it_is_switched(void **state)
{
	struct cpuid_options options = all_controls;
	struct cpuid_model model;

	options.arch_capabilities = ARCH_CAP_IBRS_ALL | ARCH_CAP_MDS_NO;
	cpuid_model_init(&model, everything, &options);
	assert_int_equal(look(&model, 7, 0).edx & 0xf4000000, 0x20000000); /* ARCH_CAPABILITIES */
	assert_int_equal(look(&model, 7, 0).eax, 1);
	assert_int_equal(model.arch_capabilities, ARCH_CAP_MDS_NO);
	assert_int_equal(model.spec_ctrl_allowed, 0);

	options.switches_speculation = true;
	cpuid_model_init(&model, everything, &options);
	assert_int_equal(look(&model, 7, 0).edx & 0xfc000000, 0xbc000000);
	assert_int_equal(look(&model, 7, 0).eax, 2);
	assert_int_equal(look(&model, 7, 2).edx, 0x3f);
	assert_int_equal(model.arch_capabilities, options.arch_capabilities);
	assert_int_equal(model.spec_ctrl_allowed, 0x5ff);

	cpuid_model_init(&model, little, &options);
	assert_int_equal(model.spec_ctrl_allowed, 0);
}

static uint32_t last_leaf;

/* Firmware may limit the leaves; what an old processor answers beyond its last one says nothing. */
static void limited(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	everything(leaf, subleaf, ret);
	if (leaf == 0)
		ret->eax = last_leaf;
}

static void leaves_that_the_processor_lacks_are_not_asked(void **state)
{
	static const uint32_t leaves[] = {2, 4, 7, 0xd};
	struct cpuid_options options = all_controls;

	options.switches_speculation = true;
	for (last_leaf = 1; last_leaf < 0xe; last_leaf++) {
		struct cpuid_model model;

		cpuid_model_init(&model, limited, &options);
		for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
			assert_int_equal(look(&model, leaves[i], 0).ecx != 0,
					 last_leaf >= leaves[i]);
		assert_int_equal(model.spec_ctrl_allowed != 0, last_leaf >= 7);
		assert_int_equal(model.cr4_allowed & CR4_SMEP, last_leaf >= 7 ? CR4_SMEP : 0);
		assert_int_equal(model.xcr0_allowed, last_leaf >= 0xd ? 0xe7 : 0);
	}
}

static void without_xsave(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	everything(leaf, subleaf, ret);
	if (leaf == 1)
		ret->ecx &= ~(uint32_t)(BIT(26) | BIT(28));
}

static void without_xsave_there_is_no_state_component(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, without_xsave, &all_controls);
	assert_int_equal(model.xcr0_allowed, 0);
	assert_false(cpuid_xcr0_valid(&model, 1));
	for (uint32_t i = 0; i < 8; i++)
		for (unsigned reg = 0; reg < 2; reg++) {
			struct cpuid_regs r = look(&model, 0xd, i);

			assert_int_equal(reg ? r.ebx : r.eax, 0);
		}
	assert_int_equal(model.cr4_allowed & CR4_OSXSAVE, 0);
}

/* Components need not lie in the order of their numbers: SDM vol. 1, "XSAVE-Managed State". */
static void unordered(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	static const uint32_t offset[] = {[2] = 1664, [5] = 576, [6] = 640, [7] = 1152};

	everything(leaf, subleaf, ret);
	if (leaf == 0xd && subleaf >= 2)
		*ret = (struct cpuid_regs){subleaf == 5 ? 64 : 256,
					   subleaf < 8 ? offset[subleaf] : 0, 0, 0};
}

static void the_size_of_the_state_is_where_its_last_component_ends(void **state)
{
	static const struct {
		uint64_t xcr0;
		uint32_t size;
	} cases[] = {{3, 576}, {7, 1920}, {0xe7, 1920}, {0xe3, 1408}, {0x23, 640}};
	struct cpuid_model model;

	cpuid_model_init(&model, unordered, &all_controls);
	assert_int_equal(model.basic[0xd].ecx, 1920);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpuid_state asking = {.topology = &one_cpu, .xcr0 = cases[i].xcr0};
		struct cpuid_regs r;

		cpuid_model_lookup(&model, 0xd, 0, &asking, &r);
		assert_int_equal(r.ebx, cases[i].size);
	}
}

/* ECX is read in leaves with subleaves only: others answer whatever is in it. */
static void a_leaf_without_subleaves_ignores_ecx(void **state)
{
	static const uint32_t leaves[] = {1, 2, 5, 6, 0x15, 0x16};
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct cpuid_regs a = look(&model, leaves[i], 0);
		struct cpuid_regs b = look(&model, leaves[i], 0x12345678);

		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void without_subleaf_2_only_the_first_controls_are_there(void **state)
{
	struct cpuid_options options = all_controls;
	struct cpuid_model model;

	options.switches_speculation = true;
	cpuid_model_init(&model, first_with_spec_ctrl, &options);
	assert_int_equal(look(&model, 7, 0).edx & 0xfc000000, 0xbc000000);
	assert_int_equal(look(&model, 7, 0).eax, 0);
	assert_int_equal(look(&model, 7, 2).edx, 0);
	assert_int_equal(model.spec_ctrl_allowed, 7); /* IBRS, STIBP, SSBD */
}

static void xcr0_takes_what_hardware_takes(void **state)
{
	struct cpuid_model model;

	cpuid_model_init(&model, everything, &all_controls);
	for (uint64_t value = 0; value < 0x400; value++) {
		bool valid = (value & 1) && !(value & ~UINT64_C(0xe7)) &&
			     (!(value & 4) || (value & 2)) &&
			     (!(value & 0xe0) || ((value & 0xe0) == 0xe0 && (value & 4)));

		assert_int_equal(cpuid_xcr0_valid(&model, value), valid);
	}
	assert_false(cpuid_xcr0_valid(&model, UINT64_C(1) << 63 | 1));
	cpuid_model_init(&model, little, &all_controls);
	assert_true(cpuid_xcr0_valid(&model, 3));
	assert_false(cpuid_xcr0_valid(&model, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_without_a_model_are_hidden),
		cmocka_unit_test(a_guest_sees_the_hypervisor_and_what_is_modelled),
		cmocka_unit_test(features_of_kvm_can_be_hidden),
		cmocka_unit_test(the_tsc_frequency_is_exact),
		cmocka_unit_test(leaves_beyond_the_last_answer_as_the_last),
		cmocka_unit_test(subleaves_show_one_cpu_and_allowed_components_only),
		cmocka_unit_test(the_topology_leaves_tell_the_levels),
		cmocka_unit_test(leaf_1_counts_the_package),
		cmocka_unit_test(caches_are_shared_by_threads_and_the_last_by_the_die),
		cmocka_unit_test(osxsave_follows_cr4),
		cmocka_unit_test(the_apic_bit_follows_its_enable),
		cmocka_unit_test(allowed_bits_follow_the_features),
		cmocka_unit_test(instructions_without_state_are_shown),
		cmocka_unit_test(speculation_is_controlled_where_it_is_switched),
		cmocka_unit_test(leaves_that_the_processor_lacks_are_not_asked),
		cmocka_unit_test(without_xsave_there_is_no_state_component),
		cmocka_unit_test(the_size_of_the_state_is_where_its_last_component_ends),
		cmocka_unit_test(a_leaf_without_subleaves_ignores_ecx),
		cmocka_unit_test(without_subleaf_2_only_the_first_controls_are_there),
		cmocka_unit_test(xcr0_takes_what_hardware_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
