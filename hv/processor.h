/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct cpu;

/*
 * What each processor does after VMXON: run vCPUs, poll the console, merge, wait. Returns on the
 * boot processor only, when no vCPU exists and nothing else keeps the machine running.
 */
void processor_run(struct cpu *cpu);
