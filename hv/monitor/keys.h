/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Read the host's console, hand the bytes to the VM in focus or to the monitor, and let the monitor
 * work. The boot processor calls this regularly.
 */
void keys_poll(void);
