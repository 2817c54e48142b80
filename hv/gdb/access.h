/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/talk.h"
#include "hv/lib/status.h"

/* Packets about registers, memory and breakpoints of one thread, as rows of hv/gdb/session.c. */
struct gdb_subject {
	struct target *target;
	unsigned cpu;
};
/* ERR_x: what was put into the answer does not count. */
typedef enum status gdb_accessor(struct gdb_session *session, const struct gdb_subject *subject,
				 const char *at);

/* These make the answer. */
gdb_accessor gdb_access_get_all, gdb_access_get_one, gdb_access_read, gdb_access_set_break;
/* The answer to these is whether they could. */
gdb_accessor gdb_access_set_all, gdb_access_set_one, gdb_access_write, gdb_access_write_binary,
	gdb_access_clear_break;
