/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compare what a guest was told about its processor with what this machine has. Only what a guest
 * may use counts: features, state components and their offsets, address widths. Caches, names and
 * frequencies may differ.
 */
#include "hv/vcpu/cpuid_fit.h"

#include "hv/host/speculation.h"
#include "hv/lib/print.h"

struct feature {
	uint32_t leaf;
	uint8_t subleaf, reg, bit;
	const char *name;
};

static const struct feature features[] = {
	{1, 0, CPUID_ECX, 0, "pni"},
	{1, 0, CPUID_ECX, 1, "pclmulqdq"},
	{1, 0, CPUID_ECX, 9, "ssse3"},
	{1, 0, CPUID_ECX, 12, "fma"},
	{1, 0, CPUID_ECX, 13, "cx16"},
	{1, 0, CPUID_ECX, 17, "pcid"},
	{1, 0, CPUID_ECX, 19, "sse4_1"},
	{1, 0, CPUID_ECX, 20, "sse4_2"},
	{1, 0, CPUID_ECX, 21, "x2apic"},
	{1, 0, CPUID_ECX, 22, "movbe"},
	{1, 0, CPUID_ECX, 23, "popcnt"},
	{1, 0, CPUID_ECX, 24, "tsc_deadline_timer"},
	{1, 0, CPUID_ECX, 25, "aes"},
	{1, 0, CPUID_ECX, 26, "xsave"},
	{1, 0, CPUID_ECX, 28, "avx"},
	{1, 0, CPUID_ECX, 29, "f16c"},
	{1, 0, CPUID_ECX, 30, "rdrand"},
	{1, 0, CPUID_ECX, 31, "hypervisor"},
	{1, 0, CPUID_EDX, 0, "fpu"},
	{1, 0, CPUID_EDX, 1, "vme"},
	{1, 0, CPUID_EDX, 2, "de"},
	{1, 0, CPUID_EDX, 3, "pse"},
	{1, 0, CPUID_EDX, 4, "tsc"},
	{1, 0, CPUID_EDX, 5, "msr"},
	{1, 0, CPUID_EDX, 6, "pae"},
	{1, 0, CPUID_EDX, 7, "mce"},
	{1, 0, CPUID_EDX, 8, "cx8"},
	{1, 0, CPUID_EDX, 9, "apic"},
	{1, 0, CPUID_EDX, 11, "sep"},
	{1, 0, CPUID_EDX, 12, "mtrr"},
	{1, 0, CPUID_EDX, 13, "pge"},
	{1, 0, CPUID_EDX, 14, "mca"},
	{1, 0, CPUID_EDX, 15, "cmov"},
	{1, 0, CPUID_EDX, 16, "pat"},
	{1, 0, CPUID_EDX, 17, "pse36"},
	{1, 0, CPUID_EDX, 19, "clflush"},
	{1, 0, CPUID_EDX, 23, "mmx"},
	{1, 0, CPUID_EDX, 24, "fxsr"},
	{1, 0, CPUID_EDX, 25, "sse"},
	{1, 0, CPUID_EDX, 26, "sse2"},
	{6, 0, CPUID_EAX, 2, "arat"},
	{7, 0, CPUID_EBX, 0, "fsgsbase"},
	{7, 0, CPUID_EBX, 1, "tsc_adjust"},
	{7, 0, CPUID_EBX, 3, "bmi1"},
	{7, 0, CPUID_EBX, 5, "avx2"},
	{7, 0, CPUID_EBX, 7, "smep"},
	{7, 0, CPUID_EBX, 8, "bmi2"},
	{7, 0, CPUID_EBX, 9, "erms"},
	{7, 0, CPUID_EBX, 10, "invpcid"},
	{7, 0, CPUID_EBX, 16, "avx512f"},
	{7, 0, CPUID_EBX, 17, "avx512dq"},
	{7, 0, CPUID_EBX, 18, "rdseed"},
	{7, 0, CPUID_EBX, 19, "adx"},
	{7, 0, CPUID_EBX, 20, "smap"},
	{7, 0, CPUID_EBX, 21, "avx512ifma"},
	{7, 0, CPUID_EBX, 23, "clflushopt"},
	{7, 0, CPUID_EBX, 24, "clwb"},
	{7, 0, CPUID_EBX, 28, "avx512cd"},
	{7, 0, CPUID_EBX, 29, "sha_ni"},
	{7, 0, CPUID_EBX, 30, "avx512bw"},
	{7, 0, CPUID_EBX, 31, "avx512vl"},
	{7, 0, CPUID_ECX, 1, "avx512vbmi"},
	{7, 0, CPUID_ECX, 2, "umip"},
	{7, 0, CPUID_ECX, 8, "gfni"},
	{7, 0, CPUID_ECX, 9, "vaes"},
	{7, 0, CPUID_ECX, 10, "vpclmulqdq"},
	{7, 0, CPUID_ECX, 11, "avx512_vnni"},
	{7, 0, CPUID_ECX, 12, "avx512_bitalg"},
	{7, 0, CPUID_ECX, 14, "avx512_vpopcntdq"},
	{7, 0, CPUID_ECX, 22, "rdpid"},
	{7, 0, CPUID_EDX, 4, "fsrm"},
	{7, 0, CPUID_EDX, 10, "md_clear"},
	{7, 0, CPUID_EDX, 14, "serialize"},
	{7, 0, CPUID_EDX, 26, "ibrs"},
	{7, 0, CPUID_EDX, 27, "stibp"},
	{7, 0, CPUID_EDX, 28, "flush_l1d"},
	{7, 0, CPUID_EDX, 29, "arch_capabilities"},
	{7, 0, CPUID_EDX, 31, "ssbd"},
	{7, 1, CPUID_EAX, 4, "avx_vnni"},
	{7, 1, CPUID_EAX, 5, "avx512_bf16"},
	{7, 1, CPUID_EAX, 10, "fzrm"},
	{7, 1, CPUID_EAX, 11, "fsrs"},
	{7, 1, CPUID_EAX, 12, "fsrc"},
	{7, 1, CPUID_EAX, 23, "avx_ifma"},
	{7, 1, CPUID_EDX, 4, "avx_vnni_int8"},
	{7, 1, CPUID_EDX, 5, "avx_ne_convert"},
	{7, 1, CPUID_EDX, 10, "avx_vnni_int16"},
	{7, 1, CPUID_EDX, 14, "prefetchi"},
	{7, 2, CPUID_EDX, 0, "psfd"},
	{7, 2, CPUID_EDX, 1, "ipred_ctrl"},
	{7, 2, CPUID_EDX, 2, "rrsba_ctrl"},
	{7, 2, CPUID_EDX, 3, "ddpd_u"},
	{7, 2, CPUID_EDX, 4, "bhi_ctrl"},
	{7, 2, CPUID_EDX, 5, "mcdt_no"},
	{0xd, 1, CPUID_EAX, 0, "xsaveopt"},
	{0xd, 1, CPUID_EAX, 1, "xsavec"},
	{0xd, 1, CPUID_EAX, 2, "xgetbv1"},
	{CPUID_KVM + 1, 0, CPUID_EAX, 3, "kvmclock"},
	{CPUID_KVM + 1, 0, CPUID_EAX, 5, "kvm-steal-time"},
	{CPUID_KVM + 1, 0, CPUID_EAX, 6, "kvm-pv-eoi"},
	{CPUID_KVM + 1, 0, CPUID_EAX, 24, "kvmclock-stable-bit"},
	{0x80000001, 0, CPUID_ECX, 0, "lahf_lm"},
	{0x80000001, 0, CPUID_ECX, 5, "abm"},
	{0x80000001, 0, CPUID_ECX, 8, "3dnowprefetch"},
	{0x80000001, 0, CPUID_EDX, 11, "syscall"},
	{0x80000001, 0, CPUID_EDX, 20, "nx"},
	{0x80000001, 0, CPUID_EDX, 26, "pdpe1gb"},
	{0x80000001, 0, CPUID_EDX, 27, "rdtscp"},
	{0x80000001, 0, CPUID_EDX, 29, "lm"},
	{0x80000007, 0, CPUID_EDX, 8, "nonstop_tsc"},
};

/* The words that consist only of features. */
static const struct {
	uint32_t leaf;
	uint8_t subleaf, reg;
} words[] = {
	{1, 0, CPUID_ECX},	    {1, 0, CPUID_EDX},
	{6, 0, CPUID_EAX},	    {7, 0, CPUID_EBX},
	{7, 0, CPUID_ECX},	    {7, 0, CPUID_EDX},
	{7, 1, CPUID_EAX},	    {7, 1, CPUID_EDX},
	{7, 2, CPUID_EDX},	    {0xd, 1, CPUID_EAX},
	{0x80000001, 0, CPUID_ECX}, {0x80000001, 0, CPUID_EDX},
	{0x80000007, 0, CPUID_EDX}, {CPUID_KVM + 1, 0, CPUID_EAX},
};

const char *cpuid_feature_name(uint32_t leaf, uint32_t subleaf, enum cpuid_register reg,
			       unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *feature = &features[i];

		if (feature->leaf == leaf && feature->subleaf == subleaf && feature->reg == reg &&
		    feature->bit == bit)
			return feature->name;
	}
	return NULL;
}

static struct cpuid_regs find_sub(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf)
{
	for (size_t i = 0; i < model->n_sub; i++)
		if (model->sub[i].leaf == leaf && model->sub[i].subleaf == subleaf)
			return model->sub[i].regs;
	return (struct cpuid_regs){0};
}

static uint32_t word_of(const struct cpuid_model *model, size_t i)
{
	uint32_t leaf = words[i].leaf;
	struct cpuid_regs regs;

	if (words[i].subleaf != 0)
		regs = find_sub(model, leaf, words[i].subleaf);
	else if (leaf == CPUID_KVM + 1)
		regs = model->kvm[1];
	else
		regs = leaf < ARRAY_SIZE(model->basic) ? model->basic[leaf]
						       : model->extended[leaf - 0x80000000];
	switch (words[i].reg) {
	case CPUID_EAX:
		return regs.eax;
	case CPUID_EBX:
		return regs.ebx;
	case CPUID_ECX:
		return regs.ecx;
	default:
		return regs.edx;
	}
}

static enum status lacks(const char *name, char *why, size_t why_size)
{
	format(why, why_size, "needs a processor with '%s', which this one has not", name);
	return ERR_UNSUPPORTED;
}

static enum status fit_word(size_t i, uint32_t missing, char *why, size_t why_size)
{
	unsigned bit;
	const char *name;

	if (missing == 0)
		return OK;
	bit = (unsigned)__builtin_ctz(missing);
	name = cpuid_feature_name(words[i].leaf, words[i].subleaf,
				  (enum cpuid_register)words[i].reg, bit);
	if (name)
		return lacks(name, why, why_size);
	format(why, why_size, "needs a processor with a feature not known here: leaf 0x%x, bit %u",
	       (unsigned)words[i].leaf, bit);
	return ERR_UNSUPPORTED;
}

/* The offset of each component, and with it the total size, must be the same. */
static enum status fit_components(const struct cpuid_model *wanted, const struct cpuid_model *host,
				  char *why, size_t why_size)
{
	uint32_t size = 512 + 64;

	for (uint32_t i = 2; i < 63; i++) {
		struct cpuid_regs a = find_sub(wanted, 0xd, i), b = find_sub(host, 0xd, i);

		if (!(wanted->xcr0_allowed & BIT(i)))
			continue;
		if (a.eax != b.eax || a.ebx != b.ebx) {
			format(why, why_size,
			       "needs a processor that saves state component %u as there: %u "
			       "bytes at %u",
			       (unsigned)i, (unsigned)a.eax, (unsigned)a.ebx);
			return ERR_UNSUPPORTED;
		}
		if (b.eax + b.ebx > size)
			size = b.eax + b.ebx;
	}
	if (wanted->basic[0xd].ecx == size)
		return OK;
	format(why, why_size, "has a processor whose state has %u bytes instead of %u",
	       (unsigned)wanted->basic[0xd].ecx, (unsigned)size);
	return ERR_CORRUPT;
}

static enum status fit_addresses(const struct cpuid_model *wanted, const struct cpuid_model *host,
				 char *why, size_t why_size)
{
	unsigned bits = wanted->extended[8].eax & 0xff, here = host->extended[8].eax & 0xff;

	if (bits < 32 || bits > 52) {
		format(why, why_size, "has a processor with physical addresses of %u bits", bits);
		return ERR_CORRUPT;
	}
	if (bits <= here)
		return OK;
	format(why, why_size,
	       "needs a processor with physical addresses of %u bits, this one has %u", bits, here);
	return ERR_UNSUPPORTED;
}

/* A guest that was told to need no defence must not come to need one. */
static enum status fit_arch_capabilities(const struct cpuid_model *wanted,
					 const struct cpuid_model *host, char *why, size_t why_size)
{
	uint64_t there = wanted->arch_capabilities, here = host->arch_capabilities;

	if (((there & ~here & ~ARCH_CAPABILITIES_WEAK) |
	     (here & ~there & ARCH_CAPABILITIES_WEAK)) == 0)
		return OK;
	if (!cpuid_has_7_edx(wanted, CPUID_7_EDX_ARCH_CAPABILITIES))
		return OK;
	format(why, why_size,
	       "needs a processor with IA32_ARCH_CAPABILITIES 0x%lx, this one has 0x%lx", there,
	       here);
	return ERR_UNSUPPORTED;
}

enum status cpuid_model_fit(struct cpuid_model *wanted, const struct cpuid_model *host, char *why,
			    size_t why_size)
{
	uint64_t components = wanted->basic[0xd].eax;

	if (wanted->n_sub > ARRAY_SIZE(wanted->sub)) {
		format(why, why_size, "has a processor with too many leaves");
		return ERR_CORRUPT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		TRY(fit_word(i, word_of(wanted, i) & ~word_of(host, i), why, why_size));
	if (!cpuid_xcr0_valid(host, components)) {
		format(why, why_size,
		       "needs a processor with state components 0x%lx, this one has 0x%lx",
		       components, host->xcr0_allowed);
		return ERR_UNSUPPORTED;
	}
	TRY(fit_arch_capabilities(wanted, host, why, why_size));
	cpuid_model_derive(wanted);
	wanted->xcr0_allowed = components;
	TRY(fit_components(wanted, host, why, why_size));
	return fit_addresses(wanted, host, why, why_size);
}
