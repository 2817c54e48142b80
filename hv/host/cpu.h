/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/frame.h"
#include "hv/host/run_queue.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

#define CPU_MAX 1024

/* Selectors in every processor's GDT. */
enum { CPU_SELECTOR_CODE = 0x08, CPU_SELECTOR_DATA = 0x10, CPU_SELECTOR_TSS = 0x18 };

/* Indices in the IST. */
enum { CPU_IST_DOUBLE_FAULT = 1, CPU_IST_NMI, CPU_IST_MACHINE_CHECK, CPU_IST_FAULT, CPU_IST_END };

/* SDM vol. 3, "64-Bit TSS Format". */
struct tss {
	uint32_t reserved0;
	uint32_t rsp[3][2]; /* low, high: the format does not align to 8 bytes */
	uint32_t reserved1[2];
	uint32_t ist[7][2]; /* ist[0] is IST1 */
	uint32_t reserved2[2];
	uint16_t reserved3;
	uint16_t io_map_base;
};
_Static_assert(sizeof(struct tss) == 104, "SDM");

struct vcpu;

/* Of a processor: see hv/vmx/vpid.h. All zeros at first. */
struct vpid_source {
	uint32_t round;
	uint16_t n_left; /* in this round */
};

/* The turn of a vCPU, host TSC. It is much shorter than 2^31 ticks. */
struct cpu_slice {
	uint64_t end;
	uint64_t wakes_from; /* from then on, the deadline of a halted vCPU ends it */
};

struct vm;

/* VMs that were listed on a processor, and not looked for since: see hv/vm/vm.c. */
struct new_vms {
	struct lock lock;
	struct vm *first; /* written atomically */
	struct vm **end;  /* the last one's 'next' */
};

/*
 * One per processor, found through the GS base. Only its own processor writes it, except where a
 * field says otherwise.
 */
struct cpu {
	struct cpu *self;   /* first: read by this_cpu() */
	uint64_t stack_top; /* end of the stack for cpu_enter() */
	uint32_t index;	    /* in cpus[]; 0 is the boot processor */
	uint32_t apic_id;
	struct vcpu *current; /* the vCPU whose state is loaded here; atomic */
	struct cpu_slice slice;
	struct frame_stack frames;
	phys_t vmxon_region; /* 0: VMX is off here */
	phys_t vmcs; /* the processor's only VMCS; just a frame while 'vmcs_made' is false */
	phys_t virtual_apic; /* 0: there is none; see hv/vcpu/virtual_apic.h */
	bool vmcs_made;
	bool vmcs_launched;  /* while no vCPU is loaded */
	phys_t msr_bitmap;   /* in the VMCS */
	bool has_in_service; /* the VMCS may have one in service; only with a bitmap for that */
	struct vcpu
		*vmcs_of; /* whose state it holds, if that vCPU was here last; not to be followed */
	phys_t ept_root;  /* for trees without a root of their own; see vcpu_forget() */
	uint64_t eptp[2]; /* the EPT pointer in the VMCS, and 0, which make INVEPT's descriptor */
	uint64_t ept_top; /* the first entry of 'ept_root' */
	struct vpid_source vpids;
	/* The layer whose root's translations here are all current; 0: none. See vcpu_forget(). */
	uint64_t clean_layer;
	uint64_t spec_ctrl;	  /* in IA32_SPEC_CTRL, unless VM entries and exits switch it */
	bool left_out;		  /* set by the boot processor: halt instead of running guests */
	uint32_t arrival;	  /* enum arrival; atomic */
	uint32_t watchdog_rounds; /* in which its loop has passed */
	uint64_t chores_due;	  /* TSC; see hv/processor.c */
	uint64_t
		page_generation; /* of the host's page tables when last loaded: see paging_sync() */
	uint64_t gdt[5];	 /* null, code, data, TSS (two) */
	struct tss tss;
	struct run_queue queue __attribute__((aligned(64))); /* of the scheduler */
	struct new_vms new_vms;				     /* any processor's */
	uint64_t n_loads;     /* incremented when the VMCS gets another vCPU's state */
	uint64_t recent[256]; /* hv/run/recent.h: what was decoded here lately */
} __attribute__((aligned(PAGE_SIZE)));

/* The n_cpus running processors; constant once those that lack something are left out. */
extern struct cpu *cpus[CPU_MAX];
extern unsigned n_cpus;

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	/* Not volatile: a function runs on one processor from its start to its end. */
	asm("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* The first step of hv_main(): this_cpu() and the GDT. Needs no memory. */
void cpu_init_boot(void);

/* Load GS base, GDT and TSS of the calling processor. */
void cpu_load(struct cpu *cpu);

/*
 * Leave VMX operation, if this processor is in it: in VMX operation INIT is blocked, and the
 * firmware cannot change CR0 and CR4 freely.
 */
void cpu_leave_vmx(void);

/* What a processor runs once it is set up; never returns. */
typedef void cpu_entry(struct cpu *cpu);

/* cpu.asm: leave the current stack for cpu's own and call entry(cpu) there. */
_Noreturn void cpu_enter(struct cpu *cpu, cpu_entry *entry);

/* cpu.asm. Halt with interrupts enabled until one arrives, then return with them disabled. */
void cpu_wait(void);
/* Its HLT, an instruction of one byte. */
extern const char cpu_wait_halt[];
