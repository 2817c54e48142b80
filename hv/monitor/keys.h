/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Read the host's console and hand the bytes to the VM in focus or to the monitor, then let the
 * monitor work. By the boot processor, again and again.
 */
void keys_poll(void);
