/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/text.h"
#include "hv/lib/status.h"

struct target;

/*
 * A session with one gdb, about the VMs of hv/gdb/target.h. All VMs that it is attached to stop
 * together. All zeros: no gdb has spoken yet.
 */
struct gdb_session {
	enum {
		GDB_STOPPED, /* gdb asks */
		GDB_RUNS,    /* gdb waits until something stops */
		GDB_STOPS,   /* the same, and all have been asked to stop */
	} state;
	bool has_no_acks, is_multiprocess, answers;
	bool attaches;	   /* the next stop is what gdb has asked for */
	uint32_t attached; /* the process that gdb has attached to last; 0: it has been told */
	uint8_t ran;	   /* which of the targets have run since the last stop, a bit each */
	struct gdb_thread general, resumed; /* of the packets Hg and Hc */
	unsigned listed, listed_tid;	    /* of the list of threads: the next one */
	const char *end;		    /* of the packet's data */
	uint64_t shown;			    /* bytes of the list of processes that were read */
	struct gdb_reply reply;		    /* if 'answers' */
};

/* A packet's handler gets what comes after the packet's word. */
typedef void gdb_taker(struct gdb_session *session, const char *at);

/* Answer a packet that has nothing else to say. */
void gdb_answer(struct gdb_session *session, enum status status);
/* In the place of an answer that was begun. 'status' is not OK. */
void gdb_refuse(struct gdb_session *session, enum status status);
/* The VM and the vCPU of a thread; NULL: there is none. */
struct target *gdb_resolve(const struct gdb_thread *thread, unsigned *ret_cpu);
void gdb_put_thread(struct gdb_session *session, uint32_t pid, uint32_t tid);
