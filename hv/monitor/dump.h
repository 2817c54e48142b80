/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"
#include "hv/lib/regs.h"

/*
 * A VM's memory and processors as an ELF core file, in the format of QEMU's dump-guest-memory.
 * First come the notes: NT_PRSTATUS of all processors, then QEMU's own state of each. Then comes
 * one PT_LOAD for each stretch of contiguous memory, with virtual addresses equal to the physical
 * ones. Objects with dump=off have a PT_LOAD without bytes. The file is a 64-bit one in any mode of
 * the processors.
 */
enum { DUMP_ES, DUMP_CS, DUMP_SS, DUMP_DS, DUMP_FS, DUMP_GS, DUMP_LDTR, DUMP_TR, N_DUMP_SEGMENTS };

struct dump_segment {
	uint32_t selector, limit;
	uint32_t rights; /* in the format of the VMCS: bytes 5 and 6 of a descriptor */
	uint64_t base;
};

struct dump_cpu {
	uint64_t gpr[16]; /* in the order of hv/lib/regs.h, including RSP */
	uint64_t rip, rflags;
	struct dump_segment segment[N_DUMP_SEGMENTS];
	struct dump_segment gdt, idt; /* base and limit only */
	uint64_t cr[5];		      /* CR1 is not used */
	uint64_t kernel_gs_base;
};

/* What to dump. The VM does not run meanwhile. */
struct dump {
	struct guest_memory *memory;
	const struct dump_cpu *cpus;
	unsigned n_cpus;
};

/* Bytes before the memory, a multiple of PAGE_SIZE; bytes of the whole file. */
size_t dump_head_size(const struct dump *dump);
uint64_t dump_size(const struct dump *dump);
/* The first dump_head_size() bytes of the file. */
void dump_write_head(const struct dump *dump, void *buf);
/*
 * Read the page of the file at 'offset': a multiple of PAGE_SIZE, at least dump_head_size() and
 * less than dump_size(). The lock of the VM's memory is held.
 */
void dump_read_page(const struct dump *dump, uint64_t offset, void *buf);
