/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of start-up that go wrong: the linker puts these functions (ld --wrap) before those of the
 * same name. The one that the configuration names, in a comment "hang in NAME" or "panic in NAME",
 * does not return. "wait a microsecond" in a comment makes the boot processor give up on the others
 * at once, "come late" lets them arrive after that, and "shift the TSC" gives them another time.
 */
#include "boot/boot_info.h"
#include "hv/host/arrival.h"
#include "hv/host/cpu.h"
#include "hv/host/facts.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/smp.h"
#include "hv/host/tsc_calibrate.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static const struct boot_info *boot;

static bool has_text(const char *text)
{
	size_t len = strlen(text);

	for (uint64_t i = 0; i + len <= boot->config_len; i++)
		if (memcmp(boot->config + i, text, len) == 0)
			return true;
	return false;
}

static void fail_in(const char *step)
{
	char text[64];

	format(text, sizeof(text), "hang in %s", step);
	while (has_text(text))
		pause();
	format(text, sizeof(text), "panic in %s", step);
	if (has_text(text))
		panic("%s", text);
}

_Noreturn void __real_hv_main(const struct boot_info *info);
_Noreturn void __wrap_hv_main(const struct boot_info *info)
{
	boot = info;
	__real_hv_main(info);
}

enum status __real_paging_init(const struct boot_info *info);
enum status __wrap_paging_init(const struct boot_info *info)
{
	fail_in("paging_init");
	return __real_paging_init(info);
}

void __real_acpi_init(phys_t rsdp);
void __wrap_acpi_init(phys_t rsdp)
{
	fail_in("acpi_init");
	__real_acpi_init(rsdp);
}

enum status __real_tsc_init(const char **ret_source);
enum status __wrap_tsc_init(const char **ret_source)
{
	fail_in("tsc_init");
	return __real_tsc_init(ret_source);
}

enum status __real_smp_init(const struct boot_info *info, const struct smp_times *times,
			    cpu_entry *entry);
enum status __wrap_smp_init(const struct boot_info *info, const struct smp_times *times,
			    cpu_entry *entry)
{
	static const struct smp_times impatient = {1, 1, {1, 1, 1}};

	fail_in("smp_init");
	if (has_text("wait a microsecond"))
		times = &impatient;
	return __real_smp_init(info, times, entry);
}

void __real_facts_read(struct cpu_facts *ret);
void __wrap_facts_read(struct cpu_facts *ret)
{
	fail_in("facts_read");
	__real_facts_read(ret);
}

_Noreturn void __real_arrival_take(struct cpu *cpu);
_Noreturn void __wrap_arrival_take(struct cpu *cpu)
{
	while (has_text("come late") &&
	       __atomic_load_n(&cpu->arrival, __ATOMIC_ACQUIRE) == ARRIVAL_AWAITED)
		pause();
	if (has_text("shift the TSC"))
		wrmsr(IA32_TIME_STAMP_COUNTER, rdtsc() + 1000000);
	__real_arrival_take(cpu);
}
