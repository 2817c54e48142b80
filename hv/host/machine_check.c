/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine checks. All end the machine: Stencil does not take a broken page or processor out of use.
 * Each processor that is hit keeps what its own banks hold in memory, and the first of them prints
 * all that has come together. The banks are not cleared then: after a reset that keeps them, the
 * next start reports them again.
 *
 * Corrected errors are polled. Their interrupt (CMCI) is not used: not all processors have it, its
 * banks then belong to one processor of those that share them, a storm of it needs a limit, and a
 * second makes no difference to a line in a log. SDM vol. 3, "Machine-Check Architecture".
 */
#include "hv/host/machine_check.h"

#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/log.h"
#include "hv/host/mce_poll.h"
#include "hv/host/mce_text.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"

#define CPUID_1_EDX_MCE BIT(7)
#define CPUID_1_EDX_MCA BIT(14)

#define MCG_CAP_COUNT BITS(7, 0)

#define MCG_EXT_CTL_LMCE BIT(0)

enum { BANK_STEP = 4, MCE_KEPT_MAX = 64, RATE_SECONDS = 60 };

/* Several processors add to it at the same time. */
static struct mce_bank kept[MCE_KEPT_MAX];
static unsigned n_kept; /* atomic; may be more than fit */

/* One processor polls at a time: some share banks. */
static bool is_polling; /* atomic */
static struct mce_rate rate;
static uint64_t left_banks; /* the firmware's; constant after machine_check_leave_banks() */

static bool has_banks(void)
{
	struct cpuid_regs features;

	cpuid(1, 0, &features);
	return (features.edx & (CPUID_1_EDX_MCE | CPUID_1_EDX_MCA)) ==
	       (CPUID_1_EDX_MCE | CPUID_1_EDX_MCA);
}

static unsigned n_banks(void)
{
	uint64_t cap;

	return has_banks() && rdmsr_safe(IA32_MCG_CAP, &cap) ? cap & MCG_CAP_COUNT : 0;
}

/* False if the bank holds no error. */
static bool read_bank(unsigned bank, struct mce_bank *ret)
{
	uint32_t msr = IA32_MC0_CTL + bank * BANK_STEP;

	*ret = (struct mce_bank){.cpu = this_cpu()->index, .bank = bank};
	if (!rdmsr_safe(msr + 1, &ret->status) || !(ret->status & MCE_STATUS_VALID))
		return false;
	(void)rdmsr_safe(IA32_MCG_STATUS, &ret->mcg_status);
	if (ret->status & MCE_STATUS_ADDRESS_VALID)
		(void)rdmsr_safe(msr + 2, &ret->address);
	if (ret->status & MCE_STATUS_MISC_VALID)
		(void)rdmsr_safe(msr + 3, &ret->misc);
	return true;
}

void machine_check_leave_banks(uint64_t banks)
{
	left_banks = banks;
}

static bool is_left(unsigned bank)
{
	return bank < 64 && left_banks & BIT(bank);
}

static void report_and_clear(unsigned bank)
{
	uint32_t msr = IA32_MC0_CTL + bank * BANK_STEP;
	char text[MCE_TEXT_MAX];
	struct mce_bank found;

	if (read_bank(bank, &found)) {
		mce_describe(&found, text);
		log_warning("from before the start: %s", text);
	}
	(void)wrmsr_safe(msr, UINT64_MAX);
	(void)wrmsr_safe(msr + 1, 0);
}

/* Only where the firmware has opted in, an error that concerns one processor is not broadcast. */
static void use_local_checks(uint64_t cap)
{
	uint64_t control;

	if ((cap & MCG_CAP_LMCE) && rdmsr_safe(IA32_FEATURE_CONTROL, &control) &&
	    (control & FEATURE_CONTROL_LOCK) && (control & FEATURE_CONTROL_LMCE))
		(void)wrmsr_safe(IA32_MCG_EXT_CTL, MCG_EXT_CTL_LMCE);
}

void machine_check_init(void)
{
	unsigned n = n_banks();
	uint64_t cap;

	if (n > 0 && rdmsr_safe(IA32_MCG_CAP, &cap)) {
		if (cap & MCG_CAP_CTL)
			(void)wrmsr_safe(IA32_MCG_CTL, UINT64_MAX);
		use_local_checks(cap);
	}
	for (unsigned bank = 0; bank < n; bank++)
		if (!is_left(bank))
			report_and_clear(bank);
	(void)wrmsr_safe(IA32_MCG_STATUS, 0);
}

static void keep_bank(unsigned bank)
{
	struct mce_bank found;
	unsigned i;

	if (!read_bank(bank, &found))
		return;
	i = __atomic_fetch_add(&n_kept, 1, __ATOMIC_RELAXED);
	if (i < MCE_KEPT_MAX)
		kept[i] = found;
}

void machine_check_keep(void)
{
	unsigned n = n_banks();

	for (unsigned bank = 0; bank < n; bank++)
		keep_bank(bank);
	/* A second machine check while the first is in progress shuts the processor down. */
	(void)wrmsr_safe(IA32_MCG_STATUS, 0);
}

static void report_corrected(const struct mce_bank *bank)
{
	char text[MCE_TEXT_MAX];
	unsigned n_hidden;

	if (!mce_rate_allows(&rate, rdtsc(), tsc_hz * RATE_SECONDS, &n_hidden))
		return;
	if (n_hidden > 0)
		log_warning("%u more machine checks were not shown", n_hidden);
	mce_describe(bank, text);
	log_warning("%s", text);
}

static void poll_bank(unsigned bank, uint64_t cap)
{
	struct mce_bank found;

	if (is_left(bank) || !read_bank(bank, &found) || mce_judge(found.status, cap) != MCE_REPORT)
		return;
	found.count = mce_count(found.status, cap);
	(void)wrmsr_safe(IA32_MC0_STATUS + bank * BANK_STEP, 0);
	report_corrected(&found);
}

void machine_check_poll(void)
{
	unsigned n = n_banks();
	uint64_t cap;

	if (n == 0 || !rdmsr_safe(IA32_MCG_CAP, &cap))
		return;
	/* Acquire and release: what the last one has cleared is seen. */
	if (__atomic_exchange_n(&is_polling, true, __ATOMIC_ACQUIRE))
		return;
	for (unsigned bank = 0; bank < n; bank++)
		poll_bank(bank, cap);
	__atomic_store_n(&is_polling, false, __ATOMIC_RELEASE);
}

void machine_check_print(void)
{
	unsigned n = __atomic_load_n(&n_kept, __ATOMIC_RELAXED);
	char text[MCE_TEXT_MAX];

	for (unsigned i = 0; i < n && i < MCE_KEPT_MAX; i++) {
		mce_describe(&kept[i], text);
		console_print("%s", text);
	}
}
