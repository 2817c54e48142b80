/* SPDX-License-Identifier: BSD-2-Clause */
/* "inject late 3000": processor 1 answers a wake-up after up to so many microseconds, at random. */
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/exception.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "tests/inject/inject.h"
#include "tests/inject/nmis.h"

static void wait_up_to(uint64_t us)
{
	static bool is_told;
	uint64_t until = rdtsc() + inject_random(us) * (tsc_hz / 1000000);

	if (!is_told)
		log_info("inject: late answers to wake-ups");
	is_told = true;
	while (rdtsc() < until)
		pause();
}

void __real_interrupt_dispatch(struct interrupt_frame *frame);
void __wrap_interrupt_dispatch(struct interrupt_frame *frame)
{
	uint64_t us;

	if (frame->vector == VECTOR_WAKE && this_cpu()->index == 1 && inject_asked("late ", &us))
		wait_up_to(us);
	if (frame->vector == VECTOR_NMI)
		inject_nmi(frame);
	__real_interrupt_dispatch(frame);
}
