/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct cpu;

/*
 * What each processor does once VMX is on: run vCPUs, look at the console, merge, wait. Returns on
 * the boot processor, when no vCPU exists and nothing else keeps the machine on.
 */
void processor_run(struct cpu *cpu);
