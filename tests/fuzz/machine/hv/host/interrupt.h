/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of hv/host/interrupt.h: the handlers of the host have nothing to do. */
#pragma once

static inline void interrupt_handle_nmi(void)
{
}

static inline void cpu_take_interrupts(void)
{
}
