/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of several VMs that share a processor: its registers keep their values while other VMs
 * run, and it never sees values of the others.
 *	seed=    the seed of register values, different for each VM
 *	ticks=   how long to run, in TSC ticks
 *	fresh    vector registers must be zero at the start, as after a reset
 *	anonymous  RAM must be zero; dirty: leave data in it
 */
#include "tests/guest/fpu/fpu.h"

#define CHUNK UINT64_C(1000000)

static void spin(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < ticks)
		continue;
}

void payload(void)
{
	bool avx = (xsave_enable() & 4) != 0;
	uint64_t seed = param_number("seed", 1);
	uint64_t ticks = param_number("ticks", WAIT_TICKS);
	uint64_t start, n_rounds = 0;
	bool vectors = true, registers = true;

	if (param_given("fresh"))
		report(vectors_clear(avx), "fpu: vector registers zero at the start");
	if (param_given("anonymous"))
		ram_check();
	registers_set(seed);
	start = rdtsc();
	while (vectors && registers && rdtsc() - start < ticks) {
		vectors_set(seed + n_rounds, avx);
		spin(CHUNK);
		vectors = vectors_kept(avx);
		registers = registers_kept();
		n_rounds++;
	}
	registers_restore();
	report(vectors && n_rounds > 0, "fpu: x87, SSE%s kept %lu times", avx ? " and AVX" : "",
	       n_rounds);
	report(registers, "fpu: MSRs, debug registers, CR2, CR8 kept");
}
