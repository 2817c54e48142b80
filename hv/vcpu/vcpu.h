/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/msr.h"
#include "hv/lib/deadline.h"
#include "hv/lib/string.h"
#include "hv/vcpu/cpuid_model.h"
#include "hv/vcpu/guest_msr.h"
#include "hv/vcpu/kvm_msr.h"
#include "hv/vmx/entry.h"
#include "hv/vmx/exit_reason.h"
#include "hv/vmx/guest_fields.h"
#include "hv/vmx/vmx.h"
#include "hv/vmx/vpid.h"

struct cpu;
struct ept;
struct guest_memory;
struct guest_paging;
struct lapic;
struct vm;

/*
 * Reasons to stop and look before the next VM entry. Set by the vCPU's own exits and, atomically,
 * by other processors; one load of the run loop tests them all.
 */
enum vcpu_request {
	VCPU_REQUEST_EVENT = 1, /* an event may be due for injection */
	VCPU_REQUEST_TIMER = 2, /* a timer is due, or 'until' must be found again */
	VCPU_REQUEST_UART = 4,	/* bytes wait for the guest's UART, or its line takes bytes again */
	VCPU_REQUEST_HALT = 8,	/* the guest executed HLT */
	VCPU_REQUEST_START = 16,      /* begin with the kernel; for vCPU 0 only */
	VCPU_REQUEST_GATHER = 32,     /* an action on the whole VM is pending: vm_gather() */
	VCPU_REQUEST_LEAVE = 64,      /* return to the scheduler */
	VCPU_REQUEST_VIRTIO = 128,    /* virtio devices have work */
	VCPU_REQUEST_BUTTON = 256,    /* the power button was pressed; for vCPU 0 only */
	VCPU_REQUEST_RESUMED = 512,   /* the VM had stopped, or is another now */
	VCPU_REQUEST_IDENTITY = 1024, /* the VM is another, which its guest's memory must say */
};

/*
 * Pages that the current instruction sees as scratch pages: hv/run/step.c. One frame. The VM's
 * limit counts it and the scratch pages.
 */
#define STEP_PAGES_MAX 8
struct step_pages {
	phys_t scratch[STEP_PAGES_MAX]; /* frames, allocated when first needed */
	/* Of those in use, the oldest first. */
	gpa_t gpa[STEP_PAGES_MAX];
	uint64_t old_entry[STEP_PAGES_MAX]; /* the leaves to restore; 0: none */
	/* Where the instruction began: a repeated one moves RCX only. */
	uint64_t rip, rcx;
	uint64_t blocking; /* the guest's own blocking by STI or MOV SS */
};

/* Kinds of exits, which are counted. */
enum exit_kind {
	EXITS_OTHER,
	EXITS_CPUID,
	EXITS_CR,
	EXITS_EPT_VIOLATION,
	EXITS_HLT,
	EXITS_INTERRUPT, /* an external one */
	EXITS_IO,
	EXITS_MSR_READ,
	EXITS_MSR_WRITE,
	EXITS_TIMER, /* the preemption timer */
	N_EXIT_KINDS
};

/* SDM vol. 1, "XSAVE-Managed State". */
#define XSAVE_ALIGN  64
#define XSAVE_HEADER 512 /* 64 bytes, of which XSAVE writes only the first 8 */

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

/* What the processor holds while a vCPU is loaded. In memory otherwise, with the XSAVE area. */
struct vcpu_saved {
	struct vmcs_guest vmcs;
	uint64_t switched_msr[N_SWITCHED]; /* by enum switched_msr */
	uint64_t dr[4], dr6;
	uint64_t cr2;
};

/* The guest's state that is always in memory. A clone starts with a copy of its template's, up to
 * 'msrs'. */
struct vcpu_guest {
	/* To inject at the next entry: interruption information as in the VMCS; 0: nothing. */
	uint64_t event;
	uint32_t event_error;
	uint32_t event_inst_len;

	uint32_t proc_controls; /* as in the VMCS */

	/* What the vCPU does instead of running. Guarded by the VM's device lock. */
	bool waits_for_sipi;
	bool is_fresh; /* waiting since power-on: no INIT has left registers to keep */
	bool is_dead;  /* halted with interrupts disabled: no interrupt can wake it */

	bool owns_msrs;

	uint64_t tsc_offset, tsc_adjust; /* IA32_TSC_ADJUST is the part the guest has added */
	struct kvm_msrs kvm;
	uint64_t xcr0;

	/* Last, because a clone's are its template's until its first write: vcpu_own_msrs(). */
	union {
		struct guest_msrs msrs; /* if 'owns_msrs' */
		const struct guest_msrs *template_msrs;
	};
};

struct vcpu {
	/* The vCPU's own; of these, only regs.gpr and regs.spec_ctrl are copied from a template. */
	struct guest_regs regs; /* first: vmx_exited() casts its address */
	const struct cpuid_model *cpuid;
	struct vm *vm;	 /* begins with its struct share, hv/vcpu/share.h */
	struct ept *ept; /* of the VM */
	struct lapic *lapic;
	/* CPUID leaf 0xd has its size. NULL: of a clone, and never loaded; vm_take_area(). Atomic.
	 */
	void *xsave_area;
	/*
	 * The vCPU from whose 'saved' and XSAVE area this one is loaded: itself or, before its
	 * first run, its template's vCPU.
	 */
	const struct vcpu *saved_in;
	uint32_t look_at; /* low half of the TSC: the next exit from then on looks at the clock */
	/* Of the scheduler, see hv/vcpu/sched.c. */
	bool is_ready; /* in a queue, or a processor's 'new_vcpu' */
	bool is_halted;
	bool is_paused;			/* by the operator; atomic */
	bool is_aside;			/* stopped */
	uint64_t n_exits[N_EXIT_KINDS]; /* written by this vCPU only */
	uint16_t number;		/* in the VM */
	uint16_t halted_on; /* the index of the processor whose heap has 'wake'; see sched.c */
	/* Inside vcpu_run(). Set only if the VM has several vCPUs; atomic, see hv/run/sync.c. */
	bool runs;
	bool has_moved_on;	 /* this vCPU has changed the tree since its last flush */
	uint64_t ept_generation; /* of the last flush on last_cpu; written atomically */
	struct cpu *last_cpu;	 /* whose VMCS may still hold the state; NULL: none; atomic */
	/* Ticks of waiting that the guest has not been told of. In a template: when it froze, host
	 * TSC. */
	uint64_t stolen;
	struct step_pages *step_pages; /* NULL: never needed */

	/*
	 * The current step: an instruction, or an event being delivered, on scratch pages
	 * (hv/run/step.c).
	 */
	uint16_t n_reused;	/* scratch pages taken from earlier pages of the step */
	bool steps_instruction; /* otherwise an event is being delivered */
	uint8_t n_pauses;	/* exits, modulo 256, where there is no PAUSE-loop exiting */
	union {
		struct {
			uint8_t n_steps;    /* scratch pages in use; 0: no step */
			uint8_t debug_step; /* a debugger's: enum debug_step of hv/vm/debug.h */
		};
		uint16_t is_stepping; /* one of both */
	};
	/* Reverted, it has nothing to do before it enters its guest: see vcpu_begin_again(). */
	bool begins_calm;

	/* Undefined until its first use, unlike what is from 'look_at' to here. */

	union {
		/* Loaded, host TSC: when the loop must look around, at the slice's end or before.
		 */
		uint64_t until;
		/* Ready, host TSC: since when, if the guest wants to know its stolen time. */
		uint64_t ready_since;
	};
	struct vpid vpid;     /* of last_cpu */
	struct vcpu *next;    /* the scheduler's, while is_ready */
	struct deadline wake; /* if is_halted: when it wakes, host TSC; UINT64_MAX: never */

	struct vcpu_guest guest;
	/* Last. Valid after the first run, while the vCPU is not loaded. */
	struct vcpu_saved saved;
};

/* What all vCPUs share. Constant after the first VM entry. */
struct vcpu_shared {
	struct vmx_capability capability;
	struct vmx_controls controls;
	struct cpuid_model cpuid;
	phys_t io_bitmap; /* all ones; serves as bitmaps A and B */
	phys_t msr_bitmap;
	phys_t msr_bitmap_eoi;	   /* lets EOI through; 0: processors lack the control */
	phys_t msr_bitmap_tpr;	   /* lets EOI and TPR through, and what lapic_shows() */
	unsigned preemption_shift; /* a timer tick is 1 << shift TSC ticks */
	uint64_t clock_grain;	   /* ticks of the TSC: a slice may end so much later */
	unsigned n_switched;	   /* of enum switched_msr */
	uint64_t invept_type;	   /* enum flush_type, by the capability */
	bool switches_speculation; /* vCPUs have their own IA32_SPEC_CTRL */
	uint64_t microcode;
	uint64_t first_entry_tsc; /* of the machine's first VM entry; 0: none yet */
};
extern struct vcpu_shared vcpu_shared;

static inline bool vcpu_has_control2(uint32_t bit)
{
	return vcpu_shared.controls.word[CONTROLS_PROC2] & bit;
}

static inline bool vcpu_has_preemption_timer(void)
{
	return vcpu_shared.controls.word[CONTROLS_PIN] & PIN_PREEMPTION_TIMER;
}

/* Levels of EPT leaves that this processor has, as ept_init() counts them. */
unsigned vcpu_leaf_levels(void);

/*
 * State as after power-on. xsave_area is set already, with any contents. 'ept' and 'lapic' live as
 * long as the vCPU; they need not be initialised yet.
 */
void vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned number, struct ept *ept,
		 struct lapic *lapic);
/* The same for a clone's vCPU, with the state of its template's: vcpu_copy(). */
void vcpu_create_copy(struct vcpu *to, struct vm *vm, struct ept *ept, struct lapic *lapic,
		      const struct vcpu *from);
/*
 * Give a clone's vCPU its template's state. 'from' is a template's, which never runs again, after
 * vcpu_keep(); 'to' is not loaded.
 */
void vcpu_copy(struct vcpu *to, const struct vcpu *from);
/*
 * The same for a vCPU that is loaded here, and is about neither to start nor to halt. The caller
 * calls vcpu_reload(), and requests vcpu_requests_of_copy().
 */
void vcpu_copy_loaded(struct vcpu *to, const struct vcpu *from);
/* Free the scratch pages of steps. The vCPU is in no step. The VM's lock is held, or no vCPU runs.
 */
void vcpu_free_scratch(struct vcpu *vcpu);
/* The vCPU is not loaded anywhere. */
void vcpu_destroy(struct vcpu *vcpu);

/* Copy the saved state of the template's vCPU, for a reader. The vCPU has an area, and is not
 * loaded. */
void vcpu_keep(struct vcpu *vcpu);
/* State as after power-on: vCPU 0 starts with the kernel, others wait for a SIPI. Not loaded. */
void vcpu_power_on(struct vcpu *vcpu);

/* The guest's current TSC. */
uint64_t vcpu_now(const struct vcpu *vcpu);
/* Host TSC at which the local APIC's timer wakes a halted vCPU; UINT64_MAX: never. */
uint64_t vcpu_next_deadline(const struct vcpu *vcpu);

/* All exits so far. Any processor. */
static inline uint64_t vcpu_n_exits(const struct vcpu *vcpu)
{
	uint64_t n = 0;

	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		n += __atomic_load_n(&vcpu->n_exits[kind], __ATOMIC_RELAXED);
	return n;
}

/* What the guest reads. */
static inline const struct guest_msrs *vcpu_msrs(const struct vcpu *vcpu)
{
	return vcpu->guest.owns_msrs ? &vcpu->guest.msrs : vcpu->guest.template_msrs;
}

/* Before the first write. */
static inline struct guest_msrs *vcpu_own_msrs(struct vcpu *vcpu)
{
	if (!vcpu->guest.owns_msrs)
		vcpu->guest.msrs = *vcpu->guest.template_msrs;
	vcpu->guest.owns_msrs = true;
	return &vcpu->guest.msrs;
}

/* Whether the vCPU is stopped, or about to be. */
static inline bool vcpu_is_paused(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->is_paused, __ATOMIC_RELAXED);
}

static inline void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
	__atomic_fetch_or(&vcpu->regs.requests, requests, __ATOMIC_RELEASE);
}

/* What is requested of a copy of a template's vCPU. */
static inline uint32_t vcpu_requests_of_copy(const struct vcpu *from)
{
	return VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER |
	       (from->regs.requests & (VCPU_REQUEST_HALT | VCPU_REQUEST_VIRTIO));
}

/* Before the first XSAVE into the area, which may have any contents. */
static inline void vcpu_clear_xsave_header(struct vcpu *vcpu)
{
	zero_words((char *)vcpu->xsave_area + XSAVE_HEADER, XSAVE_ALIGN / 8);
}

/* The registers that decide how the guest's addresses translate, from the current VMCS. */
void vcpu_read_paging(struct guest_memory *memory, struct guest_paging *ret);
bool vcpu_in_64bit_code(void);
/* An instruction was executed for the guest: if the guest single-steps, its trap is due. */
void vcpu_owe_single_step(void);

#define RFLAGS_TF BIT(8)
#define RFLAGS_RF BIT(16)

enum {
	VECTOR_DB = 1,
	VECTOR_BP = 3,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_AC = 17,
	VECTOR_MC = 18,
};

/*
 * Intercepted in every state. A guest can make the delivery of #DB and #AC loop inside the
 * processor without end. #MC is the machine's.
 */
#define EXCEPTIONS_ALWAYS (BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC))

/* Always set in the guest's real CR4; the guest sees its own MCE, and no VMXE. */
#define CR4_HOST_OWNED (CR4_VMXE | CR4_MCE)
