/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * What all kinds of kernels have in common: the layout of low guest memory, input and result of
 * loader_load() (hv/loader/load.h), and helpers for the files that load one kind each.
 */

struct guest_memory;

/*
 * What the loader puts into low guest memory. The first megabyte up to
 * LOADER_LOW_END must be RAM. Everything else (initrd, modules, most kernels)
 * goes above 1 MiB into RAM of the memory map. If an ELF or Multiboot kernel
 * lies below LOADER_LOW_END, all from 0x1000 on moves to after the kernel.
 *
 *	00000	+---------------------------------------------+
 *		| left alone (real-mode vectors)              |
 *	00400	+---------------------------------------------+
 *		| BIOS data area: where low RAM ends, else    |
 *		| left alone                                  |
 *	00500	+---------------------------------------------+
 *		| left alone                                  |
 *	01000	+---------------------------------------------+
 *		| GDT: 0x10 code, 0x18 data, 0x20 TSS         |
 *	02000	+---------------------------------------------+
 *		| zero page (Linux), hvm_start_info (PVH) or  |
 *		| Multiboot information                       |
 *	03000	+---------------------------------------------+
 *		| setup_data: the random seed (Linux)         |
 *	04000	+---------------------------------------------+
 *		| memory map (PVH, Multiboot)                 |
 *	06000	+---------------------------------------------+
 *		| module list (PVH, Multiboot)                |
 *	08000	+---------------------------------------------+
 *		| page tables: PML4, PDPT, 4 page directories |
 *		| that map 4 GiB one to one (Linux)           |
 *	0e000	+---------------------------------------------+
 *		| unused                                      |
 *	10000	+---------------------------------------------+
 *		| strings: the kernel's command line, then    |
 *		| the boot loader's name and the modules'     |
 *		| command lines                               |
 *	20000	+---------------------------------------------+
 */
#define LOADER_BIOS_DATA   0x00400
#define LOADER_SEGMENT_MIN 0x00500 /* lowest address of a kernel's segment */
#define LOADER_LOW_START   0x01000
#define LOADER_GDT	   0x01000
#define LOADER_INFO	   0x02000
#define LOADER_SETUP_DATA  0x03000
#define LOADER_MEMORY_MAP  0x04000
#define LOADER_MODULE_LIST 0x06000
#define LOADER_PAGE_TABLES 0x08000
#define LOADER_STRINGS	   0x10000
#define LOADER_STRINGS_END 0x20000
#define LOADER_LOW_END	   0x20000
#define LOADER_KERNEL_MIN  0x100000 /* lowest address at which the loader chooses a place */

/* Selectors of the GDT, the same for all entry modes. */
#define LOADER_SELECTOR_CODE 0x10
#define LOADER_SELECTOR_DATA 0x18
#define LOADER_SELECTOR_TSS  0x20
#define LOADER_GDT_LIMIT     0x2f

/* Capacity of the tables above. */
#define LOADER_E820_MAX	   128
#define LOADER_MODULES_MAX 256

/* Types of memory in BIOS function E820 and in ACPI. */
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

/* A module of a Multiboot or PVH kernel: the file's bytes, and its command line, "FILE ARGS". */
struct loader_module {
	const void *data;
	uint64_t len;
	const char *cmdline;
};

/* Bytes that the configuration puts at an address. */
struct loader_blob {
	const struct loader_blob *next;
	const char *name; /* for messages */
	const void *data;
	uint64_t len, addr;
};

enum loader_kind {
	LOADER_NONE,
	LOADER_LINUX,
	LOADER_MULTIBOOT,
	LOADER_PVH,
	LOADER_MULTIBOOT2,
	/* These only if the input says so. */
	LOADER_PLAIN, /* an ELF file without a boot protocol */
	LOADER_BIOS,  /* firmware */
};

/* All pointers are borrowed for the call. NULL strings stand for empty strings. */
struct loader_input {
	const void *kernel;
	uint64_t kernel_len;
	const char *kernel_name; /* for messages, and the first word of a Multiboot command line */
	const void *initrd;	 /* Linux; ignored by the others */
	uint64_t initrd_len;	 /* 0: none */
	const char *append;	 /* the kernel's command line */
	const struct e820_entry *e820; /* ascending, without overlaps */
	size_t n_e820;
	uint64_t ram_below_4g;	 /* end of RAM below 4 GiB: nothing is loaded above it */
	gpa_t acpi_rsdp;	 /* 0: no ACPI */
	const uint8_t *rng_seed; /* LOADER_RNG_SEED_LEN bytes; NULL: none */
	const struct loader_module *modules; /* ignored by Linux */
	size_t n_modules;
	const struct loader_blob *blobs; /* written last; NULL: none */
	enum loader_kind kind;		 /* LOADER_NONE: as loader_detect() finds */
	/*
	 * Write only these bytes of all that is written, counted in the order of writing, so that a
	 * long load can be done in parts: each call works everything else out again. Length 0:
	 * write everything.
	 */
	uint64_t part_start, part_len;
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
	/* As after a reset, and nothing of what follows: SDM vol. 3, "Processor State After Reset".
	 */
	ENTRY_RESET,
};

/*
 * How the boot processor starts. CS = LOADER_SELECTOR_CODE, the data segments and SS =
 * LOADER_SELECTOR_DATA, TR = LOADER_SELECTOR_TSS (base 0, limit 0x67, busy), all as in the GDT at
 * 'gdt'. RFLAGS has only its reserved bit set; registers not named here are 0.
 */
struct loader_state {
	enum loader_kind kind;
	enum loader_entry mode;
	uint64_t rip, rsi, rbx, rax;
	gpa_t page_tables; /* ENTRY_LONG64 only, else 0 */
	gpa_t gdt;
	uint16_t gdt_limit; /* as loaded into GDTR */
	uint64_t n_written; /* bytes that all parts write together */
	/* For the log. */
	/* end is exclusive; includes memory that the kernel clears */
	gpa_t kernel_start, kernel_end;
	gpa_t initrd_start; /* 0: none */
};

/* One run of loader_load(). */
struct loader {
	struct guest_memory *memory;
	const struct loader_input *input;
	struct loader_state *state; /* filled in during the load */
	char *error;
	size_t error_size;
	uint64_t string_end; /* the next free byte of the strings' area */
	uint64_t moved;	     /* of all from LOADER_LOW_START to LOADER_LOW_END: bytes upwards */
};

/* Where the part of the loader's memory lies that is usually at 'usual'. */
static inline uint64_t loader_at(const struct loader *loader, uint64_t usual)
{
	return usual + loader->moved;
}

/* A little-endian number in guest memory, at an offset. */
struct loader_field {
	uint16_t offset, size; /* bytes, size up to 8 */
	uint64_t value;
};

/* Write the message "NAME: offset 0xN: ..." or, without an offset, "NAME: ..."; return 'status'. */
enum status loader_refuse_at(struct loader *loader, enum status status, uint64_t offset,
			     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
enum status loader_refuse(struct loader *loader, enum status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Write guest memory; an error has a message, ERR_OVERLAP if a blob of the input is to lie there.
 */
enum status loader_write(struct loader *loader, uint64_t addr, const void *buf, uint64_t len);
enum status loader_zero(struct loader *loader, uint64_t addr, uint64_t len);
enum status loader_write_fields(struct loader *loader, uint64_t addr,
				const struct loader_field *fields, size_t n);

/* Write the blobs of the input. */
enum status loader_write_blobs(struct loader *loader);

/*
 * Put 's' and its NUL into the strings' area. 'what' names the string in the message if there is no
 * room.
 */
enum status loader_write_string(struct loader *loader, const char *s, const char *what,
				uint64_t *ret_addr);

/*
 * One past the last byte of the contiguous RAM that begins at 'start'; 'start' itself if it is not
 * RAM.
 */
uint64_t loader_ram_end(const struct loader *loader, uint64_t start);

/*
 * The lowest multiple of 'align' at or above both 'from' and LOADER_KERNEL_MIN from which 'len'
 * bytes are RAM; 0: there is none.
 */
uint64_t loader_place_low(const struct loader *loader, uint64_t from, uint64_t len, uint64_t align);

/*
 * The highest multiple of 'align' above LOADER_KERNEL_MIN from which 'len' bytes are RAM, outside
 * the kernel that was loaded and below 'limit'; 0: there is none.
 */
uint64_t loader_place_high(const struct loader *loader, uint64_t limit, uint64_t len,
			   uint64_t align);

/*
 * If the kernel that was loaded reaches below LOADER_LOW_END, move the loader's memory to after it,
 * and set kernel_end to the end of both. Call before anything else is written.
 */
enum status loader_avoid_kernel(struct loader *loader);

/* Refuse, and name the memory size with which [start, start + len) would be RAM. */
enum status loader_refuse_size(struct loader *loader, const char *what, uint64_t start,
			       uint64_t len);

/*
 * Copy a file's bytes as high as 'limit' and RAM allow, beside the kernel. 'what' names them in the
 * message if there is no room.
 */
enum status loader_copy_high(struct loader *loader, const struct loader_module *file,
			     uint64_t limit, const char *what, uint64_t *ret_addr);

/* ERR_RANGE: there are more modules than LOADER_MODULES_MAX. */
enum status loader_check_modules(struct loader *loader);

/* Copy module 'i' to a page of its own, the first one from '*end' on, and set that to its end. */
enum status loader_copy_module(struct loader *loader, size_t i, uint64_t *end, uint64_t *ret_addr);
