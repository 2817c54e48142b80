/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/host/cpu.h"
#include "hv/lib/status.h"

/*
 * Give the boot processor its stacks, then start the other processors, which run entry(). They are
 * those of info->cpu, or of the MADT if that is empty. A processor that does not start in time is
 * reported and left out. Needs frames, paging, acpi_init(), host_apic_init() and tsc_init().
 * ERR_NOMEM: no memory for the boot processor's stacks, or for the trampoline's page table.
 */
enum status smp_init(const struct boot_info *info, cpu_entry *entry);
