/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Look for a keyboard at the i8042 and switch it on; true if there is one. Once, at start-up. */
bool keyboard_init(void);

/* The next character typed, or -1. Not locked: for the console. */
int keyboard_read(void);
