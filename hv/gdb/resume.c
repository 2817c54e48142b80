/* SPDX-License-Identifier: BSD-2-Clause */
/* vCont: what each thread does. Source: "Debugging with GDB", "Packets", vCont. */
#include "hv/gdb/resume.h"

#include "hv/devices/topology.h"
#include "hv/gdb/target.h"

void gdb_take_resume_kinds(struct gdb_session *session, const char *at)
{
	(void)at;
	gdb_put(&session->reply, "vCont;c;C;s;S");
}

struct action {
	enum target_how how;
	struct gdb_thread thread;
};

/* ";c", ";Csig", ";s" or ";Ssig", and perhaps ":THREAD". A VM takes no signals. */
static bool read_action(const char **at, struct action *ret)
{
	uint64_t signal;
	char letter;

	if (!gdb_read_word(at, ";"))
		return false;
	letter = **at;
	if (letter != 'c' && letter != 'C' && letter != 's' && letter != 'S')
		return false;
	++*at;
	if ((letter == 'C' || letter == 'S') && !gdb_read_number(at, &signal))
		return false;
	ret->how = letter == 'c' || letter == 'C' ? TARGET_CONTINUES : TARGET_STEPS;
	ret->thread = (struct gdb_thread){GDB_ALL, GDB_ALL};
	return !gdb_read_word(at, ":") || gdb_read_thread(at, GDB_ALL, &ret->thread);
}

static bool is_well_formed(const char *at)
{
	struct action action;

	do
		if (!read_action(&at, &action))
			return false;
	while (*at != '\0');
	return true;
}

static bool matches(uint32_t wanted, uint32_t number)
{
	return wanted == GDB_ALL || wanted == GDB_ANY || wanted == number;
}

/* The first action that is about a thread is its. */
static enum target_how how_of(const char *at, uint32_t pid, uint32_t tid)
{
	struct action action;

	while (read_action(&at, &action))
		if (matches(action.thread.pid, pid) && matches(action.thread.tid, tid))
			return action.how;
	return TARGET_STAYS;
}

/* Whether any vCPU of the VM continues. */
static bool resume(const struct target *target, const char *at)
{
	uint8_t how[TOPOLOGY_MAX_CPUS];
	bool continues = false;

	for (unsigned i = 0; i < target->n_cpus; i++) {
		how[i] = (uint8_t)how_of(at, target->pid, i + 1);
		continues |= how[i] != TARGET_STAYS;
	}
	/* One that has not stopped runs already, or has ended: the next look tells. */
	if (continues)
		(void)target_resume(target, how);
	return continues;
}

void gdb_take_resume(struct gdb_session *session, const char *at)
{
	if (!is_well_formed(at)) {
		gdb_refuse(session, ERR_INVAL);
		return;
	}
	session->ran = 0;
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0 && resume(&targets[i], at))
			session->ran |= (uint8_t)(1U << i);
	if (session->ran == 0) {
		gdb_refuse(session, ERR_NOTFOUND);
		return;
	}
	session->answers = false;
	session->state = GDB_RUNS;
}
