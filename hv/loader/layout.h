/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What the loader puts into low guest memory. The first megabyte up to
 * LOADER_LOW_END has to be RAM, and a kernel's own segments may not touch it.
 * Everything else (kernel, initrd, modules) goes above 1 MiB into RAM of the
 * memory map.
 *
 *	00000	+---------------------------------------------+
 *		| left alone (real-mode vectors, BIOS data)   |
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
#define LOADER_KERNEL_MIN  0x100000 /* lowest place for what the loader places by itself */

/* Selectors of the GDT, the same for every kind of entry. */
#define LOADER_SELECTOR_CODE 0x10
#define LOADER_SELECTOR_DATA 0x18
#define LOADER_SELECTOR_TSS  0x20
#define LOADER_GDT_LIMIT     0x2f

/* What the tables above have room for. */
#define LOADER_E820_MAX	   128
#define LOADER_MODULES_MAX 256
