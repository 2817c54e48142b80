/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* What the sources of the payload "bench" share: see bench.c. */
#include "tests/guest/lib/lib.h"

/*
 * Take and print samples, in ticks. Sample i uses base + i * step; one measurement before the first
 * warms caches if all use the same.
 */
void run(const char *name, uint64_t (*measure)(uint64_t), uint64_t base, uint64_t step);

void run_disk(void);
void run_net(void);

#define OWN_CID 1 /* VMADDR_CID_LOCAL */
/* 'peer': the CID of the other end, or OWN_CID. */
void run_vsock(uint64_t peer);
