/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file: its lines, what they define, and the second pass over the files of the
 * ramdisk. An error ends the option or line it is in, not the file, so that all errors are
 * reported.
 */
#include "hv/config/read.h"

#include "hv/backends/backend_open.h"
#include "hv/backends/object.h"
#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/dimm_place.h"
#include "hv/config/drive_open.h"
#include "hv/config/firmware_files.h"
#include "hv/config/map_read.h"
#include "hv/config/template_check.h"
#include "hv/config/template_lines.h"
#include "hv/config/vm_bios.h"
#include "hv/config/vm_files.h"
#include "hv/config/vm_fw_cfg.h"
#include "hv/config/vm_loader.h"
#include "hv/config/vm_option_rom.h"
#include "hv/config/vm_reader.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

struct host_option {
	const char *name;
	const char *values[5]; /* NULL after the last; if there are none, any text */
};

enum {
	HOST_SERIAL,
	HOST_ON_END,
	HOST_ON_PANIC,
	HOST_HANDOVER,
	HOST_FETCH,
	HOST_LOG,
	HOST_CHECKSUM,
	HOST_CHECK,
	HOST_SMT,
	HOST_MITIGATIONS,
	HOST_MERGE,
	HOST_PROTECT,
	HOST_INFO,
	HOST_MASK,
	HOST_MAX_PRIVATE,
	HOST_WATCHDOG,
	HOST_QMP,
	HOST_SCREEN,
	HOST_BAUD,
	HOST_SEND,
	HOST_COLOR,
};

static const struct host_option host_options[] = {
	[HOST_SERIAL] = {"serial", {"auto", "com1", "com2", "none"}},
	[HOST_ON_END] = {"on-end", {"poweroff", "wait", "reboot"}},
	[HOST_ON_PANIC] = {"on-panic", {"poweroff", "wait", "reboot"}},
	[HOST_HANDOVER] = {"handover", {"on", "off"}},
	[HOST_FETCH] = {"fetch", {NULL}},
	[HOST_LOG] = {"log", {"error", "warning", "info", "debug"}},
	[HOST_CHECKSUM] = {"checksum", {"on", "off"}},
	[HOST_CHECK] = {"check", {"on", "off"}},
	[HOST_SMT] = {"smt", {"on", "off"}},
	[HOST_MITIGATIONS] = {"mitigations", {"auto", "off", "all"}}, /* enum mitigations */
	[HOST_MERGE] = {"merge", {"off", "own", "all"}},	      /* enum merge_mode */
	[HOST_PROTECT] = {"protect", {"images", "all"}},
	[HOST_INFO] = {"info", {NULL}},
	[HOST_MASK] = {"mask", {NULL}},
	[HOST_MAX_PRIVATE] = {"max-private", {NULL}},
	[HOST_WATCHDOG] = {"watchdog", {NULL}},
	[HOST_QMP] = {"qmp", {"com1", "com2", "none"}},
	[HOST_SCREEN] = {"screen", {"console", "status"}},
	[HOST_BAUD] = {"baud", {NULL}},
	[HOST_SEND] = {"send", {"console", "debugcon"}},
	[HOST_COLOR] = {"color", {"on", "off"}},
};

static void set_host_option(struct host_config *host, unsigned option, unsigned value)
{
	static const enum host_after after[] = {HOST_AFTER_POWEROFF, HOST_AFTER_WAIT,
						HOST_AFTER_REBOOT};
	static const enum log_level levels[] = {LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

	static const enum console_port qmp_ports[] = {CONSOLE_COM1, CONSOLE_COM2, CONSOLE_NONE};

	switch (option) {
	case HOST_SERIAL:
		host->console = (enum console_port)value;
		return;
	case HOST_ON_END:
		host->on_end = after[value];
		return;
	case HOST_ON_PANIC:
		host->on_panic = after[value];
		return;
	case HOST_HANDOVER:
		host->hands_over = value == 0;
		return;
	case HOST_LOG:
		host->log_level = levels[value];
		return;
	case HOST_CHECKSUM:
		host->checksum = value == 0;
		return;
	case HOST_CHECK:
		host->check = value == 0;
		return;
	case HOST_MITIGATIONS:
		host->mitigations = value;
		return;
	case HOST_MERGE:
		host->merge = (enum merge_mode)value;
		return;
	case HOST_PROTECT:
		host->protects_all = value == 1;
		return;
	case HOST_SMT:
		host->smt = value == 0;
		return;
	case HOST_QMP:
		host->qmp = qmp_ports[value];
		return;
	case HOST_SCREEN:
		host->shows_status = value == 1;
		return;
	case HOST_SEND:
		host->sends_to_debugcon = value == 1;
		return;
	case HOST_COLOR:
		host->has_colors = value == 0;
		return;
	}
}

/* ARRAY_SIZE(host_options): there is none of that name. */
static unsigned find_host_option(const char *word)
{
	unsigned i = 0;

	if (*word++ != '-')
		return ARRAY_SIZE(host_options);
	word += *word == '-';
	while (i < ARRAY_SIZE(host_options) && strcmp(host_options[i].name, word) != 0)
		i++;
	return i;
}

static void read_host_value(struct host_config *host, unsigned option, const struct word *value,
			    struct diag *diag)
{
	const char *const *values = host_options[option].values;

	for (unsigned i = 0; i < ARRAY_SIZE(host_options[0].values) && values[i] != NULL; i++) {
		if (strcmp(values[i], value->text) != 0)
			continue;
		set_host_option(host, option, i);
		if (option == HOST_QMP)
			host->qmp_place = word_place(value, 0);
		if (option == HOST_HANDOVER)
			host->handover_place = word_place(value, 0);
		if (option == HOST_SEND)
			host->send_place = word_place(value, 0);
		return;
	}
	diag_error(diag, word_place(value, 0), "Parameter '-%s' does not accept value '%s'",
		   host_options[option].name, value->text);
	suggest_value(values, value->text, diag);
}

/* -info COMMAND: any number of them. */
static enum status read_info(struct host_config *host, const struct word *command,
			     struct arena *arena)
{
	struct info_config **tail = &host->info;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	(*tail)->command = command->text;
	(*tail)->place = word_place(command, 0);
	return OK;
}

/* vmx_mask_read() knows the names. */
static void set_mask(struct host_config *host, const struct word *names)
{
	host->mask = names->text;
	host->mask_place = word_place(names, 0);
}

/* boot/url.c knows URLs. */
static void set_fetch(struct host_config *host, const struct word *url)
{
	host->fetch = url->text;
	host->fetch_place = word_place(url, 0);
}

/* The loop of a processor may need a few seconds between two passes. */
static void read_watchdog(struct host_config *host, const struct word *seconds, struct diag *diag)
{
	enum { SECONDS_MIN = 10 };
	bool is_negative;
	uint64_t value;

	host->watchdog_place = word_place(seconds, 0);
	if (parse_integer(seconds->text, &value, &is_negative) == OK && !is_negative &&
	    value >= SECONDS_MIN && value <= UINT32_MAX)
		host->watchdog = (unsigned)value;
	else
		diag_error(diag, host->watchdog_place,
			   "Parameter '-watchdog' expects a number of seconds, at least %u",
			   SECONDS_MIN);
}

/* A 16550 divides 115200 baud by a number of 16 bits. */
static void read_baud(struct host_config *host, const struct word *rate, struct diag *diag)
{
	enum { RATE_MAX = 115200 };
	bool is_negative;
	uint64_t value;

	host->baud_place = word_place(rate, 0);
	if (parse_integer(rate->text, &value, &is_negative) == OK && !is_negative && value > 0 &&
	    RATE_MAX % value == 0 && RATE_MAX / value <= UINT16_MAX)
		host->baud_divisor = (uint16_t)(RATE_MAX / value);
	else
		diag_error(diag, host->baud_place,
			   "Parameter '-baud' expects a rate that divides 115200, such as 9600, "
			   "19200, 38400, 57600 or 115200");
}

/* '*words' moves to the last word that may be the option's argument. */
static void refuse_host_option(const struct word **words, struct diag *diag)
{
	const char *text = (*words)->text;
	struct suggestion near;

	diag_error(diag, word_place(*words, 0), "%s: invalid option", text);
	while (*text == '-')
		text++;
	near = suggest(text, strlen(text));
	for (unsigned i = 0; i < ARRAY_SIZE(host_options); i++)
		suggest_name(&near, host_options[i].name);
	suggest_tell(&near, "-", diag);
	while ((*words)->next != NULL && (*words)->next->text[0] != '-')
		*words = (*words)->next;
}

static enum status read_host(struct config *config, const struct word *words, struct arena *arena,
			     struct diag *diag)
{
	for (; words != NULL; words = words->next) {
		unsigned option = find_host_option(words->text);

		if (option == ARRAY_SIZE(host_options)) {
			refuse_host_option(&words, diag);
			continue;
		}
		if (words->next == NULL) {
			diag_error(diag, word_place(words, 0), "%s: requires an argument",
				   words->text);
			return OK;
		}
		words = words->next;
		config->host.n_options++;
		if (option == HOST_INFO)
			TRY(read_info(&config->host, words, arena));
		else if (option == HOST_MASK)
			set_mask(&config->host, words);
		else if (option == HOST_FETCH)
			set_fetch(&config->host, words);
		else if (option == HOST_WATCHDOG)
			read_watchdog(&config->host, words, diag);
		else if (option == HOST_BAUD)
			read_baud(&config->host, words, diag);
		else if (option == HOST_MAX_PRIVATE)
			(void)parse_limit(words, 0, "-max-private", diag,
					  &config->host.max_private);
		else
			read_host_value(&config->host, option, words, diag);
	}
	return OK;
}

static bool report_defined(const struct word *name, struct diag_place before, struct diag *diag)
{
	diag_error(diag, word_place(name, 0), "vm '%s' is already defined in line %u", name->text,
		   before.line);
	return false;
}

/* A name is the beginning of each line that the VM writes to the console. */
static bool check_name_on_console(const struct word *name, struct diag *diag)
{
	if (strcmp(name->text, "stencil") == 0) {
		diag_error(diag, word_place(name, 0),
			   "a vm cannot have the name 'stencil', with which Stencil's own lines "
			   "begin: "
			   "choose another one");
		return false;
	}
	if (strlen(name->text) <= VM_NAME_MAX)
		return true;
	diag_error(diag, word_place(name, 0), "the name '%s' is longer than %u characters",
		   name->text, VM_NAME_MAX);
	return false;
}

static bool check_vm_name(const struct config *config, const struct word *keyword,
			  struct diag *diag)
{
	const struct word *name = keyword->next;
	const struct vm_config *vm = config->vms;

	if (name == NULL || name->text[0] == '-') {
		diag_error(diag, word_place(keyword, 0), "'%s' needs a name", keyword->text);
		return false;
	}
	if (!is_identifier(name->text)) {
		diag_error(diag, word_place(name, 0), "'%s' is not a name for a %s", name->text,
			   keyword->text);
		diag_hint(diag, "Names consist of letters, digits, '-', '.', '_', "
				"starting with a letter.");
		return false;
	}
	if (!check_name_on_console(name, diag))
		return false;
	while (vm != NULL && strcmp(vm->name, name->text) != 0)
		vm = vm->next;
	if (vm != NULL)
		return report_defined(name, vm->place, diag);
	for (const struct clone_config *clone = config->clones; clone != NULL; clone = clone->next)
		if (clone->name != NULL && strcmp(clone->name, name->text) == 0)
			return report_defined(name, clone->place, diag);
	return true;
}

static enum status read_vm(struct config *config, const struct word *keyword, struct arena *arena,
			   struct diag *diag)
{
	struct vm_config **tail = &config->vms, *vm;
	bool is_template = strcmp(keyword->text, "template") == 0;
	struct vm_reader reader = {
		.arena = arena,
		.diag = diag,
		.machine = "pc-i440fx-10.2",
		.default_ram_id = "pc.ram",
		.n_default_macs = &config->n_default_macs,
	};

	if (!check_vm_name(config, keyword, diag))
		return OK;
	if (!is_template && clone_find_incoming(keyword->next->next) != NULL)
		return clone_read_incoming(config, keyword->next, arena, diag);
	vm = arena_alloc(arena, sizeof(*vm));
	if (vm == NULL)
		return ERR_NOMEM;
	vm->name = keyword->next->text;
	vm->place = word_place(keyword->next, 0);
	vm->is_template = is_template;
	vm->topology = TOPOLOGY_ONE_CPU;
	vm->weight = VM_WEIGHT_DEFAULT;
	vm->gdb = CONSOLE_NONE;
	vm->mem_merge = vm->dump_guest_core = true;
	reader.vm = vm;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = vm;
	reader.vms = config->vms;
	config->n_vms++;
	TRY(vm_read_options(&reader, keyword->next->next));
	return vm_resolve(&reader);
}

static enum status read_line(struct config *config, const struct word *words, struct arena *arena,
			     struct diag *diag)
{
	struct suggestion near;

	if (words == NULL)
		return OK;
	if (strcmp(words->text, "vm") == 0 || strcmp(words->text, "template") == 0)
		return read_vm(config, words, arena, diag);
	if (strcmp(words->text, "host") == 0)
		return read_host(config, words->next, arena, diag);
	if (strcmp(words->text, "clone") == 0)
		return clone_read(config, words, arena, diag);
	if (strcmp(words->text, "map") == 0)
		return map_read(config, words, arena, diag);
	if (strcmp(words->text, "save") == 0)
		return save_read(config, words, arena, diag);
	diag_error(diag, word_place(words, 0),
		   "a line begins with 'vm', 'template', 'clone', 'map', 'save' or 'host', not "
		   "with '%s'",
		   words->text);
	near = suggest(words->text, words->len);
	suggest_list(&near, "vm template clone map save host"); /* the message names them all */
	suggest_tell(&near, "", diag);
	return OK;
}

static enum status read_lines(struct word_cursor *cursor, struct config *config,
			      struct arena *arena, struct diag *diag)
{
	while (cursor->at < cursor->len) {
		struct word *words = NULL;
		enum status status = word_read_line(cursor, arena, diag, &words);

		if (status == OK)
			status = read_line(config, words, arena, diag);
		if (status == ERR_NOMEM)
			return ERR_NOMEM;
	}
	return OK;
}

/* The EFI file replaces the whole configuration by the one that it fetches. */
static void check_fetch(const struct config *config, struct diag *diag)
{
	if (config->n_vms > 0 || config->clones != NULL || config->saves != NULL ||
	    config->host.n_options > 1)
		diag_error(diag, config->host.fetch_place,
			   "-fetch must be alone: the configuration at its URL replaces this one, "
			   "and holds all other lines and options");
}

enum status config_parse(const char *text, size_t len, struct arena *arena, struct diag *diag,
			 struct config *ret)
{
	struct word_cursor cursor = word_cursor(text, len);
	unsigned n_errors = diag->n_errors;

	*ret = (struct config){.host = {.log_level = LOG_INFO,
					.merge = MERGE_OWN,
					.qmp = CONSOLE_NONE,
					.smt = true},
			       .phys_bits = CONFIG_PHYS_BITS_MAX};
	if (read_lines(&cursor, ret, arena, diag) != OK) {
		diag_error(diag, word_cursor_place(&cursor),
			   "no memory left for the configuration");
		return ERR_NOMEM;
	}
	template_lines_check(ret, diag);
	if (ret->host.hands_over && ret->host.on_end == HOST_AFTER_WAIT)
		diag_error(
			diag, ret->host.handover_place,
			"-handover on needs a reset at the end, and -on-end wait has none: remove "
			"one of the two");
	if (ret->host.fetch != NULL)
		check_fetch(ret, diag);
	else if (ret->n_vms == 0 && diag->n_errors == n_errors)
		diag_error(diag, (struct diag_place){1, 1}, "no vm is defined");
	return diag->n_errors == n_errors ? OK : ERR_INVAL;
}

static enum status read_objects(struct vm_config *vm, const char *const *arguments, size_t n,
				struct arena *arena, struct diag *diag)
{
	static const struct backend_defaults defaults = {
		.merge = true, .dump = true, .prealloc_threads = 1};
	struct object_lists lists = {&vm->backends, &vm->thread_contexts, &vm->rngs};

	for (size_t i = 0; i < n; i++) {
		struct word *word = arena_alloc(arena, sizeof(*word));

		if (word == NULL)
			return ERR_NOMEM;
		word->text = arguments[i];
		word->len = strlen(arguments[i]);
		word->start = word_cursor(word->text, word->len);
		if (object_read(word, &lists, arena, diag) == ERR_NOMEM)
			return ERR_NOMEM;
	}
	objects_resolve(vm->backends, vm->thread_contexts, &defaults, diag);
	return OK;
}

enum status config_parse_objects(const char *const *arguments, size_t n, struct arena *arena,
				 struct diag *diag, struct config *ret)
{
	struct vm_config *vm = arena_alloc(arena, sizeof(*vm));
	unsigned n_errors = diag->n_errors;

	*ret = (struct config){.vms = vm, .n_vms = 1, .phys_bits = CONFIG_PHYS_BITS_MAX};
	if (vm == NULL || read_objects(vm, arguments, n, arena, diag) != OK) {
		diag_error(diag, DIAG_NOWHERE, "no memory left for the configuration");
		return ERR_NOMEM;
	}
	vm->name = "objects";
	return diag->n_errors == n_errors ? OK : ERR_INVAL;
}

enum status config_open(struct config *config, struct image_list *images, struct diag *diag)
{
	struct firmware_room *room = NULL;
	unsigned n_errors = diag->n_errors;

	for (struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		for (struct backend *backend = vm->backends; backend != NULL;
		     backend = backend->next)
			(void)backend_open(backend, images, diag);
		drives_open(vm, images, diag);
		vm_open_bios(vm, images, diag);
		(void)config_place_memory(vm, config->phys_bits, diag);
	}
	for (struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		(void)vm_open_kernel(vm, images, diag);
		(void)vm_open_firmware_kernel(vm, images, diag);
		vm_open_option_roms(vm, images, diag);
		(void)vm_open_blobs(vm, images, diag);
		(void)vm_open_fw_cfg(vm, images, diag);
		(void)incoming_open(vm, images, diag);
	}
	map_open(config, images, diag);
	save_check_paths(config, images, diag);
	config_check_sharing(config, diag);
	drives_check_sharing(config, diag);
	for (struct vm_config *vm = config->vms; vm != NULL && diag->n_errors == 0; vm = vm->next)
		firmware_files_add(vm, &room, images->arena, diag);
	return diag->n_errors == n_errors ? OK : ERR_INVAL;
}
