/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for guests' seeds and identifiers. Not locked, callable on any processor at any
 * time. Without RDRAND the time-stamp counter is the only source.
 */
#include "hv/host/random.h"

#include "hv/lib/string.h"

#define RDRAND_TRIES 10 /* SDM vol. 1, "Intel Digital Random Number Generator" */
#define CPUID_RDRAND BIT(30)
#define INCREMENT    UINT64_C(0x9e3779b97f4a7c15)

static bool has_rdrand(void)
{
	static uint32_t features; /* CPUID leaf 1, ECX; all processors write the same value */
	uint32_t ecx = __atomic_load_n(&features, __ATOMIC_RELAXED), eax = 1, ebx, edx;

	if (ecx == 0) {
		ecx = 0;
		asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		__atomic_store_n(&features, ecx, __ATOMIC_RELAXED);
	}
	return (ecx & CPUID_RDRAND) != 0;
}

static uint64_t hardware_random(void)
{
	uint64_t value;
	bool ok;

	for (unsigned tries = 0; tries < RDRAND_TRIES; tries++) {
		asm volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
		if (ok)
			return value;
	}
	return 0;
}

static uint64_t time_stamp(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* A bijection in which every bit of the result depends on every bit of 'value'. */
static uint64_t scatter(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static uint64_t random_number(bool has_hardware)
{
	static uint64_t count;
	uint64_t value = __atomic_add_fetch(&count, INCREMENT, __ATOMIC_RELAXED);

	value += time_stamp();
	return scatter(value) ^ (has_hardware ? hardware_random() : 0);
}

void random_fill(void *buf, size_t len)
{
	bool has_hardware = has_rdrand();
	char *to = buf;
	uint64_t value;

	for (; len >= sizeof(value); len -= sizeof(value), to += sizeof(value)) {
		value = random_number(has_hardware);
		memcpy(to, &value, sizeof(value));
	}
	if (len > 0) {
		value = random_number(has_hardware);
		memcpy(to, &value, len);
	}
}

uint16_t random_machine(void)
{
	static uint32_t number; /* bit 16: made */
	uint32_t expected = __atomic_load_n(&number, __ATOMIC_RELAXED), made;

	if (expected)
		return (uint16_t)expected;
	made = (uint16_t)random_number(has_rdrand()) | (uint32_t)BIT(16);
	if (__atomic_compare_exchange_n(&number, &expected, made, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		return (uint16_t)made;
	return (uint16_t)expected;
}
