/* SPDX-License-Identifier: BSD-2-Clause */
/* In front of hv/host/msr.h: no MSR keeps what is written. */
#pragma once

#define rdmsr	   real_rdmsr
#define wrmsr	   real_wrmsr
#define wrmsr_from real_wrmsr_from
#include_next "hv/host/msr.h"
#undef rdmsr
#undef wrmsr
#undef wrmsr_from

static inline uint64_t rdmsr(uint32_t msr)
{
	return 0;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
}

static inline void wrmsr_from(uint32_t msr, const uint64_t *value)
{
	wrmsr(msr, *value);
}
