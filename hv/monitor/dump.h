/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"
#include "hv/lib/regs.h"

/*
 * A VM's memory and processors as an ELF core file, like that of QEMU's dump-guest-memory: notes
 * first, NT_PRSTATUS of all processors and then QEMU's own state of each; one PT_LOAD for each
 * stretch of contiguous memory, virtual address like physical. Objects with dump=off have a
 * PT_LOAD without bytes. Always 64-bit, whatever mode the processors are in.
 */
enum { DUMP_ES, DUMP_CS, DUMP_SS, DUMP_DS, DUMP_FS, DUMP_GS, DUMP_LDTR, DUMP_TR, N_DUMP_SEGMENTS };

struct dump_segment {
	uint32_t selector, limit;
	uint32_t rights; /* as VMX has them: bytes 5 and 6 of a descriptor */
	uint64_t base;
};

struct dump_cpu {
	uint64_t gpr[16]; /* as hv/lib/regs.h numbers them, RSP included */
	uint64_t rip, rflags;
	struct dump_segment segment[N_DUMP_SEGMENTS];
	struct dump_segment gdt, idt; /* base and limit only */
	uint64_t cr[5];		      /* 1 is not used */
	uint64_t kernel_gs_base;
};

/* What is to be dumped; the VM does not run. */
struct dump {
	struct guest_memory *memory;
	const struct dump_cpu *cpus;
	unsigned n_cpus;
};

/* Bytes of what comes before memory, whole pages; and of the whole file. */
size_t dump_head_size(const struct dump *dump);
uint64_t dump_size(const struct dump *dump);
/* The first dump_head_size() bytes of the file. */
void dump_write_head(const struct dump *dump, void *buf);
/*
 * The page of the file at 'offset', a multiple of PAGE_SIZE from dump_head_size() to below
 * dump_size(). The lock of the VM's memory is held.
 */
void dump_read_page(const struct dump *dump, uint64_t offset, void *buf);
