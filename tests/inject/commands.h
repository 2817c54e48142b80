/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Of "inject commands". On the boot processor. */

/* The allocations that follow are the last command's, or no longer. */
void inject_command_works(bool works);
bool inject_command_is_working(void);
/* Whether the next allocation of the command fails; counts it. */
bool inject_command_fails(void);
