/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/guest_paging.h"
#include "hv/host/msr.h"
#include "hv/lib/deadline.h"
#include "hv/loader/loader.h"
#include "hv/vcpu/cpuid_model.h"
#include "hv/vcpu/guest_msr.h"
#include "hv/vcpu/step_kind.h"
#include "hv/vmx/entry.h"
#include "hv/vmx/exit_reason.h"
#include "hv/vmx/guest_fields.h"
#include "hv/vmx/vmx.h"

struct cpu;
struct ept;
struct lapic;
struct vm;

/*
 * Reasons to look around before the next VM entry. Set by the vCPU's own exits
 * and, atomically, by other processors; the run loop tests them all at once.
 */
enum vcpu_request {
	VCPU_REQUEST_EVENT = 1,	  /* something may have to be injected */
	VCPU_REQUEST_TIMER = 2,	  /* the preemption timer has to be set again */
	VCPU_REQUEST_INPUT = 4,	  /* bytes wait for the guest's UART */
	VCPU_REQUEST_HALT = 8,	  /* the guest executed HLT */
	VCPU_REQUEST_START = 16,  /* begin with the kernel: of the boot processor alone */
	VCPU_REQUEST_GATHER = 32, /* something is to be done to the VM as a whole: vm_gather() */
	VCPU_REQUEST_LEAVE = 64,  /* let the scheduler decide */
};

/* Pages of ROM that one instruction sees as scratch pages: step.c. In a frame of its own. */
#define STEP_PAGES_MAX 8
struct step_pages {
	phys_t scratch[STEP_PAGES_MAX]; /* frames, taken when first needed */
	gpa_t gpa[STEP_PAGES_MAX];
	uint64_t rom_entry[STEP_PAGES_MAX]; /* the leaves to put back */
};

/* SDM vol. 1, "XSAVE-Managed State". */
#define XSAVE_ALIGN  64
#define XSAVE_HEADER 512 /* 64 bytes, of which XSAVE writes the first 8 alone */

/*
 * CR0 bits that the guest reads from the shadow and does not set: NE is always set, as VMX demands;
 * CD and NW are always clear, because they would slow the host down too.
 */
#define CR0_HOST_OWNED (CR0_NE | CR0_CD | CR0_NW)

/* MSRs that are in the processor while a vCPU is loaded, but not in its VMCS. */
enum switched_msr {
	SWITCHED_STAR,
	SWITCHED_LSTAR,
	SWITCHED_CSTAR,
	SWITCHED_FMASK,
	SWITCHED_KERNEL_GS_BASE,
	SWITCHED_TSC_AUX, /* last: exists only with RDTSCP */
	N_SWITCHED
};

/* What is in the processor while a vCPU is loaded, and in memory else; with its XSAVE area. */
struct vcpu_saved {
	struct vmcs_guest vmcs;
	uint64_t switched_msr[N_SWITCHED]; /* by enum switched_msr */
	uint64_t dr[4], dr6;
	uint64_t cr2;
};

/* The guest's state that is always in memory. A clone starts with a copy of its template's. */
struct vcpu_guest {
	/* To inject at the next entry: interruption information as in the VMCS; 0: nothing. */
	uint64_t event;
	uint32_t event_error;
	uint32_t event_inst_len;

	uint32_t proc_controls; /* as in the VMCS */

	/* What the vCPU does instead of running. Guarded by the VM's device lock. */
	bool waits_for_sipi;
	bool is_fresh; /* waits since power-on: no INIT has left it registers to keep */
	bool is_dead;  /* halted with interrupts disabled: no interrupt can wake it */

	uint64_t tsc_offset;
	struct guest_msrs msrs;
	uint64_t xcr0;
};

struct vcpu {
	/* Its own, whatever it is a clone of. */
	struct guest_regs regs; /* first: vmx_exited() gets its address */
	struct vm *vm;
	struct ept *ept; /* the VM's */
	struct lapic *lapic;
	uint16_t number; /* in the VM */
	uint16_t vpid;
	uint64_t ept_generation; /* of the last flush on last_cpu; written atomically */
	bool runs;	   /* is in vcpu_run(); with several vCPUs only; atomic, see vcpu_sync.h */
	bool has_moved_on; /* has changed the tree since its last flush */
	struct cpu *last_cpu; /* whose VMCS may still hold the state; NULL: none has it */
	uint64_t slice_end;   /* host TSC */
	uint64_t n_exits;
	const struct cpuid_model *cpuid;
	struct step_pages *step_pages; /* NULL: none needed so far */
	void *xsave_area;	       /* behind the VM's vCPUs; see CPUID leaf 0xd for its size */
	/*
	 * Whose 'saved' and XSAVE area it is loaded from: its own, or, before it has run, those of
	 * its template's vCPU.
	 */
	const struct vcpu *saved_in;
	struct vcpu *next; /* of the scheduler, see hv/vcpu/sched.c */
	bool is_ready;	   /* in the ready queue */
	bool is_halted;
	bool is_paused;	      /* by the operator; atomic */
	bool is_aside;	      /* in the list of those whose VM the operator stopped */
	struct deadline wake; /* host TSC while halted, UINT64_MAX: none */

	/* An instruction, or an event being delivered, that runs on scratch pages: hv/run/step.c.
	 */
	unsigned n_steps;	/* > 0: there is one; pages in use */
	bool steps_instruction; /* RFLAGS.TF is ours; else an event is being delivered */
	enum step_kind step_kind;
	uint64_t step_rip;  /* where the instruction is */
	bool step_guest_tf; /* what RFLAGS.TF was */

	struct vcpu_guest guest;
	struct vcpu_saved saved; /* last; valid while not loaded, and has run */
};

/* What all vCPUs share; constant once the first one runs. */
struct vcpu_shared {
	struct vmx_capability capability;
	struct vmx_controls controls;
	struct cpuid_model cpuid;
	phys_t io_bitmap; /* all ones; serves as A and B */
	phys_t msr_bitmap;
	unsigned preemption_shift; /* TSC ticks a timer tick: 1 << shift */
	uint64_t microcode;
	uint64_t first_entry_tsc; /* of the first VM entry of the machine; 0: none yet */
};
extern struct vcpu_shared vcpu_shared;

static inline bool vcpu_has_control2(uint32_t bit)
{
	return vcpu_shared.controls.word[CONTROLS_PROC2] & bit;
}

/* Fill vcpu_shared from this processor. ERR_NOMEM. Only where vmx_missing() says NULL. */
enum status vcpu_setup(const struct vmx_capability *capability);

/* Levels of EPT leaves this processor has, as ept_init() counts them. */
unsigned vcpu_leaf_levels(void);

/*
 * As after power-on. The XSAVE area is there already, its contents undefined. 'ept' and 'lapic',
 * this vCPU's, live as long as the vCPU; they need not be set up yet.
 */
void vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned number, struct ept *ept,
		 struct lapic *lapic);
/* A clone's becomes what its template's is, which has been put away for good. Not loaded, or
 * vcpu_reload() follows. */
void vcpu_copy(struct vcpu *to, const struct vcpu *from);
/* The vCPU is not loaded anywhere. */
void vcpu_destroy(struct vcpu *vcpu);

/* Not loaded: what it is to be loaded from becomes its own, for whoever reads that. */
void vcpu_keep(struct vcpu *vcpu);
/* As after power-on: the first starts with the kernel, others wait. The vCPU is not loaded. */
void vcpu_power_on(struct vcpu *vcpu);

/* Guest's TSC. */
uint64_t vcpu_now(const struct vcpu *vcpu);
/* Host TSC at which a halted vCPU has something to do by itself. */
uint64_t vcpu_next_deadline(const struct vcpu *vcpu);

static inline void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
	__atomic_fetch_or(&vcpu->regs.requests, requests, __ATOMIC_RELEASE);
}

/* The guest's registers that decide about addresses, from the current VMCS. */
void vcpu_read_paging(struct guest_memory *memory, struct guest_paging *ret);
bool vcpu_in_64bit_code(void);
/* We have executed an instruction for the guest: if it single-steps, the trap is due. */
void vcpu_owe_single_step(void);

enum {
	VECTOR_DB = 1,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_AC = 17,
	VECTOR_MC = 18,
};

/* A guest can make the delivery of these two loop for ever inside the processor. */
#define EXCEPTIONS_ALWAYS (BIT(VECTOR_DB) | BIT(VECTOR_AC))
