/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/host/cpu.h"
#include "hv/lib/status.h"

/* How long to wait for processors, in microseconds. */
#define SMP_TRIES 3
struct smp_times {
	uint32_t init_us; /* from INIT to SIPI */
	uint32_t sipi_us; /* from the first SIPI to the second */
	uint32_t arrive_us[SMP_TRIES];
};

/* How many processors the MADT lists, or info->cpu if the machine has no MADT. */
uint32_t smp_n_listed(const struct boot_info *info);

/*
 * Give the boot processor its stacks, then start the other processors, which run entry(). They are
 * those that smp_n_listed() counts. A processor that does not start in time is
 * reported and left out; if it comes late, it halts. Takes a page below 1 MiB for good; without
 * one, only the boot processor is used. One whose TSC differs is left out. Needs frames, paging,
 * acpi_init(), host_apic_init() and tsc_init(). ERR_NOMEM: no memory for the boot processor's
 * stacks, or for the page's table.
 */
enum status smp_init(const struct boot_info *info, const struct smp_times *times, cpu_entry *entry);
