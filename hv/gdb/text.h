/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/packet.h"
#include "hv/lib/types.h"

/* What a packet's data consist of: words, and numbers and bytes in hexadecimal. */

/* An answer that grows. What does not fit is left out, and noted. */
struct gdb_reply {
	size_t len;
	bool is_cut;
	char text[GDB_PACKET_MAX];
};

void gdb_put(struct gdb_reply *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Two digits for each byte, in the order of memory. */
void gdb_put_bytes(struct gdb_reply *reply, const void *bytes, size_t len);

/* A long text, of which an answer is one piece: 'skip' bytes were read, 'left' are wanted. */
struct gdb_window {
	struct gdb_reply *reply;
	uint64_t skip, left;
	bool has_more;
};
void gdb_show(struct gdb_window *window, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Readers of the data: each moves '*at' over what it has read. False: something else is there, and
 * '*at' is undefined.
 */

/* One to 16 digits. */
bool gdb_read_number(const char **at, uint64_t *ret);
/* Two digits for each of 'len' bytes. */
bool gdb_read_bytes(const char **at, void *ret, size_t len);
/* This word; if it is not there, '*at' stays. */
bool gdb_read_word(const char **at, const char *word);

/* A thread: vCPU tid - 1 of the VM with the index pid - 1. */
struct gdb_thread {
	uint32_t pid, tid;
};
/* Any, and all, in both fields. */
#define GDB_ANY 0
#define GDB_ALL UINT32_MAX

/* "TID", "pPID" or "pPID.TID"; without a process it is 'pid'. */
bool gdb_read_thread(const char **at, uint32_t pid, struct gdb_thread *ret);
