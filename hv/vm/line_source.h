/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vm;

/*
 * Where a line of a VM's output comes from: a port of one of its devices, both from 0. 0 is COM1,
 * or the port in its place.
 */
uint16_t vm_line_source(unsigned device, unsigned port);
/* What is shown after the VM's name. "": nothing. */
const char *vm_line_label(const struct vm *vm, uint16_t source);
