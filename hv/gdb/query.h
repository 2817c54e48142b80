/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/talk.h"

/* Packets that ask about threads, processes and the registers, as rows of hv/gdb/session.c. */
gdb_taker gdb_take_attached, gdb_take_current, gdb_take_thread_text, gdb_take_target_xml,
	gdb_take_processes, gdb_take_first_threads, gdb_take_next_threads;

/* Whether the list "[:]NAME;NAME..." has this name. */
bool gdb_has_feature(const char *list, const char *name);
