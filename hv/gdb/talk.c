/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/talk.h"

#include "hv/gdb/target.h"
#include "hv/lib/string.h"

void gdb_refuse(struct gdb_session *session, enum status status)
{
	/* As errno on Linux: gdb shows the number. */
	static const uint8_t errors[] = {
		[ERR_INVAL] = 22,   [ERR_RANGE] = 14,	    [ERR_OVERLAP] = 17, [ERR_NOMEM] = 12,
		[ERR_NOTFOUND] = 3, [ERR_UNSUPPORTED] = 95, [ERR_CORRUPT] = 22, [ERR_BUSY] = 16,
	};

	session->reply.len = 0;
	gdb_put(&session->reply, "E%02x", errors[status]);
}

void gdb_answer(struct gdb_session *session, enum status status)
{
	if (status == OK)
		gdb_put(&session->reply, "OK");
	else
		gdb_refuse(session, status);
}

static struct target *first_target(void)
{
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0)
			return &targets[i];
	return NULL;
}

struct target *gdb_resolve(const struct gdb_thread *thread, unsigned *ret_cpu)
{
	bool is_any = thread->pid == GDB_ANY || thread->pid == GDB_ALL;
	struct target *target = is_any ? first_target() : target_find(thread->pid);
	uint32_t tid = thread->tid == GDB_ANY || thread->tid == GDB_ALL ? 1 : thread->tid;

	*ret_cpu = tid - 1;
	return target != NULL && tid <= target->n_cpus ? target : NULL;
}

void gdb_put_thread(struct gdb_session *session, uint32_t pid, uint32_t tid)
{
	if (session->is_multiprocess)
		gdb_put(&session->reply, "p%x.%x", pid, tid);
	else
		gdb_put(&session->reply, "%x", tid);
}
