/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clocks SECONDS: compare the kernel's clocks with the TSC, whose frequency is in leaf 0x15 of
 * CPUID: Stencil's own clock. Prints by how many millionths each differs after so many seconds.
 */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

static const struct {
	clockid_t id;
	const char *name;
} clocks[] = {
	{CLOCK_MONOTONIC, "monotonic"}, {CLOCK_MONOTONIC_RAW, "raw"}, {CLOCK_REALTIME, "real"}};

#define N (sizeof(clocks) / sizeof(clocks[0]))

static double tsc_hz;

static uint64_t now_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Read the clock between two readings of the TSC that are near: no other VM ran between them. */
static void read_both(clockid_t id, double *ret_ns, double *ret_tsc)
{
	uint64_t before, after, ns;

	do {
		before = __rdtsc();
		ns = now_ns(id);
		after = __rdtsc();
	} while (after - before > tsc_hz / 20000);
	*ret_ns = (double)ns;
	*ret_tsc = ((double)before + (double)after) / 2;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10, ns[N], tsc[N], end_ns, end_tsc;
	unsigned eax, ebx, ecx, edx;

	__cpuid(0x15, eax, ebx, ecx, edx);
	tsc_hz = eax ? (double)ecx * ebx / eax : 0;
	if (tsc_hz == 0)
		return 1;
	for (unsigned i = 0; i < N; i++)
		read_both(clocks[i].id, &ns[i], &tsc[i]);
	for (uint64_t start = __rdtsc(); (double)(__rdtsc() - start) < seconds * tsc_hz;)
		;
	for (unsigned i = 0; i < N; i++) {
		double elapsed;

		read_both(clocks[i].id, &end_ns, &end_tsc);
		elapsed = (end_tsc - tsc[i]) / tsc_hz * 1e9;
		printf("clock %s: %s 100 ppm (%.1f ppm)\n", clocks[i].name,
		       (end_ns - ns[i]) / elapsed > 0.9999 && (end_ns - ns[i]) / elapsed < 1.0001
			       ? "within"
			       : "NOT within",
		       ((end_ns - ns[i]) / elapsed - 1) * 1e6);
	}
	return 0;
}
