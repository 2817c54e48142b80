/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. A file of its own because getopt.h also has a struct option. */
#include "guest-tools/lint/request.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv/lib/version.h"

#define MEMORY_DEFAULT_MIB 65536
#define MEMORY_MAX_MIB	   (16U << 20)
#define EXIT_USAGE	   2
#define PHYS_BITS_MIN	   36 /* of a processor that does not tell */

enum {
	KEY_RAMDISK = 0x100,
	KEY_OBJECT,
	KEY_DEVICE,
	KEY_MACHINE,
	KEY_CPU,
	KEY_JSON,
	KEY_MEMORY,
	KEY_PHYS_BITS
};

static const struct argp_option options[] = {
	{.name = "ramdisk",
	 .key = KEY_RAMDISK,
	 .arg = "DIR",
	 .doc = "The ramdisk's root: file F in it is /F; or an archive of mkramdisk. Without it "
		"there are no files."},
	{.name = "object",
	 .key = KEY_OBJECT,
	 .arg = "STRING",
	 .doc = "Check what would stand behind -object, instead of a file; may be repeated. "
		"\"help\" and \"TYPE,help\" list types and properties"},
	{.name = "device",
	 .key = KEY_DEVICE,
	 .arg = "[NAME,]help",
	 .doc = "List the devices, or the properties of one, as QEMU does"},
	{.name = "machine",
	 .key = KEY_MACHINE,
	 .arg = "[TYPE,]help",
	 .doc = "List the machine types, or the properties of one"},
	{.name = "cpu",
	 .key = KEY_CPU,
	 .arg = "[MODEL,]help",
	 .doc = "List the CPU models, or the features of one"},
	{.name = "json",
	 .key = KEY_JSON,
	 .doc = "Print the properties of accepted objects, a line for each VM"},
	{.name = "memory",
	 .key = KEY_MEMORY,
	 .arg = "MIB",
	 .doc = "Memory of the machine in MiB (65536)"},
	{.name = "phys-bits",
	 .key = KEY_PHYS_BITS,
	 .arg = "N",
	 .doc = "Width of the machine's physical addresses (48)"},
	{0},
};

static uint64_t memory_size(const char *text, struct argp_state *state)
{
	unsigned long long mib;
	char *end;

	errno = 0;
	mib = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || mib == 0 ||
	    mib > MEMORY_MAX_MIB)
		argp_error(state, "--memory: not a number from 1 to %u: %s", MEMORY_MAX_MIB, text);
	return MIB(mib);
}

static unsigned phys_bits(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || text[0] < '0' || text[0] > '9' || n < PHYS_BITS_MIN ||
	    n > PHYS_BITS_MAX)
		argp_error(state, "--phys-bits: not a number from %d to %d: %s", PHYS_BITS_MIN,
			   PHYS_BITS_MAX, text);
	return (unsigned)n;
}

static void ask_help(struct request *request, enum lint_help_option option, const char *text,
		     struct argp_state *state)
{
	if (!lint_is_help(text))
		argp_error(state,
			   "'help' or 'NAME,help' is wanted, not '%s': the rest of this "
			   "option is checked in a CONFIG",
			   text);
	request->help_option = option;
	request->help_text = text;
}

static void add_object(struct request *request, const char *text, struct argp_state *state)
{
	if (lint_is_help(text)) {
		ask_help(request, LINT_HELP_OBJECT, text, state);
		return;
	}
	if (request->n_objects == OBJECTS_MAX)
		argp_error(state, "more than %d objects", OBJECTS_MAX);
	request->objects[request->n_objects++] = text;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case KEY_RAMDISK:
		request->ramdisk = arg;
		return 0;
	case KEY_OBJECT:
		add_object(request, arg, state);
		return 0;
	case KEY_DEVICE:
		ask_help(request, LINT_HELP_DEVICE, arg, state);
		return 0;
	case KEY_MACHINE:
		ask_help(request, LINT_HELP_MACHINE, arg, state);
		return 0;
	case KEY_CPU:
		ask_help(request, LINT_HELP_CPU, arg, state);
		return 0;
	case KEY_JSON:
		request->json = true;
		return 0;
	case KEY_MEMORY:
		request->memory = memory_size(arg, state);
		return 0;
	case KEY_PHYS_BITS:
		request->phys_bits = phys_bits(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (request->config != NULL)
			argp_error(state, "more than one CONFIG");
		request->config = arg;
		return 0;
	case ARGP_KEY_END:
		if (request->help_option == LINT_HELP_NONE &&
		    (request->config != NULL) == (request->n_objects != 0))
			argp_error(state, "either CONFIG or --object is wanted");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "CONFIG\n--object STRING",
	.doc = "Check a configuration, or objects, as Stencil would at its start."
	       "\v"
	       "Messages go to standard error, one a line. Exit status: 0 accepted, 1 refused, "
	       "2 wrong usage, 66 a file cannot be read, 71 not enough memory here.",
};

void request_parse(struct request *ret, int argc, char **argv)
{
	static char version[80];

	*ret = (struct request){.memory = MIB(MEMORY_DEFAULT_MIB), .phys_bits = PHYS_BITS_MAX};
	snprintf(version, sizeof(version), "stencil %s", stencil_version);
	argp_program_version = version;
	argp_err_exit_status = EXIT_USAGE;
	argv[0] = "stencil lint"; /* the name in messages */
	if (argp_parse(&argp, argc, argv, 0, NULL, ret) != 0)
		exit(EXIT_USAGE);
}
