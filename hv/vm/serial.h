/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/* Whether VMs' names have colors before their lines, by turns. At first not. Before VMs run. */
void vm_serial_use_colors(bool on);

/* A byte that a guest sent to the console. The devices are locked. */
void vm_put_output(struct vm *vm, uint8_t byte);
/*
 * The same of another source of output, not 0: see hv/vm/line_source.h. Unfinished lines of two
 * sources are not kept at a time.
 */
void vm_put_port_output(struct vm *vm, uint16_t source, uint8_t byte);
/* Hold the UART's line while the VM must wait before it prints more. The devices are locked. */
void vm_hold_uart(struct vm *vm);
/* Show an unfinished line of output. The devices are locked, or no vCPU runs. */
void vm_flush_output(struct vm *vm);

/* Add a typed byte, or drop it if there is no room. Called by the boot processor only. */
void vm_put_input(struct vm *vm, uint8_t byte);
/* Whether vm_put_input() has room. Called by the boot processor only. */
bool vm_has_input_room(const struct vm *vm);
/* Whether typed bytes wait. Called by the boot processor only. */
bool vm_has_input(const struct vm *vm);
/*
 * Move typed bytes into the UART, as far as it has room, if the operator's console is COM1. The
 * devices are locked.
 */
void vm_take_input(struct vm *vm);
/*
 * Copy typed bytes, 'max' at most, for the port in COM1's place; returns how many. The devices are
 * locked.
 */
uint32_t vm_peek_input(const struct vm *vm, uint8_t *to, uint32_t max);
/* Drop that many of them. The devices are locked. */
void vm_drop_input(struct vm *vm, uint32_t n);
