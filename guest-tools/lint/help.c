/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU prints for "-object help", "-device NAME,help" and so on, for what a configuration
 * takes. tests/lint/test_lint.py holds the tables against the names that the parsers know.
 */
#include "guest-tools/lint/help.h"

#include <stdio.h>
#include <string.h>

#include "hv/backends/suggest.h"

struct property {
	const char *name, *type;
	const char *about; /* NULL: QEMU has no words either */
};

/* What the option takes as its first word. */
struct choice {
	const char *name, *about;
	const struct property *properties; /* up to one without a name; NULL: it has none */
};

#define COMMON_PROPERTIES \
	{"dump", "bool", "Set to 'off' to exclude from core dump"}, \
		{"host-nodes", "int", "Binds memory to the list of NUMA host nodes"}, \
		{"merge", "bool", "Mark memory as mergeable"}, \
		{"policy", "HostMemPolicy", "Set the NUMA policy"}, \
		{"prealloc", "bool", "Preallocate memory"}, \
		{"prealloc-context", "link<thread-context>", \
		 "Context to use for creating CPU threads for preallocation"}, \
		{"prealloc-threads", "int", "Number of CPU threads to use for prealloc"}, \
		{"reserve", "bool", "Set memory aside for all private pages"}, \
		{"share", "bool", "Mark the memory as private to the VM or shared"}, \
		{"size", "int", "Size of the memory region (ex: 500M)"}, \
	{ \
		"x-use-canonical-path-for-ramblock-id", "bool", NULL \
	}

static const struct property ram_properties[] = {COMMON_PROPERTIES, {NULL}};
static const struct property file_properties[] = {
	COMMON_PROPERTIES,
	{"align", "int", NULL},
	{"discard-data", "bool", "Throw the file's contents away when the VM has ended"},
	{"mem-path", "string", "The file of the ramdisk"},
	{"offset", "size", "Where in the file the memory begins"},
	{"readonly", "bool", "Do not write to the file"},
	{"rom", "OnOffAuto", "Create read-only memory (default: as readonly)"},
	{NULL},
};
static const struct property context_properties[] = {
	{"cpu-affinity", "int", NULL}, {"node-affinity", "int", NULL}, {NULL}};
static const struct choice objects[] = {
	{"memory-backend-file", NULL, file_properties},
	{"memory-backend-ram", NULL, ram_properties},
	{"thread-context", NULL, context_properties},
	{NULL},
};

#define DIMM_PROPERTIES \
	{"addr", "uint64", " (default: 0)"}, {"memdev", "link<memory-backend>", NULL}, \
		{"node", "uint32", " (default: 0)"}, \
	{ \
		"slot", "int32", " (default: -1)" \
	}

static const struct property debug_exit_properties[] = {
	{"iobase", "uint32", " (default: 1281)"}, {"iosize", "uint32", " (default: 2)"}, {NULL}};
static const struct property debugcon_properties[] = {
	{"chardev", "str", "ID of a chardev to use as a backend"},
	{"iobase", "uint32", " (default: 233)"},
	{NULL},
};
static const struct property loader_properties[] = {
	{"addr", "uint64", " (default: 0)"},
	{"cpu-num", "uint32", "Only 0: start the ELF file"},
	{"data", "uint64", " (default: 0)"},
	{"data-be", "bool", " (default: false)"},
	{"data-len", "uint8", " (default: 0)"},
	{"file", "str", NULL},
	{"force-raw", "bool", " (default: false)"},
	{NULL},
};
static const struct property dimm_properties[] = {DIMM_PROPERTIES, {NULL}};
static const struct property nvdimm_properties[] = {
	DIMM_PROPERTIES,
	{"label-size", "int", NULL},
	{"unarmed", "bool", " (default: false)"},
	{"uuid", "QemuUUID", NULL},
	{NULL},
};
static const struct property pvpanic_properties[] = {
	{"events", "uint8", " (default: 3)"}, {"ioport", "uint16", " (default: 1285)"}, {NULL}};
static const struct property vmgenid_properties[] = {
	{"guid", "str",
	 "UUID (aka GUID) or \"auto\" for random value (default) (default: \"auto\")"},
	{NULL},
};
static const struct property no_properties[] = {{NULL}};
static const struct choice devices[] = {
	{"acpi-watchdog", ", Stencil's own", no_properties},
	{"isa-debug-exit", ", bus ISA", debug_exit_properties},
	{"isa-debugcon", ", bus ISA", debugcon_properties},
	{"loader", ", desc \"Generic Loader\"", loader_properties},
	{"nvdimm", ", desc \"DIMM memory module\"", nvdimm_properties},
	{"pc-dimm", ", desc \"DIMM memory module\"", dimm_properties},
	{"pvpanic", ", bus ISA", pvpanic_properties},
	{"vmgenid", "", vmgenid_properties},
	{NULL},
};

static const struct property machine_properties[] = {
	{"accel", "string", "Accelerator: kvm"},
	{"dump-guest-core", "bool", "Include guest memory in a core dump"},
	{"graphics", "bool", "Only on"},
	{"hmat", "bool", "Only off"},
	{"hpet", "bool", "Enable the HPET"},
	{"mem-merge", "bool", "Enable/disable memory merge support"},
	{"memory-backend", "string", "Set RAM backend. Valid value is ID of a memory backend"},
	{"nvdimm", "bool", "Enable/disable NVDIMMs"},
	{"pic", "OnOffAuto", "Enable i8259 PIC"},
	{"pit", "OnOffAuto", "Enable i8254 PIT"},
	{"pm-timer", "bool", "Enable ACPI's PM timer"},
	{"rtc", "OnOffAuto", "Enable MC146818 RTC"},
	{"usb", "bool", "Only off"},
	{NULL},
};
static const struct choice machines[] = {
	{"microvm", "Stencil's only machine", machine_properties},
	{"pc", "Stencil's only machine (default)", machine_properties},
	{"q35", "Stencil's only machine", machine_properties},
	{NULL},
};

static const struct property processor_properties[] = {
	{"kvm", "bool", "Show KVM's leaves of CPUID"},
	{"kvm-pv-eoi", "bool", "Let the guest end interrupts by a flag in its memory"},
	{"kvm-steal-time", "bool", "Tell the guest its stolen time"},
	{"kvmclock", "bool", "Show KVM's clock"},
	{NULL},
};
static const struct choice processors[] = {
	{"host", "the machine's processor, as far as guests may use it", processor_properties},
	{"max", "the same", processor_properties},
	{NULL},
};

static const struct option_help {
	const char *title;
	const char *row; /* how a choice is printed: its name and its words */
	const struct choice *choices;
	const char *unknown; /* the message about a name that is none of the choices */
} options[] = {
	[LINT_HELP_OBJECT] = {"List of user creatable objects:", "  %s\n", objects,
			      "Parameter 'qom-type' does not accept value '%s'"},
	[LINT_HELP_DEVICE] = {"Devices:", "name \"%s\"%s\n", devices, "Device '%s' not found"},
	[LINT_HELP_MACHINE] = {"Supported machines are:", "%-20s %s\n", machines,
			       "unsupported machine type: \"%s\""},
	[LINT_HELP_CPU] = {"Available CPUs:", "x86 %-20s  %s\n", processors,
			   "unable to find CPU model '%s'"},
};

bool lint_is_help(const char *text)
{
	const char *last = strrchr(text, ',');

	last = last != NULL ? last + 1 : text;
	return strcmp(last, "help") == 0 || strcmp(last, "?") == 0;
}

static void print_properties(const struct choice *choice)
{
	printf("%s options:\n", choice->name);
	for (const struct property *p = choice->properties; p->name != NULL; p++) {
		char text[80];

		snprintf(text, sizeof(text), "%s=<%s>", p->name, p->type);
		if (p->about != NULL)
			printf("  %-22s - %s\n", text, p->about);
		else
			printf("  %s\n", text);
	}
}

static void refuse(const struct option_help *option, const char *name)
{
	struct diag diag = {0};
	struct suggestion near = suggest(name, strlen(name));

	diag_error(&diag, DIAG_NOWHERE, option->unknown, name);
	for (const struct choice *c = option->choices; c->name != NULL; c++)
		suggest_name(&near, c->name);
	suggest_tell(&near, "", &diag);
}

bool lint_help(enum lint_help_option which, const char *text)
{
	const struct option_help *option = &options[which];
	const char *comma = strchr(text, ',');
	char name[64];

	if (comma == NULL) {
		puts(option->title);
		for (const struct choice *c = option->choices; c->name != NULL; c++)
			printf(option->row, c->name, c->about);
		return true;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(comma - text), text);
	for (const struct choice *c = option->choices; c->name != NULL; c++) {
		if (strcmp(c->name, name) != 0 || c->properties == NULL)
			continue;
		print_properties(c);
		return true;
	}
	refuse(option, name);
	return false;
}
