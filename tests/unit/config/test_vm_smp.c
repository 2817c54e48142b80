/* SPDX-License-Identifier: BSD-2-Clause */
/* -smp: QEMU's arithmetic and its refusals. */
#include "hv/config/read.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static char memory[1 << 18] __attribute__((aligned(16)));
static struct config config;

/* The result of one or several -smp; all messages are in 'logged'. */
static const struct cpu_topology *parse(const char *smp)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "t"};
	char text[500];

	snprintf(text, sizeof(text), "vm a -kernel k %s", smp);
	log_reset();
	assert_int_not_equal(config_parse(text, strlen(text), &arena, &diag, &config), ERR_NOMEM);
	assert_int_equal(diag.n_errors > 0, logged[0] != '\0');
	return &config.vms->topology;
}

static void missing_numbers_follow_from_the_others(void **state)
{
	static const struct {
		const char *smp;
		unsigned cpus, sockets, dies, modules, cores, threads;
	} cases[] = {
		{"", 1, 1, 1, 1, 1, 1},
		{"-smp 1", 1, 1, 1, 1, 1, 1},
		{"-smp 2", 2, 1, 1, 1, 2, 1},
		{"-smp 0x10", 16, 1, 1, 1, 16, 1},
		{"-smp 255", 255, 1, 1, 1, 255, 1},
		{"-smp cpus=4,sockets=2", 4, 2, 1, 1, 2, 1},
		{"-smp cpus=4,cores=2", 4, 2, 1, 1, 2, 1},
		{"-smp cpus=4,threads=2", 4, 1, 1, 1, 2, 2},
		{"-smp cpus=8,sockets=2,cores=2", 8, 2, 1, 1, 2, 2},
		{"-smp cpus=12,dies=2,modules=3", 12, 1, 2, 3, 2, 1},
		{"-smp sockets=2,cores=3,threads=2", 12, 2, 1, 1, 3, 2},
		{"-smp maxcpus=6", 6, 1, 1, 1, 6, 1},
		{"-smp 2,maxcpus=6,cores=3", 2, 2, 1, 1, 3, 1},
		{"-smp 2,sockets=2,cores=2,maxcpus=4", 2, 2, 1, 1, 2, 1},
		{"-smp 2,clusters=1,books=1,drawers=1", 2, 1, 1, 1, 2, 1},
		{"-smp 2 -smp threads=2", 2, 1, 1, 1, 1, 2}, /* they add up */
		{"-smp 2 -smp 3", 3, 1, 1, 1, 3, 1},
		{"-smp 4294967296", 1, 1, 1, 1, 1, 1}, /* its low 32 bits are 0: not given */
		{"-smp 4294967298", 2, 1, 1, 1, 2, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cpu_topology *t = parse(cases[i].smp);

		assert_string_equal(logged, "");
		assert_int_equal(t->n_cpus, cases[i].cpus);
		assert_int_equal(t->count[TOPOLOGY_SOCKET], cases[i].sockets);
		assert_int_equal(t->count[TOPOLOGY_DIE], cases[i].dies);
		assert_int_equal(t->count[TOPOLOGY_MODULE], cases[i].modules);
		assert_int_equal(t->count[TOPOLOGY_CORE], cases[i].cores);
		assert_int_equal(t->count[TOPOLOGY_THREAD], cases[i].threads);
	}
}

#define ODD "Invalid CPU topology: product of the hierarchy must match maxcpus: "

static void what_does_not_add_up_is_refused(void **state)
{
	static const struct {
		const char *smp, *reported;
	} cases[] = {
		{"x", "Parameter 'smp.cpus' expects integer"},
		{"1.5", "Parameter 'smp.cpus' expects integer"},
		{"cpus=,cores=1", "Parameter 'smp.cpus' expects integer"},
		{"99999999999999999999", "Parameter 'smp.cpus' expects integer"},
		{"9223372036854775808", "Parameter 'smp.cpus' expects integer"},
		{"2,foo=1", "Parameter 'smp.foo' is unexpected"},
		{"2,foo=1,cores=x", "Parameter 'smp.cores' expects integer"},
		{"2,cores", "Expected '=' after parameter 'cores'"},
		{"cpus=0",
		 "Invalid CPU topology: CPU topology parameters must be greater than zero"},
		{"2,threads=0",
		 "Invalid CPU topology: CPU topology parameters must be greater than zero"},
		{"2,clusters=2", "clusters > 1 not supported by this machine's CPU topology"},
		{"2,books=2", "books > 1 not supported by this machine's CPU topology"},
		{"2,drawers=2", "drawers > 1 not supported by this machine's CPU topology"},
		{"2,drawers=2,clusters=2",
		 "clusters > 1 not supported by this machine's CPU topology"},
		{"3,sockets=2", ODD "sockets (2) * dies (1) * modules (1) * cores (1) * threads "
				    "(1) != maxcpus (3)"},
		{"2,threads=3", ODD "sockets (1) * dies (1) * modules (1) * cores (0) * threads "
				    "(3) != maxcpus (2)"},
		{"1,cores=-1", ODD "sockets (0) * dies (1) * modules (1) * cores (4294967295) * "
				   "threads (1) != maxcpus (1)"},
		{"4,maxcpus=2", "Invalid CPU topology: maxcpus must be equal to or greater than "
				"smp: sockets (1) * dies (1) * modules (1) * cores (2) * threads "
				"(1) == maxcpus (2) < smp_cpus (4)"},
		{"256", "Invalid SMP CPUs 256. The max CPUs supported by machine "
			"'pc-i440fx-10.2' is 255"},
		{"2,maxcpus=256", "Invalid SMP CPUs 256. The max CPUs supported by machine "
				  "'pc-i440fx-10.2' is 255"},
		{"-1", "Invalid SMP CPUs -1. The max CPUs supported by machine "
		       "'pc-i440fx-10.2' is 255"},
		/* QEMU divides by zero, or takes the number modulo 2^32. */
		{"2,sockets=65536,cores=65536,maxcpus=1",
		 ODD "sockets (65536) * dies (1) * modules (1) * cores (65536) * threads (0) != "
		     "maxcpus (1)"},
		{"1,sockets=3,cores=2863311531,threads=1",
		 ODD "sockets (3) * dies (1) * modules (1) * cores (2863311531) * threads (1) != "
		     "maxcpus (1)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char smp[100], want[300];

		snprintf(smp, sizeof(smp), "-smp %s", cases[i].smp);
		assert_int_equal(parse(smp)->n_cpus, 1);
		snprintf(want, sizeof(want), "%s\n", cases[i].reported);
		/* After "error: t:1:COLUMN: ". */
		assert_string_equal(strchr(strchr(logged, ':') + 6, ' ') + 1, want);
	}
}

static void mistakes_are_where_they_stand(void **state)
{
	parse("-smp 1 -smp x -smp cpus=0 -smp 1,cores=x -smp 1,foo=1 -smp 1,cores");
	assert_string_equal(
		logged,
		"error: t:1:28: Parameter 'smp.cpus' expects integer\n"
		"error: t:1:40: Invalid CPU topology: CPU topology parameters must be greater than "
		"zero\n"
		"error: t:1:55: Parameter 'smp.cores' expects integer\n"
		"error: t:1:64: Parameter 'smp.foo' is unexpected\n"
		"error: t:1:77: Expected '=' after parameter 'cores'\n");
	parse("-smp 3 -smp sockets=2");
	assert_string_equal(logged, "error: t:1:28: " ODD "sockets (2) * dies (1) * modules (1) * "
				    "cores (1) * threads (1) != maxcpus (3)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_numbers_follow_from_the_others),
		cmocka_unit_test(what_does_not_add_up_is_refused),
		cmocka_unit_test(mistakes_are_where_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
