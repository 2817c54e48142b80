/* SPDX-License-Identifier: BSD-2-Clause */
/* What gdb asks for, and what it is told, about two VMs that are variables. */
#include "hv/gdb/session.h"

#include <stdio.h>
#include <string.h>

#include "hv/gdb/target.h"
#include "tests/unit/support.h"

struct target targets[TARGETS_MAX];
static enum target_state states[TARGETS_MAX];
static struct target_stop stops[TARGETS_MAX];
static uint8_t hows[TARGETS_MAX][2];
static uint8_t memory[2 * PAGE_SIZE]; /* from PAGE_SIZE on */
static uint8_t registers[2][GDB_REGISTER_MAX];
static struct target_break broken;
static unsigned n_breaks, n_listed;
static struct gdb_session session;

struct target *target_find(uint32_t pid)
{
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (pid != 0 && targets[i].pid == pid)
			return &targets[i];
	return NULL;
}

void target_list_begin(void)
{
	n_listed = 0;
}

bool target_list_next(struct target_vm *ret)
{
	if (n_listed == 40)
		return false;
	*ret = (struct target_vm){.pid = ++n_listed, .n_cpus = 1, .name = "vm"};
	return true;
}

enum status target_attach(uint32_t pid)
{
	if (pid > 9)
		return ERR_NOTFOUND;
	targets[2] = (struct target){.pid = pid, .n_cpus = 1, .name = "three"};
	states[2] = TARGET_STOPPED;
	return OK;
}

void target_attach_wanted(void)
{
}

enum status target_detach(struct target *target)
{
	if (states[target - targets] == TARGET_RUNS)
		return ERR_BUSY;
	target->pid = 0;
	return OK;
}

enum status target_kill(struct target *target)
{
	return target_detach(target);
}

enum target_state target_look(const struct target *target, struct target_stop *ret)
{
	*ret = stops[target - targets];
	return states[target - targets];
}

void target_stop(const struct target *target)
{
	states[target - targets] = TARGET_STOPPED;
}

enum status target_resume(const struct target *target, const uint8_t *how)
{
	memcpy(hows[target - targets], how, target->n_cpus);
	states[target - targets] = TARGET_RUNS;
	return OK;
}

enum status target_get_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg, uint8_t ret[GDB_REGISTER_MAX])
{
	if (states[target - targets] == TARGET_RUNS)
		return ERR_BUSY;
	memset(ret, 0, GDB_REGISTER_MAX);
	if (reg == gdb_registers)
		memcpy(ret, registers[cpu], GDB_REGISTER_MAX);
	return OK;
}

enum status target_set_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg,
				const uint8_t value[GDB_REGISTER_MAX])
{
	if (reg != gdb_registers)
		return ERR_UNSUPPORTED;
	memcpy(registers[cpu], value, reg->size);
	return OK;
}

static bool is_memory(uint64_t address, size_t len)
{
	assert_true(address / PAGE_SIZE == (address + len - 1) / PAGE_SIZE);
	return address >= PAGE_SIZE && address < PAGE_SIZE + sizeof(memory);
}

enum status target_read(const struct target *target, unsigned cpu, uint64_t address, void *buf,
			size_t len)
{
	if (!is_memory(address, len))
		return ERR_NOTFOUND;
	memcpy(buf, &memory[address - PAGE_SIZE], len);
	return OK;
}

enum status target_write(const struct target *target, unsigned cpu, uint64_t address,
			 const void *buf, size_t len)
{
	if (!is_memory(address, len))
		return ERR_UNSUPPORTED;
	memcpy(&memory[address - PAGE_SIZE], buf, len);
	return OK;
}

enum status target_set_break(const struct target *target, unsigned cpu,
			     const struct target_break *breakpoint)
{
	if (n_breaks == 4)
		return ERR_OVERLAP;
	broken = *breakpoint;
	n_breaks++;
	return OK;
}

enum status target_clear_break(const struct target *target, const struct target_break *breakpoint)
{
	n_breaks--;
	return OK;
}

static const char *answer(void)
{
	if (!session.answers)
		return NULL;
	session.answers = false;
	session.reply.text[session.reply.len] = '\0';
	return session.reply.text;
}

static const char *ask_bytes(const char *data, size_t len)
{
	gdb_take(&session, data, len);
	gdb_look(&session);
	return answer();
}

static const char *ask(const char *data)
{
	return ask_bytes(data, strlen(data));
}

static int begin(void **state)
{
	memset(targets, 0, sizeof(targets));
	memset(stops, 0, sizeof(stops));
	memset(registers, 0, sizeof(registers));
	for (unsigned i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)i;
	targets[0] = (struct target){.pid = 1, .n_cpus = 2, .name = "one"};
	targets[1] = (struct target){.pid = 2, .n_cpus = 1, .name = "two"};
	states[0] = states[1] = TARGET_STOPPED;
	n_breaks = 0;
	session = (struct gdb_session){0};
	assert_non_null(strstr(ask("qSupported:swbreak+;multiprocess+;hwbreak+"), "multiprocess+"));
	assert_string_equal(ask("?"), "T05thread:p1.1;");
	return 0;
}

static void packets_are_answered(void **state)
{
	static const struct {
		const char *packet, *answer;
	} rows[] = {
		{"!", "OK"},
		{"vMustReplyEmpty", ""},
		{"qCRC:0,1", ""},
		{"qAttached:1", "1"},
		{"qfThreadInfo", "mp1.1,p1.2,p2.1"},
		{"qsThreadInfo", "l"},
		{"qThreadExtraInfo,p1.2", "435055233120"
					  "6f66206f6e65"},
		{"qThreadExtraInfo,p1.3", "E03"},
		{"Tp1.2", "OK"},
		{"Tp3.1", "E03"},
		{"Hgp1.2", "OK"},
		{"qC", "QCp1.2"},
		{"Hgp9.1", "E03"},
		{"Hgx", "E16"},
		{"Hcp2.-1", "OK"},
		{"P0=0102030405060708", "OK"},
		{"p0", "0102030405060708"},
		{"P10=0102030405060708", "E5f"},
		{"P0=01", "E16"},
		{"p7777", "E16"},
		{"P7777=00", "E16"},
		{"m1ffe,4", "feff0001"},
		{"m2ffe,4", "feff"},
		{"m0,4", "E0e"},
		{"m1000", "E16"},
		{"M1ffe,4:0a0b0c0d", "OK"},
		{"m1ffe,4", "0a0b0c0d"},
		{"M1ffe,4:0a0b0c", "E16"},
		{"M0,1:00", "E5f"},
		{"X1000,3:xyz", "OK"},
		{"X1000,3:xy", "E16"},
		{"m1000,3", "78797a"},
		{"Z0,1234,1", "OK"},
		{"Z3,1234,1", ""},
		{"Z9,1234,1", "E16"},
		{"Z2,1238,4", "OK"},
		{"Z1,1,1", "OK"},
		{"Z1,2,1", "OK"},
		{"Z1,3,1", "E11"},
		{"z1,2,1", "OK"},
		{"z1", "E16"},
		{"vCont?", "vCont;c;C;s;S"},
		{"vCont;x", "E16"},
		{"vCont;C", "E16"},
		{"vCont", "E16"},
		{"vCont;c:p9.1", "E03"},
		{"vAttach;a", "E03"},
		{"vAttach;x", "E16"},
		{"qXfer:osdata:read:x:0,10", "E03"},
		{"qXfer:osdata:read:processes:7,10", "E16"},
		{"qXfer:features:read:target.xml:x", "E16"},
		{"D;9", "E03"},
		{"QStartNoAckMode", "OK"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(ask(rows[i].packet), rows[i].answer);
	assert_true(session.has_no_acks);
	assert_int_equal(broken.address, 2);
}

static void all_registers_are_one_text(void **state)
{
	size_t len = 0;
	char all[2048] = "G";

	for (unsigned i = 0; i < gdb_n_registers; i++)
		len += 2U * gdb_registers[i].size;
	registers[0][0] = 0xab;
	assert_int_equal(strlen(ask("g")), len);
	assert_memory_equal(session.reply.text, "ab00", 4);
	strcat(all, session.reply.text);
	assert_string_equal(ask(all), "OK");
	all[1 + 2 * 8 * 16] ^= 1; /* RIP cannot be set here */
	assert_string_equal(ask(all), "E5f");
	assert_string_equal(ask("G00"), "E16");
}

/* What is read piece by piece is what is read at once. */
static void the_description_comes_in_pieces(void **state)
{
	char packet[80], whole[16384] = "";
	const char *text;

	do {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,100",
			 strlen(whole));
		text = ask(packet);
		assert_true(strlen(text) <= 0x101);
		strcat(whole, text + 1);
	} while (text[0] == 'm');
	assert_int_equal(text[0], 'l');
	assert_non_null(strstr(whole, "<reg name=\"rip\" bitsize=\"64\" type=\"code_ptr\"/>"));
	assert_string_equal(whole + strlen(whole) - 20, "</feature></target>\n");
}

static void the_processes_come_in_pieces(void **state)
{
	char packet[80], whole[16384] = "";
	const char *text;

	do {
		snprintf(packet, sizeof(packet), "qXfer:osdata:read:processes:%zx,1000",
			 strlen(whole));
		text = ask(packet);
		strcat(whole, text + 1);
	} while (text[0] == 'm');
	assert_non_null(strstr(whole, "<column name=\"pid\">40</column>"));
	assert_non_null(strstr(whole, "</osdata>"));
}

static void a_step_is_of_one_thread(void **state)
{
	assert_null(ask("vCont;s:p1.2;c:p1.-1"));
	assert_int_equal(hows[0][0], TARGET_CONTINUES);
	assert_int_equal(hows[0][1], TARGET_STEPS);
	assert_int_equal(states[1], TARGET_STOPPED);
	assert_null(ask("g")); /* gdb waits, and asks nothing */
	stops[0] = (struct target_stop){.cpu = 1, .why = TARGET_STEPPED};
	states[0] = TARGET_STOPPED;
	gdb_look(&session);
	assert_string_equal(answer(), "T05thread:p1.2;");
}

static void stops_have_reasons(void **state)
{
	static const struct {
		struct target_stop stop;
		const char *answer;
	} rows[] = {
		{{0, TARGET_AT_SOFTWARE, 0}, "T05thread:p2.1;swbreak:;"},
		{{0, TARGET_AT_HARDWARE, 0}, "T05thread:p2.1;hwbreak:;"},
		{{0, TARGET_WROTE, 0x1238}, "T05thread:p2.1;watch:1238;"},
		{{0, TARGET_ACCESSED, 0x1238}, "T05thread:p2.1;awatch:1238;"},
		{{0, TARGET_ASKED, 0}, "T02thread:p2.1;"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_null(ask("vCont;c:p2.1"));
		stops[1] = rows[i].stop;
		states[1] = TARGET_STOPPED;
		gdb_look(&session);
		assert_string_equal(answer(), rows[i].answer);
	}
}

static void an_interrupt_stops_all(void **state)
{
	gdb_interrupt(&session); /* nothing runs */
	assert_null(answer());
	assert_null(ask("vCont;c"));
	assert_int_equal(states[1], TARGET_RUNS);
	gdb_interrupt(&session);
	assert_int_equal(states[0], TARGET_STOPPED);
	assert_int_equal(states[1], TARGET_STOPPED);
	gdb_look(&session);
	assert_string_equal(answer(), "T02thread:p1.1;");
}

static void an_end_is_told(void **state)
{
	assert_null(ask("vCont;c"));
	states[1] = TARGET_FAILED;
	gdb_look(&session);
	assert_string_equal(answer(), "X06;process:2");
	assert_null(ask("vCont;c"));
	states[0] = TARGET_FROZEN;
	gdb_look(&session);
	assert_string_equal(answer(), "W00;process:1");
	assert_string_equal(ask("?"), "W00");
	assert_string_equal(ask("qC"), "E03");
	assert_string_equal(ask("g"), "E03");
	assert_string_equal(ask("D"), "E03");
}

static void a_clone_is_attached_and_let_go(void **state)
{
	stops[0].why = TARGET_STEPPED; /* this one was told before */
	assert_string_equal(ask("vAttach;3"), "T05thread:p3.1;");
	assert_string_equal(ask("vKill;3"), "OK");
	assert_string_equal(ask("D;2"), "OK");
	assert_string_equal(ask("Hgp1.1"), "OK");
	assert_null(ask("k"));
	assert_int_equal(targets[0].pid, 0);
}

/* The gdb before may have gone without a word. */
static void a_gdb_without_processes_gets_plain_threads(void **state)
{
	assert_null(ask("vCont;c"));
	assert_null(strstr(ask("qSupported:xmlRegisters=i386"), "multiprocess"));
	assert_int_equal(states[0], TARGET_STOPPED);
	assert_string_equal(ask("?"), "T05thread:1;");
	assert_null(ask("vCont;c"));
	states[0] = TARGET_ENDED;
	gdb_look(&session);
	assert_string_equal(answer(), "W00");
}

static const struct exchange {
	const char *packet, *answer;
} malformed[] = {
	{"Tx", "E03"},
	{"qThreadExtraInfo,x", "E03"},
	{"Hgpx", "E16"},
	{"Hgp1.x", "E16"},
	{"Hgpffffffff.1", "E16"},
	{"Hg11111111111111111", "E16"},
	{"G", "E16"},
	{"px", "E16"},
	{"P0", "E16"},
	{"P0=0g", "E16"},
	{"mx", "E16"},
	{"m1000,", "E16"},
	{"Mx", "E16"},
	{"M1000,1", "E16"},
	{"M1000,801:00", "E16"},
	{"Xx", "E16"},
	{"X1000,1", "E16"},
	{"Z0", "E16"},
	{"Z0,", "E16"},
	{"Z0,1", "E16"},
	{"z0,1,", "E16"},
	{"D;x", "E03"},
	{"D;ffffffff", "E03"},
	{"vKill;9", "E03"},
	{"vAttach;ffffffff", "E16"},
	{"vCont;S", "E16"},
	{"vCont;c:x", "E16"},
	{"vCont;c;", "E16"},
	{"qXfer:features:read:target.xml:0", "E16"},
	{"qXfer:features:read:target.xml:0,x", "E16"},
	{"qXfer:osdata:read:processes:x", "E03"},
};

static void malformed_packets_are_refused(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_string_equal(ask(malformed[i].packet), malformed[i].answer);
	assert_string_equal(ask("Hg1"), "OK");
	assert_string_equal(ask("Hg0"), "OK");
	assert_string_equal(ask("Hgp-1.-1"), "OK");
	assert_string_equal(ask("m1FFE,2"), "feff");
	assert_int_equal(strlen(ask("m1000,1000")), 2 * (GDB_PACKET_MAX / 2 - 1));
}

static void without_a_vm_all_is_refused(void **state)
{
	static const char packets[][12] = {
		"g",	  "G00", "p0", "P0=00", "m1000,1", "M1000,1:00", "X1000,1:x", "Z0,1,1",
		"z0,1,1", "qC",	 "D",  "vKill", "T1",	   "Hg1",	 "vCont;c",   "vCont;s",
	};

	memset(targets, 0, sizeof(targets));
	for (unsigned i = 0; i < ARRAY_SIZE(packets); i++)
		assert_string_equal(ask(packets[i]), "E03");
	assert_null(ask("k"));
	assert_string_equal(ask("qfThreadInfo"), "l");
}

/* The operator resumed the VM. */
static void a_vm_that_runs_is_busy(void **state)
{
	states[0] = TARGET_RUNS;
	assert_string_equal(ask("g"), "E10");
	assert_string_equal(ask("p0"), "E10");
	assert_string_equal(ask("P0=0102030405060708"), "E10");
	assert_string_equal(ask("D;1"), "E10");
	assert_string_equal(ask("vKill;1"), "E10");
}

static void signals_are_ignored(void **state)
{
	assert_null(ask("vCont;C05:p1.1;S05"));
	assert_int_equal(hows[0][0], TARGET_CONTINUES);
	assert_int_equal(hows[0][1], TARGET_STEPS);
	assert_int_equal(hows[1][0], TARGET_STEPS);
	gdb_look(&session); /* all run */
	assert_null(answer());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(packets_are_answered, begin),
		cmocka_unit_test_setup(all_registers_are_one_text, begin),
		cmocka_unit_test_setup(the_description_comes_in_pieces, begin),
		cmocka_unit_test_setup(the_processes_come_in_pieces, begin),
		cmocka_unit_test_setup(a_step_is_of_one_thread, begin),
		cmocka_unit_test_setup(stops_have_reasons, begin),
		cmocka_unit_test_setup(an_interrupt_stops_all, begin),
		cmocka_unit_test_setup(an_end_is_told, begin),
		cmocka_unit_test_setup(a_clone_is_attached_and_let_go, begin),
		cmocka_unit_test_setup(a_gdb_without_processes_gets_plain_threads, begin),
		cmocka_unit_test_setup(malformed_packets_are_refused, begin),
		cmocka_unit_test_setup(without_a_vm_all_is_refused, begin),
		cmocka_unit_test_setup(a_vm_that_runs_is_busy, begin),
		cmocka_unit_test_setup(signals_are_ignored, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
