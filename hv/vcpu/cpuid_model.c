/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's CPUID, built from a list of allowed features: a feature is shown if the processor has
 * it and Stencil keeps its state (or it has none). Deliberately hidden: VMX, SMX, MONITOR,
 * performance monitoring, machine check, thermal, TSX, SGX, PKU, PT, MPX, AMX, and what
 * docs/guest-interface.md lists with its reasons.
 *
 * Without interrupt remapping, Linux uses x2APIC only under a hypervisor that it knows. Therefore
 * KVM's signature is at the second hypervisor leaf base, with the features of KVM that exist here.
 *
 * The table does not know which processors there are, or which one asks: leaves 1, 4, 0xb and 0x1f
 * are completed from the VM's topology.
 */
#include "hv/vcpu/cpuid_model.h"

#include "hv/host/msr.h"
#include "hv/host/speculation.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/vcpu/kvm_msr.h"

/* Leaf 1, ECX: SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT TSC-deadline
 * AES XSAVE AVX F16C RDRAND. */
#define LEAF1_ECX \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) | \
	 BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
/* Emulated on any processor: x2APIC, TSC-deadline, and the hypervisor bit. */
#define LEAF1_ECX_MODELLED (BIT(21) | BIT(24) | BIT(31))
/* Leaf 1, EDX: FPU VME DE PSE TSC MSR PAE CX8 SEP MTRR PGE CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2.
 */
#define LEAF1_EDX      (BITS(6, 0) | BIT(8) | BITS(13, 11) | BITS(17, 15) | BIT(19) | BITS(26, 23))
#define LEAF1_EDX_APIC BIT(9)
#define LEAF1_EDX_HTT  BIT(28) /* several processors in a package */
/* MCE, APIC, MTRR, MCA: without MCA Linux takes the processor for a broken one. */
#define LEAF1_EDX_MODELLED (BIT(7) | BIT(9) | BIT(12) | BIT(14))
/* Leaf 7, EBX: FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA,
 * AVX-512 F DQ IFMA CD BW VL. */
#define LEAF7_EBX \
	(BIT(0) | BIT(3) | BIT(5) | BITS(10, 7) | BITS(21, 16) | BIT(23) | BIT(24) | BITS(31, 28))
#define LEAF7_EBX_INVPCID BIT(10)
/* Emulated on any processor. */
#define LEAF7_EBX_MODELLED CPUID_7_EBX_TSC_ADJUST
/* Leaf 7, ECX: AVX512_VBMI UMIP VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID. */
#define LEAF7_ECX (BIT(1) | BIT(2) | BITS(12, 8) | BIT(14) | BIT(22))
/* Leaf 7, EDX: FSRM MD_CLEAR SERIALIZE ARCH_CAPABILITIES, and what needs a switch of MSRs. */
#define LEAF7_EDX (BIT(4) | CPUID_7_EDX_MD_CLEAR | BIT(14) | CPUID_7_EDX_ARCH_CAPABILITIES)
#define LEAF7_EDX_SPECULATION \
	(CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP | CPUID_7_EDX_L1D_FLUSH | CPUID_7_EDX_SSBD)
/* Leaf 7, subleaf 1, EAX: AVX-VNNI AVX512_BF16 FZRM FSRS FSRC AVX-IFMA. */
#define LEAF7_1_EAX (BITS(5, 4) | BITS(12, 10) | BIT(23))
/* Leaf 7, subleaf 1, EDX: AVX-VNNI-INT8 AVX-NE-CONVERT AVX-VNNI-INT16 PREFETCHI. */
#define LEAF7_1_EDX (BITS(5, 4) | BIT(10) | BIT(14))
/* Leaf 7, subleaf 2: PSFD IPRED_CTRL RRSBA_CTRL DDPD_U BHI_CTRL, of IA32_SPEC_CTRL; MCDT_NO. */
#define LEAF7_2_EDX BITS(5, 0)
/* Leaf 0x80000001: LAHF LZCNT PREFETCHW; SYSCALL NX 1-GiB pages RDTSCP LM. */
#define EXT1_ECX	(BIT(0) | BIT(5) | BIT(8))
#define EXT1_EDX	(BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))
#define EXT1_EDX_RDTSCP BIT(27)
#define EXT7_EDX	BIT(8) /* invariant TSC */
#define LEAF6_EAX	BIT(2) /* ARAT: the APIC timer always runs */
/* Leaf 0x40000101, EAX. */
#define KVM_EAX \
	(KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_STEAL_TIME | KVM_FEATURE_PV_EOI | \
	 KVM_FEATURE_CLOCKSOURCE_STABLE_BIT)

/* State components: x87, SSE, AVX, and the three of AVX-512. */
#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 BITS(7, 5)

static struct cpuid_regs ask(cpuid_source *source, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs regs;

	source(leaf, subleaf, &regs);
	return regs;
}

static void add_sub(struct cpuid_model *model, uint32_t leaf, uint32_t subleaf,
		    struct cpuid_regs regs)
{
	assert(model->n_sub < ARRAY_SIZE(model->sub));
	model->sub[model->n_sub++] = (struct cpuid_subleaf){leaf, subleaf, regs};
}

static void init_leaf_7(struct cpuid_model *model, cpuid_source *source)
{
	struct cpuid_regs zero = ask(source, 7, 0), one;

	model->basic[7] = (struct cpuid_regs){
		.ebx = (uint32_t)((zero.ebx & LEAF7_EBX) | LEAF7_EBX_MODELLED),
		.ecx = (uint32_t)(zero.ecx & LEAF7_ECX),
		.edx = (uint32_t)(zero.edx & LEAF7_EDX),
	};
	if (zero.eax < 1)
		return;
	model->basic[7].eax = 1;
	one = ask(source, 7, 1);
	add_sub(model, 7, 1,
		(struct cpuid_regs){.eax = (uint32_t)(one.eax & LEAF7_1_EAX),
				    .edx = (uint32_t)(one.edx & LEAF7_1_EDX)});
}

static void init_features(struct cpuid_model *model, cpuid_source *source, uint32_t last)
{
	struct cpuid_regs one = ask(source, 1, 0);

	model->basic[1] = (struct cpuid_regs){
		.eax = one.eax,
		.ebx = one.ebx & 0xff00, /* CLFLUSH size */
		.ecx = (uint32_t)((one.ecx & LEAF1_ECX) | LEAF1_ECX_MODELLED),
		.edx = (uint32_t)((one.edx & LEAF1_EDX) | LEAF1_EDX_MODELLED),
	};
	if (last >= 7)
		init_leaf_7(model, source);
}

/* What guests may know and control about speculation. Without IA32_SPEC_CTRL, no IBRS at all. */
static void init_speculation(struct cpuid_model *model, cpuid_source *source,
			     const struct cpuid_options *options)
{
	struct cpuid_regs *seven = &model->basic[7];
	struct cpuid_regs host = ask(source, 7, 0), two;

	model->arch_capabilities = options->arch_capabilities;
	if (!options->switches_speculation || !(host.edx & CPUID_7_EDX_SPEC_CTRL)) {
		model->arch_capabilities &= ~ARCH_CAP_IBRS_ALL;
		return;
	}
	seven->edx |= (uint32_t)(host.edx & LEAF7_EDX_SPECULATION);
	if (host.eax < 2)
		return;
	seven->eax = 2;
	two = ask(source, 7, 2);
	add_sub(model, 7, 2, (struct cpuid_regs){.edx = (uint32_t)(two.edx & LEAF7_2_EDX)});
}

/* Leaf 4: the processor's caches. share_cache() adds who shares them. */
static void init_caches(struct cpuid_model *model, cpuid_source *source, uint32_t last)
{
	enum { TYPE = 0x1f, MAX_CACHES = 8 };

	if (last < 4)
		return;
	for (uint32_t i = 0; i < MAX_CACHES; i++) {
		struct cpuid_regs cache = ask(source, 4, i);

		if ((cache.eax & TYPE) == 0)
			break;
		cache.eax &= 0x3fff; /* clears the numbers of sharing threads and of cores */
		if (i == 0)
			model->basic[4] = cache;
		else
			add_sub(model, 4, i, cache);
	}
}

/* Leaf 0xd: allowed state components, XSAVEOPT, XSAVEC and XGETBV(1); no XSAVES. */
static void init_xsave(struct cpuid_model *model, cpuid_source *source, uint32_t last)
{
	struct cpuid_regs d;
	uint32_t size = 512 + 64; /* legacy region and header */

	if (!(model->basic[1].ecx & BIT(26)) || last < 0xd)
		return;
	d = ask(source, 0xd, 0);
	model->xcr0_allowed = d.eax & (XCR0_X87 | XCR0_SSE);
	if (model->basic[1].ecx & BIT(28))
		model->xcr0_allowed |= d.eax & XCR0_AVX;
	if (model->basic[7].ebx & BIT(16))
		model->xcr0_allowed |= d.eax & XCR0_AVX512;
	add_sub(model, 0xd, 1, (struct cpuid_regs){.eax = ask(source, 0xd, 1).eax & 7});
	for (uint32_t i = 2; i < 63; i++) {
		struct cpuid_regs part;

		if (!(model->xcr0_allowed & BIT(i)))
			continue;
		part = ask(source, 0xd, i);
		add_sub(model, 0xd, i, (struct cpuid_regs){.eax = part.eax, .ebx = part.ebx});
		if (part.ebx + part.eax > size)
			size = part.ebx + part.eax;
	}
	model->basic[0xd] =
		(struct cpuid_regs){.eax = (uint32_t)model->xcr0_allowed, .ebx = size, .ecx = size};
}

/* The TSC's frequency, in the two leaves that Linux believes. */
static void init_frequency(struct cpuid_model *model, uint64_t tsc_hz)
{
	uint32_t mhz = (uint32_t)((tsc_hz + 500000) / 1000000);

	/*
	 * A crystal as fast as the TSC, ratio 1: the APIC timer counts with it. A TSC beyond 4.29
	 * GHz does not fit the register; guests then use leaf 0x16.
	 */
	if (tsc_hz <= UINT32_MAX)
		model->basic[0x15] = (struct cpuid_regs){1, 1, (uint32_t)tsc_hz, 0};
	model->basic[0x16] = (struct cpuid_regs){mhz, mhz, 100, 0};
}

static void signature(struct cpuid_regs *ret, uint32_t last, const char name[12])
{
	ret->eax = last;
	memcpy(&ret->ebx, name, 4);
	memcpy(&ret->ecx, name + 4, 4);
	memcpy(&ret->edx, name + 8, 4);
}

unsigned cpuid_phys_bits(cpuid_source *source)
{
	if (ask(source, 0x80000000, 0).eax < 0x80000008)
		return 36;
	return ask(source, 0x80000008, 0).eax & 0xff;
}

static void init_extended(struct cpuid_model *model, cpuid_source *source)
{
	uint32_t last = ask(source, 0x80000000, 0).eax;
	struct cpuid_regs one = ask(source, 0x80000001, 0);

	model->extended[0].eax = CPUID_EXTENDED_LAST;
	model->extended[1].ecx = (uint32_t)(one.ecx & EXT1_ECX);
	model->extended[1].edx = (uint32_t)(one.edx & EXT1_EDX);
	for (uint32_t i = 2; i <= 6; i++)
		if (last >= 0x80000000 + i)
			model->extended[i] = ask(source, 0x80000000 + i, 0);
	model->extended[7].edx = EXT7_EDX;
	/* Linear addresses are at most as wide as 4 levels reach. */
	model->extended[8].eax = cpuid_phys_bits(source) | 48 << 8;
}

/* Zeros if the subleaf does not exist. */
static void find_sub(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf,
		     struct cpuid_regs *ret)
{
	*ret = (struct cpuid_regs){0};
	for (size_t i = 0; i < model->n_sub; i++)
		if (model->sub[i].leaf == leaf && model->sub[i].subleaf == subleaf)
			*ret = model->sub[i].regs;
}

/* The bits of IA32_SPEC_CTRL that the features announce. SDM vol. 4, "IA32_SPEC_CTRL". */
static uint16_t spec_ctrl_bits(const struct cpuid_model *model)
{
	static const uint16_t of_leaf_7_2[] = {BIT(7), BITS(4, 3), BITS(6, 5), BIT(8), BIT(10)};
	struct cpuid_regs two;
	uint64_t bits = SPEC_CTRL_IBRS;

	if (!cpuid_has_7_edx(model, CPUID_7_EDX_SPEC_CTRL))
		return 0;
	if (cpuid_has_7_edx(model, CPUID_7_EDX_STIBP))
		bits |= SPEC_CTRL_STIBP;
	if (cpuid_has_7_edx(model, CPUID_7_EDX_SSBD))
		bits |= SPEC_CTRL_SSBD;
	find_sub(model, 7, 2, &two);
	for (unsigned i = 0; i < ARRAY_SIZE(of_leaf_7_2); i++)
		if (two.edx >> i & 1)
			bits |= of_leaf_7_2[i];
	return (uint16_t)bits;
}

void cpuid_model_derive(struct cpuid_model *model)
{
	static const struct {
		uint64_t cr4;
		bool leaf7_ebx, leaf7_ecx;
		uint64_t feature;
	} optional[] = {
		{CR4_PCIDE, false, false, CPUID_1_ECX_PCID},
		{CR4_OSXSAVE, false, false, BIT(26)},
		{CR4_FSGSBASE, true, false, BIT(0)},
		{CR4_SMEP, true, false, BIT(7)},
		{CR4_SMAP, true, false, BIT(20)},
		{CR4_UMIP, false, true, BIT(2)},
	};

	model->cr4_allowed = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |
			     CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
		uint32_t word = optional[i].leaf7_ebx	? model->basic[7].ebx
				: optional[i].leaf7_ecx ? model->basic[7].ecx
							: model->basic[1].ecx;

		if (word & optional[i].feature)
			model->cr4_allowed |= optional[i].cr4;
	}
	model->spec_ctrl_allowed = spec_ctrl_bits(model);
	model->efer_allowed = EFER_LME | EFER_LMA;
	if (model->extended[1].edx & BIT(11))
		model->efer_allowed |= EFER_SCE;
	if (model->extended[1].edx & BIT(20))
		model->efer_allowed |= EFER_NXE;
}

void cpuid_model_init(struct cpuid_model *model, cpuid_source *source,
		      const struct cpuid_options *options)
{
	uint32_t last = ask(source, 0, 0).eax;

	memset(model, 0, sizeof(*model));
	model->basic[0] = ask(source, 0, 0);
	model->basic[0].eax = CPUID_BASIC_LAST;
	if (last >= 2)
		model->basic[2] = ask(source, 2, 0);
	init_features(model, source, last);
	if (last >= 7)
		init_speculation(model, source, options);
	init_caches(model, source, last);
	model->basic[6].eax = LEAF6_EAX;
	init_xsave(model, source, last);
	init_frequency(model, options->tsc_hz);
	signature(&model->hypervisor[0], CPUID_HYPERVISOR_TIMING, "StencilStenc");
	signature(&model->kvm[0], CPUID_KVM + 1, "KVMKVMKVM\0\0");
	model->kvm[1].eax = (uint32_t)KVM_EAX;
	init_extended(model, source);
	if (!options->has_rdtscp)
		model->extended[1].edx &= (uint32_t)~EXT1_EDX_RDTSCP;
	if (!options->has_invpcid)
		model->basic[7].ebx &= (uint32_t)~LEAF7_EBX_INVPCID;
	cpuid_model_derive(model);
}

void cpuid_model_hide_kvm(struct cpuid_model *model, uint32_t features)
{
	model->kvm[1].eax &= ~features;
	if (features == UINT32_MAX)
		memset(model->kvm, 0, sizeof(model->kvm));
}

/* Bytes that XSAVE needs for the enabled components. */
static uint32_t xsave_size(const struct cpuid_model *model, uint64_t xcr0)
{
	uint32_t size = 512 + 64;

	for (size_t i = 0; i < model->n_sub; i++) {
		const struct cpuid_subleaf *sub = &model->sub[i];

		if (sub->leaf == 0xd && sub->subleaf >= 2 && (xcr0 & BIT(sub->subleaf)) &&
		    sub->regs.eax + sub->regs.ebx > size)
			size = sub->regs.eax + sub->regs.ebx;
	}
	return size;
}

/* How the two leaves number the levels. SDM vol. 2, "CPUID", leaf 1FH. */
enum { LEAF_TYPE_THREAD = 1, LEAF_TYPE_CORE = 2, LEAF_TYPE_MODULE = 3, LEAF_TYPE_DIE = 5 };

struct leaf_level {
	unsigned type;
	enum topology_level above; /* what contains a unit of the level */
};

/* The levels of leaf 0xb, or of leaf 0x1f, which knows more of them. Returns their number. */
static unsigned list_levels(uint32_t leaf, const struct cpu_topology *topology,
			    struct leaf_level levels[4])
{
	bool has_modules = leaf == 0x1f && topology->count[TOPOLOGY_MODULE] > 1;
	bool has_dies = leaf == 0x1f && topology->count[TOPOLOGY_DIE] > 1;
	unsigned n = 0;

	levels[n++] = (struct leaf_level){LEAF_TYPE_THREAD, TOPOLOGY_CORE};
	levels[n++] = (struct leaf_level){LEAF_TYPE_CORE, TOPOLOGY_MODULE};
	if (has_modules)
		levels[n++] = (struct leaf_level){LEAF_TYPE_MODULE, TOPOLOGY_DIE};
	if (has_dies)
		levels[n++] = (struct leaf_level){LEAF_TYPE_DIE, TOPOLOGY_SOCKET};
	/* the last level contains what the leaf cannot tell */
	levels[n - 1].above = TOPOLOGY_SOCKET;
	return n;
}

static void topology_leaf(uint32_t leaf, uint32_t subleaf, const struct cpuid_state *state,
			  struct cpuid_regs *ret)
{
	struct leaf_level levels[4];
	unsigned n = list_levels(leaf, state->topology, levels);

	*ret = (struct cpuid_regs){.ecx = subleaf & 0xff, .edx = state->apic_id};
	if (subleaf >= n)
		return;
	ret->eax = topology_shift(state->topology, levels[subleaf].above);
	ret->ebx = topology_size(state->topology, levels[subleaf].above);
	ret->ecx |= levels[subleaf].type << 8;
}

/* Leaf 4: how many APIC IDs share the cache, and how many the cores of a package take. */
static void share_cache(const struct cpu_topology *topology, struct cpuid_regs *cache)
{
	enum { MAX_CORE_IDS = 64 };
	unsigned cache_level = cache->eax >> 5 & 7;
	unsigned package = topology_shift(topology, TOPOLOGY_SOCKET);
	unsigned core = topology_shift(topology, TOPOLOGY_CORE);
	unsigned die = topology_shift(topology, TOPOLOGY_DIE);
	uint32_t cores = 1u << (package - core);

	if (cache->eax == 0)
		return;
	cache->eax |= ((1u << (cache_level < 3 ? core : die)) - 1) << 14;
	cache->eax |= ((cores < MAX_CORE_IDS ? cores : MAX_CORE_IDS) - 1) << 26;
}

/* The parts that depend on the asking vCPU. */
static void apply_state(const struct cpuid_model *model, uint32_t leaf,
			const struct cpuid_state *state, struct cpuid_regs *ret)
{
	uint32_t in_package = topology_size(state->topology, TOPOLOGY_SOCKET);

	switch (leaf) {
	case 1:
		ret->ebx |= state->apic_id << 24 | in_package << 16;
		if (in_package > 1)
			ret->edx |= (uint32_t)LEAF1_EDX_HTT;
		if (!state->apic_enabled)
			ret->edx &= ~(uint32_t)LEAF1_EDX_APIC;
		if (state->cr4 & CR4_OSXSAVE)
			ret->ecx |= (uint32_t)CPUID_1_ECX_OSXSAVE;
		break;
	case 4:
		share_cache(state->topology, ret);
		break;
	case 0xd:
		if (model->xcr0_allowed)
			ret->ebx = xsave_size(model, state->xcr0);
		break;
	default:
		break;
	}
}

static bool has_subleaves(uint32_t leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xd;
}

/* kHz of the TSC, and of the APIC's timer: VMware's leaf, which QEMU and KVM have too. */
static struct cpuid_regs timing_leaf(const struct cpuid_model *model)
{
	uint32_t khz = model->basic[0x15].ecx / 1000;

	if (khz == 0)
		khz = model->basic[0x16].eax * 1000;
	return (struct cpuid_regs){.eax = khz, .ebx = khz};
}

static void lookup_rare(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf,
			const struct cpuid_state *state, struct cpuid_regs *ret)
{
	if (leaf - 0x80000000 < ARRAY_SIZE(model->extended)) {
		*ret = model->extended[leaf - 0x80000000];
		return;
	}
	if (leaf - CPUID_HYPERVISOR < ARRAY_SIZE(model->hypervisor)) {
		*ret = model->hypervisor[leaf - CPUID_HYPERVISOR];
		return;
	}
	/* A state saved by a version without the leaf does not announce it. */
	if (leaf == CPUID_HYPERVISOR_TIMING && leaf <= model->hypervisor[0].eax) {
		*ret = timing_leaf(model);
		return;
	}
	if (leaf - CPUID_KVM < ARRAY_SIZE(model->kvm) && model->kvm[0].eax != 0) {
		*ret = model->kvm[leaf - CPUID_KVM];
		return;
	}
	if (leaf > CPUID_BASIC_LAST)
		leaf = CPUID_BASIC_LAST;
	if (leaf == 0xb || leaf == 0x1f) {
		topology_leaf(leaf, subleaf, state, ret);
		return;
	}
	if (subleaf != 0 && has_subleaves(leaf)) {
		find_sub(model, leaf, subleaf, ret);
		if (leaf == 4)
			share_cache(state->topology, ret);
		return;
	}
	*ret = model->basic[leaf];
	apply_state(model, leaf, state, ret);
}

void cpuid_model_lookup(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf,
			const struct cpuid_state *state, struct cpuid_regs *ret)
{
	if (cpuid_is_constant(leaf))
		*ret = model->basic[leaf];
	else
		lookup_rare(model, leaf, subleaf, state, ret);
}

bool cpuid_xcr0_valid(const struct cpuid_model *model, uint64_t value)
{
	if (!(value & XCR0_X87) || (value & ~model->xcr0_allowed))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	return !(value & XCR0_AVX512) ||
	       ((value & XCR0_AVX512) == XCR0_AVX512 && (value & XCR0_AVX));
}
