/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct vm;

/*
 * If the countdown of the VM's watchdog has ended, do what its option -action watchdog= says. The
 * first vCPU calls this, with the devices locked.
 */
void guest_watchdog_look(struct vm *vm);
