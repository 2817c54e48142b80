/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * What is known about Intel's processors by their signature (CPUID leaf 1, EAX), and what none of
 * their feature bits says. All functions also answer for a processor that is not in the tables.
 */

/* The oldest microcode with which the APIC's TSC-deadline timer works; 0: any. */
uint32_t model_deadline_microcode(uint32_t signature);

/*
 * The crystal's frequency where CPUID leaf 0x15 has its ratio to the TSC only; 0: unknown. SDM
 * vol. 3, "Determining the Processor Base Frequency".
 */
uint32_t model_crystal_hz(uint32_t signature);
