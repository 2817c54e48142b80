/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The information that boot/ passes to hv/. It has no UEFI type and no pointer into memory that
 * is listed as free. All addresses are physical and, at the hand-over, identity-mapped.
 */
#define BOOT_INFO_VERSION 3

enum { BOOT_FRAMEBUFFERS_MAX = 8 };

enum mem_use {
	BOOT_MEM_FREE,	   /* usable, boot services memory included */
	BOOT_MEM_HV,	   /* our image, stacks, this structure, configuration and ramdisk */
	BOOT_MEM_RUNTIME,  /* EFI runtime services code and data */
	BOOT_MEM_ACPI,	   /* tables; may be read */
	BOOT_MEM_MMIO,	   /* memory-mapped I/O, frame buffers */
	BOOT_MEM_RESERVED, /* everything else that the firmware keeps */
};

struct boot_range {
	uint64_t start, len;
	enum mem_use use;
};

struct boot_cpu {
	uint32_t apic_id;
	bool bsp;
};

/* Pixels of 32 bits. The whole frame buffer can be mapped, and has at least one pixel. */
struct boot_framebuffer {
	uint64_t base;
	uint32_t width, height;
	uint32_t pitch;	   /* bytes from a line to the next */
	uint8_t red_shift; /* of the 8-bit component in the 32-bit pixel */
	uint8_t green_shift;
	uint8_t blue_shift;
};

/*
 * A part of our own image, for the hypervisor's page tables. Together they cover the linked
 * image without gaps; sections that were added later (.config, .ramdisk) are plain data of use
 * HV and are not listed.
 */
struct boot_section {
	uint64_t start, len;
	bool write, exec;
};

struct boot_info {
	uint32_t version;
	uint32_t n_ranges, n_cpus, n_sections;
	struct boot_range *range;     /* sorted, merged, without overlaps; never frame 0 as free */
	struct boot_cpu *cpu;	      /* from EFI MP services, for machines without a MADT */
	struct boot_section *section; /* sorted, whole pages */
	const char *config;	      /* text, NUL-terminated */
	const char *config_name;      /* of its file, for messages */
	uint64_t config_len;	      /* without the NUL */
	/* cpio archives, the first at a page boundary, zero-padded to the end of the last page;
	 * len 0: none. */
	uint64_t ramdisk, ramdisk_len;
	uint64_t ramdisk_capacity; /* bytes of whole pages from 'ramdisk' on that are ours */
	uint64_t stack, stack_len; /* the stack of hv_main() */
	uint64_t acpi_rsdp;	   /* 0: none */
	uint64_t efi_reset_system; /* ResetSystem(), Microsoft calling convention, needs efi_cr3 */
	/*
	 * Our page tables at the hand-over: all addresses of the firmware's memory map,
	 * identity-mapped, write-back, writable and executable, so that ResetSystem() can be
	 * called. Frame 0 is mapped too. They have four levels.
	 */
	uint64_t efi_cr3;
	uint64_t unpack_tsc;	    /* ticks spent in unpacking this program, before efi_main */
	uint64_t efi_entry_tsc;	    /* TSC at efi_main */
	uint64_t firmware_io_tsc;   /* ticks spent in firmware file and console I/O since then */
	uint64_t firmware_exit_tsc; /* ticks spent in the successful ExitBootServices() */
	uint64_t handover_tsc;	    /* TSC just before hv_main() */
	int64_t unix_time;	    /* seconds since 1970 UTC at unix_time_tsc; 0: unknown */
	uint64_t unix_time_tsc;
	uint32_t n_framebuffers;
	struct boot_framebuffer framebuffer[BOOT_FRAMEBUFFERS_MAX];
};

/*
 * Called once on the boot processor with interrupts disabled, on our stack and the page tables of
 * efi_cr3. GDT and IDT are still the firmware's, in memory that may be listed as free: load others
 * before writing to free memory.
 */
_Noreturn void hv_main(const struct boot_info *info);
