/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/talk.h"

/* What gdb asks for, and what it is told: the protocol without its port. */

/* Carry a packet out: 'len' bytes and a NUL. */
void gdb_take(struct gdb_session *session, const char *data, size_t len);
/* Ctrl-C. */
void gdb_interrupt(struct gdb_session *session);
/* While gdb waits: whether it can be told that something has stopped. */
void gdb_look(struct gdb_session *session);
