/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/query.h"

#include "hv/gdb/target.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

bool gdb_has_feature(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list != '\0') {
		list++; /* ':' or ';' */
		if (strncmp(list, name, len) == 0 && (list[len] == ';' || list[len] == '\0'))
			return true;
		while (*list != '\0' && *list != ';')
			list++;
	}
	return false;
}

/* gdb detaches at its end from what it has not started. */
void gdb_take_attached(struct gdb_session *session, const char *at)
{
	(void)at;
	gdb_put(&session->reply, "1");
}

void gdb_take_current(struct gdb_session *session, const char *at)
{
	unsigned cpu;
	const struct target *target;

	if (*at != '\0') /* qCRC, for example */
		return;
	target = gdb_resolve(&session->general, &cpu);
	if (target == NULL) {
		gdb_refuse(session, ERR_NOTFOUND);
		return;
	}
	gdb_put(&session->reply, "QC");
	gdb_put_thread(session, target->pid, cpu + 1);
}

void gdb_take_thread_text(struct gdb_session *session, const char *at)
{
	struct gdb_thread thread;
	const struct target *target = NULL;
	char text[CLONE_NAME_SIZE + 32];
	unsigned cpu;

	if (gdb_read_thread(&at, GDB_ANY, &thread))
		target = gdb_resolve(&thread, &cpu);
	if (target == NULL) {
		gdb_refuse(session, ERR_NOTFOUND);
		return;
	}
	format(text, sizeof(text), "CPU#%u of %s", cpu, target->name);
	gdb_put_bytes(&session->reply, text, strlen(text));
}

/* "OFFSET,LENGTH" of a text. The answer begins with a letter that says whether there is more. */
static bool begin_window(struct gdb_session *session, const char *at, struct gdb_window *ret)
{
	*ret = (struct gdb_window){.reply = &session->reply};
	if (!gdb_read_number(&at, &ret->skip) || !gdb_read_word(&at, ",") ||
	    !gdb_read_number(&at, &ret->left)) {
		gdb_refuse(session, ERR_INVAL);
		return false;
	}
	gdb_put(&session->reply, "m");
	return true;
}

static void end_window(const struct gdb_window *window)
{
	window->reply->text[0] = window->has_more ? 'm' : 'l';
}

void gdb_take_target_xml(struct gdb_session *session, const char *at)
{
	struct gdb_window window;

	if (!begin_window(session, at, &window))
		return;
	gdb_describe_registers(&window);
	end_window(&window);
}

/* How much of the list of processes one answer has: each of them takes the lock of the list. */
enum { VMS_AT_ONCE = 16 };

static void show_vm(struct gdb_window *window, const struct target_vm *vm)
{
	gdb_show(window,
		 "<item><column name=\"pid\">%u</column><column name=\"user\">%s</column>"
		 "<column name=\"command\">%s</column><column name=\"cores\">%u</column></item>\n",
		 vm->pid, target_find(vm->pid) ? "gdb" : "", vm->name, vm->n_cpus);
}

/*
 * For "info os processes": the list is made as it is read, from its beginning to its end. An answer
 * may be shorter than what is asked for.
 */
void gdb_take_processes(struct gdb_session *session, const char *at)
{
	struct gdb_window window;
	struct target_vm vm;
	bool has_vm = true;

	if (!gdb_read_word(&at, "processes:") || !begin_window(session, at, &window)) {
		gdb_refuse(session, ERR_NOTFOUND);
		return;
	}
	if (window.skip == 0) {
		target_list_begin();
		session->shown = 0;
	} else if (window.skip != session->shown) {
		gdb_refuse(session, ERR_INVAL);
		return;
	}
	window.left = GDB_PACKET_MAX;
	if (window.skip == 0)
		gdb_show(&window, "<?xml version=\"1.0\"?>\n<osdata type=\"processes\">\n");
	window.skip = 0;
	for (unsigned i = 0; has_vm && i < VMS_AT_ONCE; i++) {
		has_vm = target_list_next(&vm);
		if (has_vm)
			show_vm(&window, &vm);
	}
	if (!has_vm)
		gdb_show(&window, "</osdata>\n");
	session->shown += session->reply.len - 1;
	window.has_more = has_vm;
	end_window(&window);
}

/* Room for a thread in an answer. */
#define THREAD_TEXT_MAX 24

/* The next thread of the list; false: that was the last one. */
static bool next_thread(struct gdb_session *session)
{
	while (session->listed < TARGETS_MAX) {
		const struct target *target = &targets[session->listed];

		if (target->pid != 0 && session->listed_tid < target->n_cpus) {
			gdb_put(&session->reply, session->reply.len > 1 ? "," : "");
			gdb_put_thread(session, target->pid, ++session->listed_tid);
			return true;
		}
		session->listed++;
		session->listed_tid = 0;
	}
	return false;
}

void gdb_take_next_threads(struct gdb_session *session, const char *at)
{
	(void)at;
	gdb_put(&session->reply, "m");
	while (session->reply.len < sizeof(session->reply.text) - THREAD_TEXT_MAX &&
	       next_thread(session))
		;
	if (session->reply.len == 1)
		session->reply.text[0] = 'l';
}

void gdb_take_first_threads(struct gdb_session *session, const char *at)
{
	session->listed = session->listed_tid = 0;
	gdb_take_next_threads(session, at);
}
