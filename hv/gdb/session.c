/* SPDX-License-Identifier: BSD-2-Clause */
/* The packets, a row each; and what is told when something has stopped. */
#include "hv/gdb/session.h"

#include "hv/gdb/access.h"
#include "hv/gdb/query.h"
#include "hv/gdb/resume.h"
#include "hv/gdb/target.h"
#include "hv/lib/string.h"

/*
 * Signals as gdb's protocol numbers them. It shows a debugger's own stop as SIGTRAP, another one as
 * SIGINT.
 */
enum { SIGNAL_INTERRUPT = 2, SIGNAL_TRAP = 5, SIGNAL_ABORT = 6 };

static void put_stop(struct gdb_session *session, const struct target *target,
		     const struct target_stop *stop)
{
	static const char reasons[][10] = {
		[TARGET_ASKED] = "",
		[TARGET_STEPPED] = "",
		[TARGET_AT_SOFTWARE] = "swbreak:;",
		[TARGET_AT_HARDWARE] = "hwbreak:;",
		[TARGET_WROTE] = "watch:",
		[TARGET_ACCESSED] = "awatch:",
	};
	bool is_asked = stop->why == TARGET_ASKED && !session->attaches;

	gdb_put(&session->reply, "T%02xthread:", is_asked ? SIGNAL_INTERRUPT : SIGNAL_TRAP);
	gdb_put_thread(session, target->pid, stop->cpu + 1);
	gdb_put(&session->reply, ";%s", reasons[stop->why]);
	if (stop->why == TARGET_WROTE || stop->why == TARGET_ACCESSED)
		gdb_put(&session->reply, "%lx;", stop->address);
	session->general = session->resumed = (struct gdb_thread){target->pid, stop->cpu + 1};
}

static void put_end(struct gdb_session *session, struct target *target, enum target_state state)
{
	if (state == TARGET_FAILED)
		gdb_put(&session->reply, "X%02x", SIGNAL_ABORT);
	else
		gdb_put(&session->reply, "W00");
	if (session->is_multiprocess)
		gdb_put(&session->reply, ";process:%x", target->pid);
	(void)target_detach(target); /* it is gone: its place is free */
}

/* How much gdb wants to hear of this one first. */
static unsigned urgency(const struct gdb_session *session, unsigned i, enum target_state state,
			const struct target_stop *stop)
{
	if (targets[i].pid == session->attached)
		return 5;
	if (state != TARGET_STOPPED)
		return 4;
	if (!(session->ran & 1U << i))
		return 1;
	return stop->why != TARGET_ASKED ? 3 : 2;
}

/* All VMs have stopped: tell about the one that gdb wants to hear of. */
static void tell(struct gdb_session *session)
{
	struct target_stop stop, chosen_stop = {0};
	enum target_state state, chosen_state = TARGET_STOPPED;
	struct target *chosen = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < TARGETS_MAX; i++) {
		if (targets[i].pid == 0)
			continue;
		state = target_look(&targets[i], &stop);
		if (urgency(session, i, state, &stop) <= most)
			continue;
		most = urgency(session, i, state, &stop);
		chosen = &targets[i];
		chosen_state = state;
		chosen_stop = stop;
	}
	session->state = GDB_STOPPED;
	session->answers = true;
	if (chosen == NULL)
		gdb_put(&session->reply, "W00"); /* what gdbserver says without a process */
	else if (chosen_state == TARGET_STOPPED)
		put_stop(session, chosen, &chosen_stop);
	else
		put_end(session, chosen, chosen_state);
	session->attaches = false;
	session->attached = 0;
	session->ran = 0;
}

static void stop_all(void)
{
	struct target_stop stop;

	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0 && target_look(&targets[i], &stop) == TARGET_RUNS)
			target_stop(&targets[i]);
}

static bool any_runs(void)
{
	struct target_stop stop;

	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0 && target_look(&targets[i], &stop) == TARGET_RUNS)
			return true;
	return false;
}

static bool one_has_stopped(const struct gdb_session *session)
{
	struct target_stop stop;

	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (targets[i].pid != 0 && session->ran & 1U << i &&
		    target_look(&targets[i], &stop) != TARGET_RUNS)
			return true;
	return false;
}

static void wait_for_stop(struct gdb_session *session)
{
	session->answers = false;
	session->state = GDB_STOPS;
	stop_all();
}

void gdb_look(struct gdb_session *session)
{
	if (session->state == GDB_RUNS && one_has_stopped(session))
		wait_for_stop(session);
	if (session->state == GDB_STOPS && !any_runs())
		tell(session);
}

void gdb_interrupt(struct gdb_session *session)
{
	if (session->state == GDB_RUNS)
		wait_for_stop(session);
}

static void take_why(struct gdb_session *session, const char *at)
{
	(void)at;
	session->attaches = true;
	wait_for_stop(session);
}

static void take_extended(struct gdb_session *session, const char *at)
{
	(void)at;
	gdb_answer(session, OK);
}

/* Hg, Hc: the thread that later packets are about. */
static void take_thread(struct gdb_session *session, const char *at)
{
	char which = *at++;
	struct gdb_thread thread;
	unsigned cpu;

	if (!gdb_read_thread(&at, GDB_ANY, &thread)) {
		gdb_refuse(session, ERR_INVAL);
		return;
	}
	if (thread.tid != GDB_ANY && thread.tid != GDB_ALL && gdb_resolve(&thread, &cpu) == NULL) {
		gdb_refuse(session, ERR_NOTFOUND);
		return;
	}
	if (which == 'g')
		session->general = thread;
	else
		session->resumed = thread;
	gdb_answer(session, OK);
}

static void take_is_alive(struct gdb_session *session, const char *at)
{
	struct gdb_thread thread;
	unsigned cpu;
	bool is_alive = gdb_read_thread(&at, GDB_ANY, &thread) && gdb_resolve(&thread, &cpu);

	gdb_answer(session, is_alive ? OK : ERR_NOTFOUND);
}

static void take_attach(struct gdb_session *session, const char *at)
{
	uint64_t pid;
	enum status status = ERR_INVAL;

	if (gdb_read_number(&at, &pid) && pid < GDB_ALL)
		status = target_attach((uint32_t)pid);
	if (status != OK) {
		gdb_refuse(session, status);
		return;
	}
	session->attached = (uint32_t)pid;
	session->attaches = true;
	wait_for_stop(session);
}

/* The process after ';', or else the current one. */
static struct target *find_process(const struct gdb_session *session, const char *at)
{
	uint64_t pid;
	unsigned cpu;

	if (*at++ != ';')
		return gdb_resolve(&session->general, &cpu);
	return gdb_read_number(&at, &pid) && pid < GDB_ALL ? target_find((uint32_t)pid) : NULL;
}

static void take_detach(struct gdb_session *session, const char *at)
{
	struct target *target = find_process(session, at);

	gdb_answer(session, target != NULL ? target_detach(target) : ERR_NOTFOUND);
}

static void take_kill(struct gdb_session *session, const char *at)
{
	struct target *target = find_process(session, at);

	gdb_answer(session, target != NULL ? target_kill(target) : ERR_NOTFOUND);
}

/* This one has no answer. */
static void take_kill_at_once(struct gdb_session *session, const char *at)
{
	struct target *target = find_process(session, "");

	(void)at;
	if (target != NULL)
		(void)target_kill(target);
	session->answers = false;
}

/*
 * A new gdb begins. The one before may have gone without a word, while its VMs ran: what it set is
 * in them, and they are this one's.
 */
static void take_supported(struct gdb_session *session, const char *at)
{
	*session = (struct gdb_session){.answers = true};
	target_attach_wanted();
	stop_all();
	session->is_multiprocess = gdb_has_feature(at, "multiprocess+");
	gdb_put(&session->reply,
		"PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:osdata:read+;"
		"vContSupported+;swbreak+;hwbreak+%s",
		GDB_PACKET_MAX, session->is_multiprocess ? ";multiprocess+" : "");
}

static void take_no_acks(struct gdb_session *session, const char *at)
{
	(void)at;
	session->has_no_acks = true;
	gdb_answer(session, OK);
}

/*
 * The longer of two words that begin alike comes first. What is not listed is answered with an
 * empty packet, as the protocol says.
 */
static const struct row {
	const char *word;
	/* One of the three. */
	gdb_taker *take;
	gdb_accessor *get; /* of the current thread, and the answer is what it puts there */
	gdb_accessor *set; /* the same, and the answer is its status */
} rows[] = {
	{"!", .take = take_extended},
	{"?", .take = take_why},
	{"D", .take = take_detach},
	{"G", .set = gdb_access_set_all},
	{"H", .take = take_thread},
	{"M", .set = gdb_access_write},
	{"P", .set = gdb_access_set_one},
	{"QStartNoAckMode", .take = take_no_acks},
	{"T", .take = take_is_alive},
	{"X", .set = gdb_access_write_binary},
	{"Z", .get = gdb_access_set_break},
	{"g", .get = gdb_access_get_all},
	{"k", .take = take_kill_at_once},
	{"m", .get = gdb_access_read},
	{"p", .get = gdb_access_get_one},
	{"qAttached", .take = gdb_take_attached},
	{"qC", .take = gdb_take_current},
	{"qSupported", .take = take_supported},
	{"qThreadExtraInfo,", .take = gdb_take_thread_text},
	{"qXfer:features:read:target.xml:", .take = gdb_take_target_xml},
	{"qXfer:osdata:read:", .take = gdb_take_processes},
	{"qfThreadInfo", .take = gdb_take_first_threads},
	{"qsThreadInfo", .take = gdb_take_next_threads},
	{"vAttach;", .take = take_attach},
	{"vCont?", .take = gdb_take_resume_kinds},
	{"vCont", .take = gdb_take_resume},
	{"vKill", .take = take_kill},
	{"z", .set = gdb_access_clear_break},
};

static void take_access(struct gdb_session *session, const struct row *row, const char *at)
{
	gdb_accessor *access = row->get != NULL ? row->get : row->set;
	struct gdb_subject subject;
	enum status status = ERR_NOTFOUND;

	subject.target = gdb_resolve(&session->general, &subject.cpu);
	if (subject.target != NULL)
		status = access(session, &subject, at);
	if (status != OK || row->set != NULL)
		gdb_answer(session, status);
}

void gdb_take(struct gdb_session *session, const char *data, size_t len)
{
	const char *at = data;
	const struct row *row = rows;

	/* While gdb waits it says nothing, except a new one. */
	if (session->state != GDB_STOPPED && strncmp(data, "qSupported", 10) != 0)
		return;
	session->end = data + len;
	session->answers = true;
	session->reply.len = 0;
	session->reply.is_cut = false;
	while (row < rows + ARRAY_SIZE(rows) && !gdb_read_word(&at, row->word))
		row++;
	if (row == rows + ARRAY_SIZE(rows))
		return;
	if (row->take != NULL)
		row->take(session, at);
	else
		take_access(session, row, at);
}
