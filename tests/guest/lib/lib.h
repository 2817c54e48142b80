/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The whole library of the payload guests: one processor, 64-bit mode, everything
 * below 8 GiB mapped to itself, interrupts off, no vector registers in C code. A
 * payload defines payload(); its verdict is printed and the VM ends when payload() returns.
 */

#include "tests/guest/lib/cpu.h"

#define PAGE_SIZE UINT64_C(4096)

/* Each payload defines this. */
void payload(void);

/* ---- output and verdict ---- */

/* To the 16550 at 0x3f8. Conversions: c s d u x lu ld lx p %, '#', '0' and a width. */
[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);
void print_char(char c);

/* One test: prints PASS or FAIL and the text, and counts it. Returns 'ok'. */
[[gnu::format(printf, 2, 3)]] bool report(bool ok, const char *format, ...);
[[gnu::format(printf, 1, 2)]] void report_skip(const char *format, ...);
/* A test that the host cannot run: skipped, or a failure if "strict" is given. */
[[gnu::format(printf, 1, 2)]] void report_missing(const char *format, ...);

/* Print the SUMMARY line and end the VM through the exit port. */
_Noreturn void finish(void);
_Noreturn void exit_vm(uint32_t code);

/* ---- parameters: words NAME=VALUE or NAME of the command line ---- */

const char *command_line(void);
bool param_given(const char *name);
/* Numbers are decimal or 0x hexadecimal. */
uint64_t param_number(const char *name, uint64_t otherwise);
bool param_is(const char *name, const char *value);
/* The same look-ups in the caller's line; 'ret' gets at most 'size' bytes including the 0. */
bool line_given(const char *line, const char *name);
bool line_param(const char *line, const char *name, char *ret, size_t size);
uint64_t line_number(const char *line, const char *name, uint64_t otherwise);

/* ---- the loader's information ---- */

#define MULTIBOOT_LOADED 0x2badb002u
#define MB_MEMORY	 BIT(0)
#define MB_CMDLINE	 BIT(2)
#define MB_MODULES	 BIT(3)
#define MB_MMAP		 BIT(6)

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t symbols[4], mmap_length, mmap_addr;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_mmap {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type; /* 1: free RAM */
} __attribute__((packed));

struct pvh_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t n_memmap, reserved;
};

struct pvh_module {
	uint64_t address, size, cmdline, reserved;
};

struct pvh_memory {
	uint64_t base, length;
	uint32_t type; /* 1: free RAM */
	uint32_t reserved;
};

extern uint32_t boot_magic;   /* MULTIBOOT_LOADED, MULTIBOOT2_LOADED, else PVH */
extern uint32_t boot_info;    /* address of struct multiboot_info or pvh_info, or of tags */
extern uint64_t boot_gdt[];   /* entry 3 is unused */
extern uint8_t image_start[]; /* this payload, its .bss included */
extern uint8_t image_end[];

#define MULTIBOOT2_LOADED 0x36d76289u
#define MB2_END		  0
#define MB2_CMDLINE	  1
#define MB2_LOADER_NAME	  2
#define MB2_MODULE	  3
#define MB2_MEMORY	  4
#define MB2_MEMORY_MAP	  6
#define MB2_FRAMEBUFFER	  8
#define MB2_SECTIONS	  9
#define MB2_ACPI	  15

/* The content of the first tag of a type; NULL if there is none, or not loaded by Multiboot 2. */
const void *multiboot2(uint32_t type);
/* NULL unless loaded by Multiboot. */
const struct multiboot_info *multiboot(void);
/* NULL unless loaded by PVH. */
const struct pvh_info *pvh(void);
/* First address above the free RAM that starts at 1 MiB. */
uint64_t ram_top(void);

/* ---- faults and interrupts ---- */

struct trap_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct fault {
	uint32_t vector;
	uint64_t error, rip, cr2, rflags;
};

#define NO_FAULT (-1)

/*
 * Call fn(arg). Returns NO_FAULT, or the vector of the exception that ended it, which
 * last_fault describes. Restores RFLAGS and the callee-saved registers.
 */
int catch_fault(void (*fn)(void *), void *arg);
extern struct fault last_fault;

/*
 * Call 'hook' for 'vector'; NULL removes the hook. If the hook returns true, execution resumes
 * where the frame says; if false, the exception is handled as if there were no hook.
 */
void trap_hook(unsigned vector, bool (*hook)(struct trap_frame *));
/* Let the IDT's entry of 'vector' lead to 'entry'; NULL: to the library's stub again. */
void trap_gate(unsigned vector, const void *entry, unsigned ist);
/* The value of IST 'n' (1..7) in the TSS. */
void trap_set_ist(unsigned n, uint64_t rsp);

/* ---- paging: a window of 512 pages of 4 KiB, everything else maps to itself ---- */

#define WINDOW	     UINT64_C(0xa0000000)
#define PTE_P	     BIT(0)
#define PTE_W	     BIT(1)
#define PTE_A	     BIT(5)
#define PTE_D	     BIT(6)
#define PTE_NX	     BIT(63)
#define PTE_RESERVED BIT(51)

/* Set the entry of page 'index' of the window; 0 unmaps it. */
void window_set(unsigned index, uint64_t pte);
/* Put a table at entry 'index' (1..511) of the PML4, for addresses from index << 39. */
void pml4_set(unsigned index, uint64_t entry);

/* ---- ACPI ---- */

/* Physical address of the table with this signature, NULL if none. Checks checksums. */
const uint8_t *acpi_find(const char *signature);

struct acpi_register {
	uint64_t address; /* 0 if there is none */
	bool in_memory;	  /* else a port */
};

struct acpi_fadt {
	uint32_t flags;
	uint64_t pm1_control; /* a port; 0 if none */
	struct acpi_register sleep_control, reset;
	uint8_t reset_value;
};
void acpi_write(const struct acpi_register *reg, uint8_t value);
bool acpi_read_fadt(struct acpi_fadt *ret);
/* The sleep type of \_S5, found in the DSDT; 0 if there is none. */
uint8_t acpi_s5(void);

/* ---- local APIC, xAPIC or x2APIC as IA32_APIC_BASE says ---- */

enum apic_register {
	APIC_ID = 0x20,
	APIC_VERSION = 0x30,
	APIC_TPR = 0x80,
	APIC_PPR = 0xa0,
	APIC_EOI = 0xb0,
	APIC_LDR = 0xd0,
	APIC_DFR = 0xe0,
	APIC_SVR = 0xf0,
	APIC_ISR = 0x100,
	APIC_IRR = 0x200,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};
#define APIC_PAGE	 UINT64_C(0xfee00000)
#define APIC_SVR_ENABLE	 BIT(8)
#define LVT_MASKED	 BIT(16)
#define LVT_PERIODIC	 BIT(17)
#define LVT_TSC_DEADLINE BIT(18)

bool apic_is_x2(void);
uint32_t apic_read(enum apic_register reg);
void apic_write(enum apic_register reg, uint32_t value);
/* Software-enable, TPR 0, timer masked and stopped. */
void apic_enable(void);
/* Fixed interrupt to this processor alone. */
void apic_self_ipi(uint8_t vector);
/* Whether 'vector' has been requested, or is in service. */
bool apic_requested(uint8_t vector);
bool apic_in_service(uint8_t vector);

/* Count the interrupts of 'vector' in irq_count[vector] and end each at the APIC. */
void irq_count_on(uint8_t vector);
void irq_count_off(uint8_t vector);
extern volatile uint32_t irq_count[256];

/* Halt or spin with interrupts enabled until irq_count[vector] >= n, at most WAIT_TICKS. */
bool irq_wait(uint8_t vector, uint32_t n);

void ioapic_write(uint8_t reg, uint32_t value);
uint32_t ioapic_read(uint8_t reg);
/* Edge-triggered, active high, to this processor; 'masked' or not. */
void ioapic_route(unsigned gsi, uint8_t vector, bool masked);

/* ---- the rest ---- */

/* TSC ticks after which a wait gives up. */
#define WAIT_TICKS UINT64_C(400000000)

/* The 8-byte value of test images at offset 'o' (a multiple of 8). */
#define PATTERN(o) (UINT64_C(0x5354454e00000000) + (o))

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool str_equal(const char *a, const char *b);

/* Enable OSXSAVE and every state of x87, SSE and AVX that CPUID offers. Returns XCR0, or 0. */
uint64_t xsave_enable(void);
