/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"
#include "hv/loader/layout.h"

/*
 * Puts a kernel, its command line and its initrd or modules into a VM's memory
 * and says how the first vCPU has to start. Low memory: hv/loader/layout.h.
 */
struct guest_memory;

/* Types of memory as BIOS function E820 and ACPI number them. */
enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3,
	E820_NVS = 4,
	E820_PMEM = 7,
};

struct e820_entry {
	uint64_t addr, len; /* bytes */
	uint32_t type;	    /* enum e820_type */
};

/* A Multiboot module: the file's bytes and the line its kernel gets to see. */
struct loader_module {
	const void *data;
	uint64_t len;
	const char *cmdline;
};

enum loader_kind { LOADER_NONE, LOADER_LINUX, LOADER_MULTIBOOT, LOADER_PVH };

/* All pointers are borrowed for the call. NULL strings stand for empty ones. */
struct loader_input {
	const void *kernel;
	uint64_t kernel_len;
	const char *kernel_name; /* for messages, and the first word of a Multiboot command line */
	const void *initrd;	 /* Linux and PVH; ignored by Multiboot */
	uint64_t initrd_len;	 /* 0: none */
	const char *append;	 /* the kernel's command line */
	const struct e820_entry *e820; /* ascending, without overlaps */
	size_t n_e820;
	uint64_t ram_below_4g;	 /* end of RAM below 4 GiB: nothing is loaded above it */
	gpa_t acpi_rsdp;	 /* 0: no ACPI */
	const uint8_t *rng_seed; /* LOADER_RNG_SEED_LEN bytes; NULL: none */
	const struct loader_module *modules; /* Multiboot; ignored by the others */
	size_t n_modules;
};

#define LOADER_RNG_SEED_LEN 32

enum loader_entry {
	/*
	 * 64-bit mode: CR0.PE and CR0.PG, CR4.PAE, EFER.LME and EFER.LMA, CR3 = page_tables,
	 * CS is a 64-bit code segment.
	 */
	ENTRY_LONG64,
	/* Flat 32-bit protected mode, paging off: CR0.PE only, CS and data segments 4 GiB. */
	ENTRY_PROTECTED32,
};

/*
 * How the boot processor starts. CS = LOADER_SELECTOR_CODE, the data segments
 * and SS = LOADER_SELECTOR_DATA, TR = LOADER_SELECTOR_TSS (base 0, limit 0x67, busy), all as in the
 * GDT at 'gdt'; RFLAGS has only its reserved bit; registers not named here are 0.
 */
struct loader_state {
	enum loader_kind kind;
	enum loader_entry mode;
	uint64_t rip, rsi, rbx, rax;
	gpa_t page_tables; /* ENTRY_LONG64 only, else 0 */
	gpa_t gdt;
	uint16_t gdt_limit; /* as loaded into GDTR */
	/* For the log. */
	gpa_t kernel_start, kernel_end; /* end is exclusive; includes what the kernel clears */
	gpa_t initrd_start;		/* 0: none */
};

/* What kind of kernel the bytes claim to be; loader_load() may still refuse them. */
enum loader_kind loader_detect(const void *kernel, uint64_t len);

/* Whether -initrd names a list of modules, as it does for Multiboot kernels, or one file. */
bool loader_takes_modules(const void *kernel, uint64_t len);

/* "Linux", "Multiboot 1", "PVH" or "unknown". */
const char *loader_kind_name(enum loader_kind kind);

/*
 * Load input->kernel into 'memory'. On an error '*ret' is not written, the
 * memory may be partly written, and 'error' (of 'error_size' bytes) holds a
 * sentence without a newline that starts with the kernel's name:
 * ERR_CORRUPT     the file contradicts its own format
 * ERR_UNSUPPORTED not a kernel known here, or a too old one
 * ERR_RANGE       does not fit the guest's memory, or a limit of the kernel's
 */
enum status loader_load(struct guest_memory *memory, const struct loader_input *input,
			struct loader_state *ret, char *error, size_t error_size);

/*
 * Take the next module off QEMU's list for Multiboot, "FILE ARGS,FILE ARGS";
 * two commas stand for one that does not separate. '*list' moves on. 'buf' gets
 * the whole element, which is the module's command line; its first
 * '*ret_name_len' bytes are the file's name.
 * ERR_NOTFOUND  the list is at its end
 * ERR_RANGE     the element does not fit 'size' bytes; '*list' is unchanged
 */
enum status loader_next_module(const char **list, char *buf, size_t size, size_t *ret_name_len);
