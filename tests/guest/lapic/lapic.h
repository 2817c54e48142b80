/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The parts of the lapic payload. Those without "xapic_" run in both modes. */

#include "tests/guest/lib/lib.h"

void registers_check(const char *mode);
void delivery_check(const char *mode);
void priority_check(const char *mode);
void timer_check(const char *mode);
void ioapic_check(const char *mode);
void xapic_access_check(void);
void xapic_base_check(void);
void x2apic_check(void);
void pv_eoi_check(void);
