/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"

/*
 * Give the boot processor its stacks, then start the others, which end in
 * cpu_main(). They are those of info->cpu, or of the MADT if that is empty.
 * A processor that does not come up in time is said and left out. Needs frames,
 * paging, acpi_init(), host_apic_init() and tsc_init().
 */
void smp_init(const struct boot_info *info);
