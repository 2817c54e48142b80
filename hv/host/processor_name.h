/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/lib/types.h"

enum { PROCESSOR_NAME_SIZE = 49 }; /* with its NUL */

/* The processor's name for people, as CPUID gives it, in printable characters without double
 * blanks. */
void processor_name(char name[PROCESSOR_NAME_SIZE], cpuid_source *source);
