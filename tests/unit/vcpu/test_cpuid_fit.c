/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each feature that a guest may be shown has a name, with which a processor without it is refused.
 */
#include "hv/vcpu/cpuid_fit.h"

#include <string.h>

#include "hv/host/msr.h"
#include "hv/host/speculation.h"
#include "tests/unit/support.h"

static struct cpuid_regs (*filter)(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs);

/* A processor with everything, except what the filter removes. */
static void source(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	static const struct cpuid_regs parts[] = {[2] = {256, 576, 0, 0},
						  [5] = {64, 1088, 0, 0},
						  [6] = {512, 1152, 0, 0},
						  [7] = {1024, 1664, 0, 0}};

	*ret = (struct cpuid_regs){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	if (leaf == 0)
		*ret = (struct cpuid_regs){0x20, 1, 2, 3};
	else if (leaf == 0x80000000)
		ret->eax = 0x80000008;
	else if (leaf == 0xd && subleaf >= 2)
		*ret = subleaf < ARRAY_SIZE(parts) ? parts[subleaf] : (struct cpuid_regs){0};
	else if (leaf == 0x80000008)
		ret->eax = 46;
	if (filter)
		*ret = filter(leaf, subleaf, *ret);
}

static struct cpuid_model make(struct cpuid_regs (*with)(uint32_t, uint32_t, struct cpuid_regs))
{
	struct cpuid_model model;

	filter = with;
	cpuid_model_init(&model, source,
			 &(struct cpuid_options){.tsc_hz = 1000000000,
						 .has_rdtscp = true,
						 .has_invpcid = true,
						 .switches_speculation = true});
	return model;
}

static char why[300];

static enum status fit(struct cpuid_model wanted, const struct cpuid_model *host)
{
	why[0] = '\0';
	return cpuid_model_fit(&wanted, host, why, sizeof(why));
}

static uint32_t *word(struct cpuid_model *model, uint32_t leaf, uint32_t subleaf, unsigned reg)
{
	struct cpuid_regs *regs =
		leaf < 0x80000000 ? &model->basic[leaf] : &model->extended[leaf - 0x80000000];

	for (size_t i = 0; i < model->n_sub && subleaf; i++)
		if (model->sub[i].leaf == leaf && model->sub[i].subleaf == subleaf)
			regs = &model->sub[i].regs;
	return &regs->eax + reg;
}

static const struct {
	uint32_t leaf, subleaf;
	unsigned reg;
} words[] = {
	{1, 0, CPUID_ECX},	    {1, 0, CPUID_EDX},		{6, 0, CPUID_EAX},
	{7, 0, CPUID_EBX},	    {7, 0, CPUID_ECX},		{7, 0, CPUID_EDX},
	{7, 1, CPUID_EAX},	    {7, 1, CPUID_EDX},		{7, 2, CPUID_EDX},
	{0xd, 1, CPUID_EAX},	    {0x80000001, 0, CPUID_ECX}, {0x80000001, 0, CPUID_EDX},
	{0x80000007, 0, CPUID_EDX},
};

static void each_feature_that_is_missing_is_named(void **state)
{
	struct cpuid_model all = make(NULL);
	unsigned n = 0;

	assert_int_equal(fit(all, &all), OK);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		uint32_t shown = *word(&all, words[i].leaf, words[i].subleaf, words[i].reg);

		for (unsigned bit = 0; bit < 32; bit++) {
			struct cpuid_model host = all;
			const char *name =
				cpuid_feature_name(words[i].leaf, words[i].subleaf,
						   (enum cpuid_register)words[i].reg, bit);

			assert_int_equal(name != NULL, shown >> bit & 1);
			if (name == NULL)
				continue;
			*word(&host, words[i].leaf, words[i].subleaf, words[i].reg) ^= 1u << bit;
			assert_int_equal(fit(all, &host), ERR_UNSUPPORTED);
			assert_non_null(strstr(why, name));
			assert_int_equal(fit(host, &all), OK);
			n++;
		}
	}
	assert_in_range(n, 80, 110);
}

static void a_feature_nobody_knows_is_refused(void **state)
{
	struct cpuid_model all = make(NULL), wanted = all;

	wanted.basic[7].edx |= BIT(30);
	assert_int_equal(fit(wanted, &all), ERR_UNSUPPORTED);
	assert_string_equal(why,
			    "needs a processor with a feature not known here: leaf 0x7, bit 30");
}

static void a_guest_keeps_the_defences_that_it_needs(void **state)
{
	struct cpuid_model host = make(NULL), wanted = host;

	host.arch_capabilities = ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO;
	wanted.arch_capabilities = ARCH_CAP_RDCL_NO;
	assert_int_equal(fit(wanted, &host), OK);
	wanted.arch_capabilities = ARCH_CAP_RDCL_NO | ARCH_CAP_TAA_NO;
	assert_int_equal(fit(wanted, &host), ERR_UNSUPPORTED);
	assert_string_equal(why, "needs a processor with IA32_ARCH_CAPABILITIES 0x101, this one "
				 "has 0x21");
	wanted.arch_capabilities = ARCH_CAP_RDCL_NO;
	host.arch_capabilities |= ARCH_CAP_RRSBA; /* a new weakness */
	assert_int_equal(fit(wanted, &host), ERR_UNSUPPORTED);
	/* A guest that does not have the MSR has not read it. */
	wanted.basic[7].edx &= ~(uint32_t)CPUID_7_EDX_ARCH_CAPABILITIES;
	assert_int_equal(fit(wanted, &host), OK);
}

/* A guest only reads names and caches. */
static void other_words_may_differ(void **state)
{
	struct cpuid_model all = make(NULL), wanted = all;

	wanted.basic[0].ebx ^= 1;
	wanted.basic[1].eax ^= 1;
	wanted.basic[4].ebx ^= 1;
	wanted.basic[0x16].eax ^= 1;
	wanted.extended[2].eax ^= 1;
	assert_int_equal(fit(wanted, &all), OK);
}

static struct cpuid_regs without_avx512(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs)
{
	if (leaf == 7)
		regs.ebx &= ~(uint32_t)(BIT(16) | BIT(17) | BIT(21) | BIT(28) | BITS(31, 30));
	return regs;
}

static struct cpuid_regs moved(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs)
{
	if (leaf == 0xd && subleaf == 5)
		regs.ebx = 832;
	return regs;
}

static void state_components_are_there_and_in_place(void **state)
{
	struct cpuid_model all = make(NULL), few = make(without_avx512), host;

	assert_int_equal(fit(few, &all), OK);
	assert_int_equal(few.xcr0_allowed, 7);
	host = few;
	host.basic[7] = all.basic[7];
	assert_int_equal(fit(all, &host), ERR_UNSUPPORTED);
	assert_string_equal(why, "needs a processor with state components 0xe7, this one has 0x7");
	host = make(moved);
	assert_int_equal(fit(all, &host), ERR_UNSUPPORTED);
	assert_string_equal(why, "needs a processor that saves state component 5 as there: 64 "
				 "bytes at 1088");
	assert_int_equal(fit(few, &host), OK);
	few.basic[0xd].ecx++;
	assert_int_equal(fit(few, &all), ERR_CORRUPT);
	few.basic[0xd].eax = 0;
	assert_int_equal(fit(few, &all), ERR_UNSUPPORTED);
}

/* The state of AVX follows that of AVX-512. */
static struct cpuid_regs unordered(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs)
{
	if (leaf == 0xd && subleaf == 2)
		regs.ebx = 2688;
	return regs;
}

static void the_size_of_the_state_is_that_of_the_last_component(void **state)
{
	struct cpuid_model all = make(unordered), wanted = all;

	assert_int_equal(all.basic[0xd].ecx, 2688 + 256);
	assert_int_equal(fit(wanted, &all), OK);
	wanted.basic[0xd].ecx = 1664 + 1024;
	assert_int_equal(fit(wanted, &all), ERR_CORRUPT);
	assert_string_equal(why, "has a processor whose state has 2688 bytes instead of 2944");
}

static void addresses_are_no_wider(void **state)
{
	struct cpuid_model all = make(NULL), wanted = all;

	for (unsigned bits = 0; bits < 256; bits++) {
		enum status want = bits < 32 || bits > 52 ? ERR_CORRUPT
				   : bits > 46		  ? ERR_UNSUPPORTED
							  : OK;

		wanted.extended[8].eax = 48 << 8 | bits;
		assert_int_equal(fit(wanted, &all), want);
	}
}

static void what_follows_from_features_is_not_believed(void **state)
{
	struct cpuid_model all = make(NULL), wanted = make(without_avx512);
	struct cpuid_model good = wanted;

	wanted.cr4_allowed = wanted.efer_allowed = wanted.xcr0_allowed = UINT64_MAX;
	assert_int_equal(cpuid_model_fit(&wanted, &all, why, sizeof(why)), OK);
	assert_memory_equal(&wanted, &good, sizeof(good));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_feature_that_is_missing_is_named),
		cmocka_unit_test(a_feature_nobody_knows_is_refused),
		cmocka_unit_test(a_guest_keeps_the_defences_that_it_needs),
		cmocka_unit_test(other_words_may_differ),
		cmocka_unit_test(state_components_are_there_and_in_place),
		cmocka_unit_test(the_size_of_the_state_is_that_of_the_last_component),
		cmocka_unit_test(addresses_are_no_wider),
		cmocka_unit_test(what_follows_from_features_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
