/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Before all others: leave these of the first 64 banks to the firmware, except after an exception.
 */
void machine_check_leave_banks(uint64_t banks);

/*
 * On each processor, with the IDT loaded: report what the banks still hold from before the start,
 * clear them, and let them report all errors. The host's CR4.MCE is on from the start, also on
 * processors that are left out, and in guests: an error may be broadcast, and shuts a processor
 * down that does not accept it.
 */
void machine_check_init(void);

/*
 * On each processor, about once a second: log the corrected errors in its banks, a limited number
 * of lines, and clear them. Does nothing while another processor polls.
 */
void machine_check_poll(void);

/* For panic_machine_check(): keep what this processor's banks hold. */
void machine_check_keep(void);

/* For the report of a panic: print the banks that have been kept. */
void machine_check_print(void);
