/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/talk.h"

/* Packets about registers, memory and breakpoints, as rows of hv/gdb/session.c. */
gdb_taker gdb_take_registers, gdb_take_set_registers, gdb_take_register, gdb_take_set_register;
gdb_taker gdb_take_read, gdb_take_write, gdb_take_write_binary;
gdb_taker gdb_take_set_break, gdb_take_clear_break;
