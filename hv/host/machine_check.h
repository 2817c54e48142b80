/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * On each processor, with the IDT loaded: report what the banks still hold from before the start,
 * clear them, and let them report all errors. The host's CR4.MCE is on from the start, also on
 * processors that are left out, and in guests: an error may be broadcast, and shuts a processor
 * down that does not accept it.
 */
void machine_check_init(void);

/* For panic_machine_check(): keep what this processor's banks hold. */
void machine_check_keep(void);

/* For the report of a panic: print the banks that have been kept. */
void machine_check_print(void);
