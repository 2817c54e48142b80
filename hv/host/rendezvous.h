/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Keep all other processors out of guests, and out of everything else, for what must see the whole
 * machine at rest. The processors arrive between two slices, without a lock: the caller of
 * rendezvous_begin() holds none, and one processor at a time calls it. It waits a slice at most,
 * and what a teardown takes.
 */
void rendezvous_begin(void);
void rendezvous_end(void);

/* For the loop of each processor: wait here while another one has begun. */
void rendezvous_pass(void);
