/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy, over all models from Westmere on. The decisions are printed as a table, and
 * docs/hardware.md must have the same one.
 */
#include "hv/host/policy.h"

#include <stdio.h>
#include <string.h>

#include "hv/host/known_state.h"
#include "hv/host/model.h"
#include "hv/host/msr.h"
#include "hv/host/policy_text.h"
#include "hv/host/speculation.h"
#include "tests/unit/support.h"

/* Bits of leaf 7, EDX, that microcode of 2018 to 2020 has added to processors made before. */
#define MC_2018 \
	(CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP | CPUID_7_EDX_L1D_FLUSH | CPUID_7_EDX_SSBD)
#define MC_2019	    (MC_2018 | CPUID_7_EDX_MD_CLEAR)
#define MC_2020	    (MC_2019 | CPUID_7_EDX_SRBDS_CTRL)
#define MC_ARCH	    (MC_2019 | CPUID_7_EDX_ARCH_CAPABILITIES)
#define MC_ARCH_RNG (MC_2020 | CPUID_7_EDX_ARCH_CAPABILITIES)

/* IA32_ARCH_CAPABILITIES by generation. */
#define SKYLAKE (ARCH_CAP_RSBA | ARCH_CAP_FB_CLEAR | ARCH_CAP_GDS_CTRL)
#define CASCADE \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_MDS_NO | \
	 ARCH_CAP_TSX_CTRL | ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA | ARCH_CAP_GDS_CTRL)
#define ICE \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_MDS_NO | \
	 ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA | \
	 ARCH_CAP_GDS_CTRL)
#define MMIO_NO (ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO)
#define TIGER	(ICE | MMIO_NO)
#define ALDER	((TIGER & ~ARCH_CAP_GDS_CTRL) | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_CLEAR)
#define SAPPHIRE \
	((TIGER & ~ARCH_CAP_GDS_CTRL) | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO | ARCH_CAP_TSX_CTRL)
#define GRANITE (SAPPHIRE | ARCH_CAP_PBRSB_NO)
#define ATOM \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_MDS_NO | ARCH_CAP_RFDS_CLEAR)

#define RTM CPUID_7_EBX_RTM
#define BHI CPUID_7_2_EDX_BHI_CTRL

/* Each model, with the newest microcode that its maker has published. */
static const struct part {
	uint32_t signature;
	uint64_t edx, ebx, edx_2, arch;
} parts[] = {
	{0x20652, MC_2018, 0, 0, 0}, /* Westmere got nothing against MDS */
	{0x206c2, MC_2018, 0, 0, 0},
	{0x206f2, MC_2018, 0, 0, 0},
	{0x206a7, MC_2019, 0, 0, 0},
	{0x206d7, MC_2019, 0, 0, 0},
	{0x306a9, MC_2020, 0, 0, 0},
	{0x306e4, MC_2019, 0, 0, 0},
	{0x306c3, MC_2020, 0, 0, 0},
	{0x306f2, MC_2019, 0, 0, 0},
	{0x306d4, MC_2020, 0, 0, 0},
	{0x406f1, MC_2019, RTM, 0, 0},
	{0x50663, MC_2019, RTM, 0, 0},
	{0x506e3, MC_ARCH_RNG, 0, 0, SKYLAKE},
	{0x50654, MC_ARCH, RTM, 0, SKYLAKE},
	{0x806e9, MC_ARCH_RNG, 0, 0, SKYLAKE},
	{0x906e9, MC_ARCH_RNG, 0, 0, SKYLAKE},
	{0x906ed, MC_ARCH_RNG, 0, 0, CASCADE},
	{0x806ec, MC_ARCH_RNG, 0, 0, CASCADE},
	{0x50657, MC_ARCH, RTM, 0, CASCADE},
	{0x5065b, MC_ARCH, RTM, 0, CASCADE | ARCH_CAP_TAA_NO | ARCH_CAP_PSCHANGE_MC_NO},
	{0x60663, MC_2019, 0, 0, 0},
	{0xa0655, MC_ARCH, 0, 0, CASCADE | ARCH_CAP_PSCHANGE_MC_NO},
	{0x706e5, MC_ARCH, 0, 0, ICE},
	{0x606a6, MC_ARCH, 0, 0, ICE},
	{0x606c1, MC_ARCH, 0, 0, ICE},
	{0x806c1, MC_ARCH, 0, 0, TIGER},
	{0xa0671, MC_ARCH, 0, 0, ICE},
	{0x90672, MC_ARCH, 0, BHI, ALDER},
	{0xb0671, MC_ARCH, 0, BHI, ALDER},
	{0x806f8, MC_ARCH, RTM, BHI, SAPPHIRE},
	{0xc06f2, MC_ARCH, RTM, BHI, SAPPHIRE},
	{0xa06a4, MC_ARCH, 0, BHI, SAPPHIRE & ~ARCH_CAP_TSX_CTRL},
	{0xc0662, MC_ARCH, 0, BHI, GRANITE & ~ARCH_CAP_TSX_CTRL},
	{0xa06d1, MC_ARCH, RTM, BHI, GRANITE},
	{0x506c9, MC_ARCH, 0, 0, ATOM},
	{0x506f1, MC_ARCH, 0, 0, ATOM},
	{0x706a8, MC_ARCH, 0, 0, ATOM},
	{0x90661, MC_ARCH, 0, 0, ATOM | ARCH_CAP_IBRS_ALL | ARCH_CAP_FB_CLEAR},
	{0xb06e0, MC_ARCH, 0, BHI, ALDER},
	{0xa06f3, MC_ARCH, 0, BHI, GRANITE & ~ARCH_CAP_TSX_CTRL},
};

static struct cpu_facts facts_of(const struct part *part)
{
	struct cpu_facts facts = {
		.is_intel = true, .signature = part->signature, .microcode = 0x10};

	facts.word[FACT_7_EDX] = (uint32_t)part->edx;
	facts.word[FACT_7_EBX] = (uint32_t)part->ebx;
	facts.word[FACT_7_2_EDX] = (uint32_t)part->edx_2;
	facts.arch_capabilities = part->arch;
	return facts;
}

static struct policy decide(const struct part *part, enum mitigations mode)
{
	struct cpu_facts facts = facts_of(part);
	struct policy policy;

	policy_decide(policy_weaknesses(&facts), &facts, mode, true, &policy);
	return policy;
}

static const struct part *part_of(uint32_t signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].signature == signature)
			return &parts[i];
	fail_msg("no part %#x", signature);
	return NULL;
}

static uint32_t measures_of(uint32_t signature)
{
	return decide(part_of(signature), MITIGATIONS_AUTO).measures;
}

static size_t print_row(const struct part *part, char *to, size_t size)
{
	struct policy policy = decide(part, MITIGATIONS_AUTO);
	char on[300], lacking[300];

	policy_names(policy.measures, on, sizeof(on));
	policy_names(policy.needs_microcode, lacking, sizeof(lacking));
	return (size_t)snprintf(to, size, "| %s | %x | %s | %s | %s |\n",
				model_name(part->signature), part->signature, on,
				policy.needs_microcode ? lacking : "",
				policy.weaknesses & WEAK_SIBLING_LEAK ? "yes" : "");
}

static char *read_document(void)
{
	static char text[100000];
	char path[300];
	const char *here = strrchr(__FILE__, '/');
	FILE *file;

	snprintf(path, sizeof(path), "%.*s/../../../docs/hardware.md", (int)(here - __FILE__),
		 __FILE__);
	file = fopen(path, "rb");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void the_document_has_the_table_of_all_models(void **state)
{
	static char table[20000];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		assert_string_not_equal(model_name(parts[i].signature), "unknown model");
		size_t n = print_row(&parts[i], table + len, sizeof(table) - len);

		print_message("%s", table + len);
		len += n;
	}
	if (strstr(read_document(), table) == NULL)
		fail_msg("docs/hardware.md has another table than the one printed above");
}

static void models_get_what_they_need(void **state)
{
	const uint32_t haswell = measures_of(0x306c3), skylake = measures_of(0x50654);
	const uint32_t cascade = measures_of(0x50657), ice = measures_of(0x606a6);
	const uint32_t granite = measures_of(0xa06d1);

	assert_int_equal(haswell & (MEASURE_RETPOLINE | MEASURE_IBRS | MEASURE_EIBRS),
			 MEASURE_RETPOLINE);
	assert_true(haswell & MEASURE_NX_LARGE_PAGES && haswell & MEASURE_L1D_FLUSH);
	assert_int_equal(skylake & (MEASURE_RETPOLINE | MEASURE_IBRS | MEASURE_EIBRS),
			 MEASURE_IBRS);
	assert_int_equal(cascade & (MEASURE_RETPOLINE | MEASURE_IBRS | MEASURE_EIBRS),
			 MEASURE_EIBRS);
	assert_true(cascade & MEASURE_NX_LARGE_PAGES && cascade & MEASURE_TSX_OFF);
	assert_true(cascade & MEASURE_RSB_FILL); /* indirect target selection */
	assert_false(cascade & MEASURE_L1D_FLUSH);
	assert_false(ice & MEASURE_NX_LARGE_PAGES);
	assert_true(ice & MEASURE_BHB_CLEAR && ice & MEASURE_RSB_ENTRY);
	assert_int_equal(granite,
			 MEASURE_IBPB | MEASURE_EIBRS | MEASURE_BHI_DIS_S | MEASURE_TSX_OFF);
}

/* Every single answer changes something, in the direction it says. */
static void each_fact_counts(void **state)
{
	struct part part = *part_of(0x50654);

	part.arch |= ARCH_CAP_RDCL_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_L1D_FLUSH);
	part.arch |= ARCH_CAP_PSCHANGE_MC_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_NX_LARGE_PAGES);
	part.arch |= ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO;
	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW); /* MMIO */
	assert_int_equal(decide(&part, MITIGATIONS_AUTO).weaknesses & WEAK_SIBLING_LEAK, 0);
	part.arch |= MMIO_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
	part.arch |= ARCH_CAP_GDS_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_GATHER_MITIGATED);
	part.arch = (part.arch & ~ARCH_CAP_RSBA) | ARCH_CAP_IBRS_ALL;
	assert_int_equal(decide(&part, MITIGATIONS_AUTO).measures,
			 MEASURE_IBPB | MEASURE_EIBRS | MEASURE_BHB_CLEAR | MEASURE_RSB_ENTRY);
	part.arch |= ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO;
	assert_int_equal(decide(&part, MITIGATIONS_AUTO).measures, MEASURE_IBPB | MEASURE_EIBRS);
}

/* TSX leaks where nothing else does, and microcode that cannot switch it off leaves VERW. */
static void tsx_leaks_by_itself(void **state)
{
	struct part part = *part_of(0x50657);

	part.arch |= MMIO_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW &&
		     decide(&part, MITIGATIONS_AUTO).weaknesses & WEAK_TAA);
	part.arch &= ~ARCH_CAP_TSX_CTRL;
	assert_true(decide(&part, MITIGATIONS_AUTO).weaknesses & WEAK_TAA);
	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
	part.arch |= ARCH_CAP_TAA_NO;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
}

/* It is microcode, not the model, that clears registers of these small cores. */
static void register_files_need_microcode(void **state)
{
	struct part part = *part_of(0x90672);
	struct policy policy;

	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
	part.arch &= ~ARCH_CAP_RFDS_CLEAR;
	policy = decide(&part, MITIGATIONS_AUTO);
	assert_true(policy.weaknesses & WEAK_RFDS);
	assert_false(policy.measures & MEASURE_VERW);
	assert_true(policy.needs_microcode & MEASURE_VERW);
	part.arch |= ARCH_CAP_RFDS_NO;
	policy = decide(&part, MITIGATIONS_AUTO);
	assert_false(policy.weaknesses & WEAK_RFDS);
	assert_int_equal(policy.needs_microcode, 0);
}

/* Buffers are shared by the threads of a core. Silvermont has one thread. */
static void mds_alone_leaks_between_threads(void **state)
{
	struct part part = *part_of(0x906ed);
	struct part silvermont = {.signature = 0x30678, .edx = MC_2019};

	assert_false(decide(&part, MITIGATIONS_AUTO).weaknesses & WEAK_SIBLING_LEAK);
	part.arch &= ~ARCH_CAP_MDS_NO;
	assert_true(decide(&part, MITIGATIONS_AUTO).weaknesses & WEAK_SIBLING_LEAK);
	assert_false(decide(&part, MITIGATIONS_AUTO).weaknesses & (WEAK_L1TF | WEAK_TAA));
	assert_true(decide(&silvermont, MITIGATIONS_AUTO).weaknesses & WEAK_MDS);
	assert_false(decide(&silvermont, MITIGATIONS_AUTO).weaknesses & WEAK_SIBLING_LEAK);
}

/* A hypervisor below may hide the MSR whose bit it has shown. */
static void without_the_msr_there_is_no_enhanced_ibrs(void **state)
{
	struct part part = *part_of(0x706e5);
	struct policy policy;

	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_RSB_ENTRY);
	part.edx &= ~(uint64_t)CPUID_7_EDX_SPEC_CTRL;
	policy = decide(&part, MITIGATIONS_AUTO);
	assert_true(policy.weaknesses & WEAK_PBRSB);
	assert_false(policy.measures & (MEASURE_EIBRS | MEASURE_RSB_ENTRY));
	assert_true(policy.measures & MEASURE_RETPOLINE);
	assert_int_equal(policy.spec_ctrl, 0);
}

static void without_a_weakness_nothing_is_done(void **state)
{
	struct cpu_facts facts = facts_of(part_of(0xa06f3));
	struct policy policy;

	policy_decide(0, &facts, MITIGATIONS_AUTO, true, &policy);
	assert_int_equal(policy.measures | policy.needs_microcode, 0);
}

/* The signatures of other vendors mean other parts. */
static void the_models_of_other_vendors_are_unknown(void **state)
{
	struct cpu_facts facts = facts_of(part_of(0x506e3));

	assert_true(policy_weaknesses(&facts) & WEAK_SRBDS);
	facts.is_intel = false;
	assert_false(policy_weaknesses(&facts) & WEAK_SRBDS);
}

static void old_microcode_is_named_and_not_relied_on(void **state)
{
	struct part part = {.signature = 0x506e3};
	struct policy policy = decide(&part, MITIGATIONS_AUTO);

	assert_int_equal(policy.measures, MEASURE_NX_LARGE_PAGES | MEASURE_RETPOLINE |
						  MEASURE_RSB_FILL | MEASURE_BHB_CLEAR);
	assert_int_equal(policy.needs_microcode, MEASURE_L1D_FLUSH | MEASURE_VERW | MEASURE_IBPB |
							 MEASURE_IBRS | MEASURE_RNG_MITIGATED |
							 MEASURE_GATHER_MITIGATED);
	part.edx = CPUID_7_EDX_MD_CLEAR; /* clears for MDS, not what device registers leave */
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
	part.edx |= CPUID_7_EDX_L1D_FLUSH;
	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_VERW);
}

/* A processor of after this file: its own word counts. */
static void an_unknown_model_is_believed(void **state)
{
	struct part part = {.signature = 0xf06f0, .edx = MC_ARCH, .edx_2 = BHI, .arch = GRANITE};

	assert_string_equal(model_name(part.signature), "unknown model");
	assert_int_equal(decide(&part, MITIGATIONS_AUTO).measures, measures_of(0xa06d1));
	part.arch = 0;
	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_NX_LARGE_PAGES);
	assert_true(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_L1D_FLUSH);
}

static void off_does_nothing_and_all_does_what_can_be_done(void **state)
{
	struct policy off = decide(part_of(0x50654), MITIGATIONS_OFF);
	struct policy all = decide(part_of(0xa06d1), MITIGATIONS_ALL);

	assert_int_equal(off.measures | off.needs_microcode, 0);
	assert_int_equal(off.spec_ctrl, 0);
	assert_int_equal(all.measures & MEASURE_IBRS, 0); /* enhanced IBRS is better */
	assert_int_equal(all.measures | MEASURE_IBRS | MEASURE_RNG_MITIGATED |
				 MEASURE_GATHER_MITIGATED,
			 BITS(N_MEASURES - 1, 0));
	assert_int_equal(all.spec_ctrl, SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S);
}

static void guests_are_told_what_is_true_for_them(void **state)
{
	struct policy cascade = decide(part_of(0x50657), MITIGATIONS_AUTO);
	struct policy off = decide(part_of(0x50657), MITIGATIONS_OFF);
	struct policy haswell = decide(part_of(0x306c3), MITIGATIONS_AUTO);

	assert_int_equal(off.guest_arch_capabilities,
			 CASCADE & ~(ARCH_CAP_TSX_CTRL | ARCH_CAP_GDS_CTRL));
	assert_int_equal(cascade.guest_arch_capabilities,
			 off.guest_arch_capabilities | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO);
	assert_int_equal(haswell.guest_arch_capabilities,
			 ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_SKIP_L1DFL_VMENTRY);
}

static void a_hypervisor_below_that_flushes_spares_the_flush(void **state)
{
	struct part part = *part_of(0x306c3);

	part.arch = ARCH_CAP_SKIP_L1DFL_VMENTRY;
	assert_false(decide(&part, MITIGATIONS_AUTO).measures & MEASURE_L1D_FLUSH);
}

static void broken_preemption_timers_are_known(void **state)
{
	static const uint32_t broken[] = {0x206e6, 0x20652, 0x20655, 0x306a8, 0x106e5};
	static const uint32_t working[] = {0x206c2, 0x306a9, 0x306c3, 0x20651, 0x1306a8};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		assert_false(model_timer_works(broken[i]));
	for (size_t i = 0; i < ARRAY_SIZE(working); i++)
		assert_true(model_timer_works(working[i]));
	/* The processor's type and reserved bits do not count. */
	assert_false(model_timer_works(0x306a8 | 1 << 12));
}

static char lines[5][300];
static unsigned n_lines;

static void put(const char *line)
{
	assert_true(n_lines < ARRAY_SIZE(lines));
	snprintf(lines[n_lines++], sizeof(lines[0]), "%s", line);
}

static void the_lines_say_what_is_on_and_what_is_missing(void **state)
{
	struct part part = {.signature = 0x506e3};
	struct policy policy = decide(&part, MITIGATIONS_AUTO);

	n_lines = 0;
	policy_describe(&policy, put);
	assert_int_equal(n_lines, 3);
	assert_string_equal(lines[0],
			    "mitigations auto: nx-large-pages bhb-clear retpoline rsb-fill");
	assert_string_equal(
		lines[1],
		"mitigations: newer microcode than 0x10 is needed for l1d-flush verw ibpb "
		"ibrs rng-microcode gather-microcode: update the firmware");
	assert_non_null(strstr(lines[2], "'host -smt off'"));
	policy = decide(part_of(0xa06d1), MITIGATIONS_OFF);
	n_lines = 0;
	policy_describe(&policy, put);
	assert_int_equal(n_lines, 1);
	assert_string_equal(lines[0], "mitigations off: none");
	policy = decide(part_of(0xa06d1), MITIGATIONS_AUTO); /* its threads leak nothing */
	n_lines = 0;
	policy_describe(&policy, put);
	assert_int_equal(n_lines, 1);
	/* The longest line has room. */
	policy = (struct policy){.measures = BITS(N_MEASURES - 1, 0)};
	n_lines = 0;
	policy_describe(&policy, put);
	assert_non_null(strstr(lines[0], " tsx-off"));
}

static void names_without_room_are_cut(void **state)
{
	char all[300], some[20];

	policy_names(BITS(N_MEASURES - 1, 0), all, sizeof(all));
	policy_names(BITS(N_MEASURES - 1, 0), some, sizeof(some));
	assert_int_equal(strlen(some), sizeof(some) - 1);
	assert_memory_equal(some, all, sizeof(some) - 1);
}

static const struct msr_setting *find_msr(const struct msr_setting *list, unsigned n, uint32_t msr)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].msr == msr)
			return &list[i];
	return NULL;
}

static void a_processor_starts_in_a_known_state(void **state)
{
	struct policy policy = decide(part_of(0x806f8), MITIGATIONS_AUTO);
	struct msr_setting list[KNOWN_STATE_MAX];
	struct cpu_facts facts = {0};
	unsigned n;

	policy.measures |= MEASURE_RNG_MITIGATED | MEASURE_GATHER_MITIGATED;
	assert_int_equal(known_state_list(&facts, &(struct policy){0}, list), 0);
	memset(facts.word, 0xff, sizeof(facts.word));
	facts.perf_version = 5;
	n = known_state_list(&facts, &policy, list);
	static const uint32_t zero[] = {IA32_XSS,	  IA32_XFD,	 IA32_DEBUGCTL,
					IA32_PEBS_ENABLE, IA32_RTIT_CTL, IA32_LBR_CTL,
					IA32_S_CET,	  IA32_PKRS,	 IA32_PERF_GLOBAL_CTRL};

	for (size_t i = 0; i < ARRAY_SIZE(zero); i++) {
		assert_non_null(find_msr(list, n, zero[i]));
		assert_int_equal(find_msr(list, n, zero[i])->clear, UINT64_MAX);
		assert_int_equal(find_msr(list, n, zero[i])->set, 0);
	}
	assert_int_equal(find_msr(list, n, IA32_TEST_CTRL)->clear, BIT(28) | BIT(29));
	assert_int_equal(find_msr(list, n, IA32_SPEC_CTRL)->set,
			 SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S);
	assert_int_equal(find_msr(list, n, IA32_TSX_CTRL)->set, 3);
	assert_int_equal(find_msr(list, n, IA32_MCU_OPT_CTRL)->clear, BIT(0) | BIT(4));
	/* Without measures nothing of them is changed. */
	n = known_state_list(&facts, &(struct policy){0}, list);
	assert_null(find_msr(list, n, IA32_TSX_CTRL));
	assert_null(find_msr(list, n, IA32_MCU_OPT_CTRL));
	assert_int_equal(find_msr(list, n, IA32_SPEC_CTRL)->set, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_has_the_table_of_all_models),
		cmocka_unit_test(models_get_what_they_need),
		cmocka_unit_test(each_fact_counts),
		cmocka_unit_test(tsx_leaks_by_itself),
		cmocka_unit_test(register_files_need_microcode),
		cmocka_unit_test(mds_alone_leaks_between_threads),
		cmocka_unit_test(without_the_msr_there_is_no_enhanced_ibrs),
		cmocka_unit_test(without_a_weakness_nothing_is_done),
		cmocka_unit_test(the_models_of_other_vendors_are_unknown),
		cmocka_unit_test(old_microcode_is_named_and_not_relied_on),
		cmocka_unit_test(an_unknown_model_is_believed),
		cmocka_unit_test(off_does_nothing_and_all_does_what_can_be_done),
		cmocka_unit_test(guests_are_told_what_is_true_for_them),
		cmocka_unit_test(a_hypervisor_below_that_flushes_spares_the_flush),
		cmocka_unit_test(broken_preemption_timers_are_known),
		cmocka_unit_test(the_lines_say_what_is_on_and_what_is_missing),
		cmocka_unit_test(names_without_room_are_cut),
		cmocka_unit_test(a_processor_starts_in_a_known_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
