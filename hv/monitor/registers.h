/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/dump.h"
#include "hv/monitor/info.h"

/* A virtual processor's registers as QEMU's "info registers" has them, but for those of x87 and
 * SSE. */
void cpu_text(const struct dump_cpu *cpu, unsigned index, bool is_halted, info_emit *emit,
	      void *context);
