/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"
#include "hv/guest/guest_paging.h"

/*
 * What a processor has decoded lately: drivers execute the same few instructions on a device again
 * and again, and to walk to an instruction costs more than the rest of its emulation. An
 * instruction is taken from here only if all that it depends on is unchanged: the registers, the
 * entries of the page tables, and the bytes.
 */
#define RECENT_INSNS 8
#define RECENT_BYTES 16 /* of code that are compared: at least INSN_MAX_LEN */

/* Which instruction is meant, and the state of the machine that pointers of the host depend on. */
struct recent_key {
	uint64_t epoch;	     /* above 0; differs after another vCPU was loaded */
	uint64_t generation; /* of the EPT */
	uint64_t linear;     /* address of the instruction */
	enum insn_mode mode;
};

struct recent_insn {
	struct recent_key key; /* epoch 0: nothing is here */
	uint64_t cr0, cr3, cr4, efer;
	unsigned cpl;
	struct guest_walk walk;
	const uint8_t *code; /* the host's address of the first byte */
	uint64_t bytes[RECENT_BYTES / 8];
	struct insn insn;
};

/* All zeros: nothing. Of one processor, without a lock of its own. */
struct recent {
	struct recent_insn insn[RECENT_INSNS];
};

/* Where an instruction at the linear address is, if it is here. */
static inline struct recent_insn *recent_slot(struct recent *recent, uint64_t linear)
{
	return &recent->insn[(linear ^ linear >> 4) % RECENT_INSNS];
}

/* Whether the slot has this instruction, and nothing has changed. The VM's lock is held. */
bool recent_holds(const struct recent_insn *slot, const struct recent_key *key,
		  const struct guest_paging *paging);

/*
 * Let the slot hold a decoded instruction. The caller has filled in 'walk', 'code', 'bytes' and
 * 'insn'. Outside long mode, and near the end of a page, the slot stays empty.
 */
void recent_keep(struct recent_insn *slot, const struct recent_key *key,
		 const struct guest_paging *paging);
