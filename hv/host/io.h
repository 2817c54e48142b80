/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Single privileged instructions, without decisions. The comment of a function says if it can
 * fault.
 */
static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outsb(uint16_t port, const void *data, size_t len)
{
	asm volatile("rep outsb" : "+S"(data), "+c"(len) : "d"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Not ordered against earlier instructions. */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (uint64_t)high << 32;
}

/* Ordered: not before earlier loads, and later instructions come after it. */
static inline uint64_t rdtsc_ordered(void)
{
	uint32_t low, high;

	asm volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline void cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	asm volatile("cpuid"
		     : "=a"(ret->eax), "=b"(ret->ebx), "=c"(ret->ecx), "=d"(ret->edx)
		     : "a"(leaf), "c"(subleaf));
}

/* A processor's answers: cpuid() on the machine, a table in tests. */
typedef void cpuid_source(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret);

static inline uint64_t read_cr0(void)
{
	uint64_t value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr2(void)
{
	uint64_t value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;

	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(uint64_t value)
{
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline void write_cr2(uint64_t value)
{
	asm volatile("mov %0, %%cr2" : : "r"(value) : "memory");
}

static inline void write_cr3(uint64_t value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline void write_cr4(uint64_t value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline void invlpg(uint64_t virt)
{
	asm volatile("invlpg (%0)" : : "r"(virt) : "memory");
}

/* Need CR4.OSXSAVE. */
static inline uint64_t xgetbv(uint32_t index)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return low | (uint64_t)high << 32;
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
	asm volatile("xsetbv"
		     :
		     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

/* The same with one instruction less, of a value in memory. */
static inline void xsetbv_from(uint32_t index, const uint64_t *value)
{
	asm volatile("mov %[value], %%eax\n\t"
		     "mov 4+%[value], %%edx\n\t"
		     "xsetbv"
		     :
		     : "c"(index), [value] "m"(*value)
		     : "eax", "edx", "memory");
}

static inline void read_debug_addresses(uint64_t ret[4])
{
	asm volatile("mov %%db0, %0; mov %%db1, %1; mov %%db2, %2; mov %%db3, %3"
		     : "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3]));
}

static inline void write_debug_addresses(const uint64_t dr[4])
{
	asm volatile("mov %0, %%db0; mov %1, %%db1; mov %2, %%db2; mov %3, %%db3"
		     :
		     : "r"(dr[0]), "r"(dr[1]), "r"(dr[2]), "r"(dr[3]));
}

static inline uint64_t read_dr6(void)
{
	uint64_t value;

	asm volatile("mov %%db6, %0" : "=r"(value));
	return value;
}

static inline void write_dr6(uint64_t value)
{
	asm volatile("mov %0, %%db6" : : "r"(value));
}

/* All components that XCR0 enables. The area's header must be valid. */
static inline void xsave(void *area)
{
	asm volatile("xsave64 (%0)" : : "r"(area), "a"(UINT32_MAX), "d"(UINT32_MAX) : "memory");
}

static inline void xrstor(const void *area)
{
	asm volatile("xrstor64 (%0)" : : "r"(area), "a"(UINT32_MAX), "d"(UINT32_MAX) : "memory");
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	asm volatile("hlt" : : : "memory");
}

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}
