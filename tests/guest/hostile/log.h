/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What survives a reset and a revert: a page of shared memory for each seed. An action is noted
 * before it begins, so that one which loses the VM is not repeated.
 */
#include "tests/guest/hostile/hostile.h"

/* In the first DIMM, but not at its start, where small numbers and powers of two lead. */
#define LOG_BASE  UINT64_C(0x1001a5000)
#define LOG_MAGIC UINT64_C(0x676f6c20656c6976)

#define LOGS_MAX 64

struct log {
	uint64_t magic;
	int owner;	/* the clone that works on it, or has */
	bool is_frozen; /* the owner has become a template: only a clone of it continues */
	volatile bool is_done;
	volatile uint32_t n_ticks;   /* of the keeper */
	uint32_t seen_reverts;	     /* of the owner */
	uint32_t next[N_ACTORS_MAX]; /* action of each actor */
	uint64_t n_instructions;     /* of check_rom(): all others come on top */
	uint32_t n_steps, n_faults, n_timers, n_nmis, n_storms;
	uint32_t n_answered,
		n_broken; /* rings of virtio devices: answered, and in need of a reset */
	uint32_t n_restarts, n_resets, n_reverts, n_freezes, n_lost;
};

extern struct log *the_log;
extern uint64_t the_seed;
