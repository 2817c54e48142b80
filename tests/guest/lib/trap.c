/* SPDX-License-Identifier: BSD-2-Clause */
/* IDT and TSS. An exception goes to a hook, to catch_fault(), or ends the payload. */
#include "tests/guest/lib/internal.h"
#include "tests/guest/lib/lib.h"

#define CODE64	     0x08
#define TSS_SELECTOR 0x20
#define GATE	     0x8e00u /* present, interrupt gate */
#define TSS_TYPE     UINT64_C(0x89)
#define IST_FAULT    7 /* for vectors that arrive when the stack is unusable */

struct gate {
	uint16_t offset_low, selector, attributes, offset_mid;
	uint32_t offset_high, reserved;
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_base;
} __attribute__((packed));

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern uint8_t vector_stubs[256][16];
extern uint8_t catch_landing[];
extern uint64_t catch_rsp;
void trap(struct trap_frame *f);

struct fault last_fault;

static struct gate idt[256];
static struct tss tss;
static uint8_t fault_stack[4096] __attribute__((aligned(16)));
static bool (*hooks[256])(struct trap_frame *);

void trap_gate(unsigned vector, const void *entry, unsigned ist)
{
	uint64_t offset = (uint64_t)(uintptr_t)(entry != NULL ? entry : vector_stubs[vector]);

	if (entry == NULL && vector == VECTOR_DF)
		ist = IST_FAULT;
	idt[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = CODE64,
		.attributes = (uint16_t)(GATE | ist),
		.offset_mid = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

void trap_set_ist(unsigned n, uint64_t rsp)
{
	tss.ist[n - 1] = rsp;
}

void trap_hook(unsigned vector, bool (*hook)(struct trap_frame *))
{
	hooks[vector] = hook;
}

void trap_load(void)
{
	const struct pointer pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};

	asm volatile("lidt %0" : : "m"(pointer));
}

void trap_init(void)
{
	uint64_t base = (uint64_t)(uintptr_t)&tss;

	trap_set_ist(IST_FAULT, (uint64_t)(uintptr_t)(fault_stack + sizeof(fault_stack)));
	for (unsigned v = 0; v < 256; v++)
		trap_gate(v, NULL, 0);
	tss.io_base = sizeof(tss);
	boot_gdt[TSS_SELECTOR / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | TSS_TYPE << 40 |
				     (base >> 24 & 0xff) << 56;
	boot_gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
	trap_load();
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

static void die(const struct trap_frame *f)
{
	print("exception %lu, error %#lx at %#lx, cr2 %#lx, rsp %#lx, rflags %#lx\n", f->vector,
	      f->error, f->rip, read_cr2(), f->rsp, f->rflags);
	print("rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx\n", f->rax, f->rbx, f->rcx,
	      f->rdx, f->rsi, f->rdi);
	report(false, "unexpected exception %lu", f->vector);
	finish();
}

void trap(struct trap_frame *f)
{
	uint64_t cr2 = read_cr2();

	if (hooks[f->vector] != NULL && hooks[f->vector](f))
		return;
	if (catch_rsp == 0)
		die(f);
	last_fault = (struct fault){(uint32_t)f->vector, f->error, f->rip, cr2, f->rflags};
	f->rip = (uint64_t)(uintptr_t)catch_landing;
	f->rsp = catch_rsp;
	f->rflags &= ~(RFLAGS_TF | RFLAGS_IF);
}
