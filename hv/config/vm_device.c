/* SPDX-License-Identifier: BSD-2-Clause */
/* -device, -chardev, -serial and -debugcon. The words of messages are QEMU's where it has them. */
#include "hv/config/vm_reader.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/device_id.h"
#include "hv/devices/identity.h"
#include "hv/devices/pvpanic.h"
#include "hv/lib/string.h"

#define DEBUG_EXIT_PROPERTIES "id iobase iosize"
#define DEBUGCON_PROPERTIES   "chardev id iobase"
#define VMGENID_PROPERTIES    "guid id"
#define PVPANIC_PROPERTIES    "events id ioport"
#define WATCHDOG_PROPERTIES   "id"

#define DEBUG_EXIT_IOBASE 0x501
#define DEBUG_EXIT_IOSIZE 2
#define DEBUGCON_IOBASE	  0xe9
#define PORTS		  0x10000

static const struct integer_type type_uint32 = {"uint32_t", 0, UINT32_MAX};
static const struct integer_type type_uint16 = {"uint16_t", 0, UINT16_MAX};
static const struct integer_type type_uint8 = {"uint8_t", 0, UINT8_MAX};

/* NULL: there is none. */
static const struct chardev_config *find_chardev(const struct vm_reader *reader, const char *id)
{
	const struct chardev_config *chardev = reader->vm->chardevs;

	while (chardev != NULL && strcmp(chardev->id, id) != 0)
		chardev = chardev->next;
	return chardev;
}

/* "stdio", "null", "none", "mon:stdio" or "chardev:ID". */
static bool find_target(const struct vm_reader *reader, const char *text, enum serial_target *ret)
{
	const struct chardev_config *chardev;

	if (strcmp(text, "stdio") == 0 || strcmp(text, "mon:stdio") == 0)
		*ret = SERIAL_STDIO;
	else if (strcmp(text, "null") == 0)
		*ret = SERIAL_NULL;
	else if (strcmp(text, "none") == 0)
		*ret = SERIAL_NONE;
	else if (strncmp(text, "chardev:", 8) != 0)
		return false;
	else {
		chardev = find_chardev(reader, text + 8);
		if (chardev == NULL)
			return false;
		*ret = chardev->target;
	}
	return true;
}

/* Stencil's own property of a serial line. */
static enum status read_backpressure(struct vm_reader *reader, struct options *options,
				     enum serial_target target)
{
	bool *backpressure = &reader->vm->serial_backpressure;

	TRY(options_get_bool(options, "backpressure", reader->diag, backpressure));
	if (!*backpressure || target == SERIAL_STDIO)
		return options_check_known(options, "backend backpressure", reader->diag);
	diag_error(reader->diag, options_place(options, "backpressure"),
		   "backpressure=on needs the backend 'stdio'");
	return ERR_INVAL;
}

enum status vm_read_serial(struct vm_reader *reader, const struct word *argument)
{
	const struct option *backend;
	enum serial_target target;
	struct options options;

	TRY(options_split(argument, &(struct option_syntax){.implied = "backend"}, reader->arena,
			  reader->diag, &options));
	backend = options_find(&options, "backend");
	if (backend == NULL || !find_target(reader, backend->value, &target)) {
		diag_error(reader->diag, word_place(argument, 0),
			   "could not connect serial device to character backend '%s'",
			   backend == NULL ? "" : backend->value);
		diag_hint(reader->diag, "Character backends are stdio, mon:stdio, null and none");
		return ERR_INVAL;
	}
	TRY(read_backpressure(reader, &options, target));
	if (reader->has_serial) {
		diag_error(reader->diag, word_place(argument, 0),
			   "a second -serial is not supported yet");
		return ERR_INVAL;
	}
	reader->has_serial = true;
	reader->vm->serial = target;
	return OK;
}

static enum status set_debugcon(struct vm_reader *reader, struct diag_place place, uint16_t iobase,
				enum serial_target target)
{
	struct vm_config *vm = reader->vm;

	if (vm->has_debugcon) {
		diag_error(reader->diag, place, "a second debugcon is not supported yet");
		return ERR_INVAL;
	}
	vm->has_debugcon = true;
	vm->debugcon_iobase = iobase;
	vm->debugcon = target;
	return OK;
}

enum status vm_read_debugcon(struct vm_reader *reader, const struct word *argument)
{
	enum serial_target target;

	if (!find_target(reader, argument->text, &target)) {
		diag_error(reader->diag, word_place(argument, 0), "invalid character backend '%s'",
			   argument->text);
		diag_hint(reader->diag, "Character backends are stdio, mon:stdio, null and none");
		return ERR_INVAL;
	}
	return set_debugcon(reader, word_place(argument, 0), DEBUGCON_IOBASE, target);
}

static enum status add_chardev(struct vm_reader *reader, const struct options *options,
			       enum serial_target target)
{
	struct chardev_config **tail = &reader->vm->chardevs;

	for (; *tail != NULL; tail = &(*tail)->next) {
		if (strcmp((*tail)->id, options->id) != 0)
			continue;
		diag_error(reader->diag, options_id_place(options), "Duplicate ID '%s' for chardev",
			   options->id);
		return ERR_INVAL;
	}
	*tail = arena_alloc(reader->arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	(*tail)->id = options->id;
	(*tail)->target = target;
	return OK;
}

static enum status check_chardev_id(struct vm_reader *reader, struct options *options,
				    const struct word *argument)
{
	TRY(options_check_id(options, reader->diag));
	if (options_find(options, "id") != NULL)
		return OK;
	diag_error(reader->diag, word_place(argument, 0), "chardev: no id specified");
	return ERR_INVAL;
}

enum status vm_read_chardev(struct vm_reader *reader, const struct word *argument)
{
	const struct option *backend;
	struct options options;

	TRY(options_split(argument, &(struct option_syntax){.implied = "backend"}, reader->arena,
			  reader->diag, &options));
	TRY(check_chardev_id(reader, &options, argument));
	backend = options_find(&options, "backend");
	if (backend == NULL) {
		diag_error(reader->diag, word_place(argument, 0), "chardev: \"%s\" missing backend",
			   options.id);
		return ERR_INVAL;
	}
	TRY(options_check_known(&options, "backend id", reader->diag));
	if (strcmp(backend->value, "stdio") == 0)
		return add_chardev(reader, &options, SERIAL_STDIO);
	if (strcmp(backend->value, "null") == 0)
		return add_chardev(reader, &options, SERIAL_NULL);
	diag_error(reader->diag, option_value_place(&options, backend),
		   "character backend '%s' is not supported, only 'stdio' and 'null'",
		   backend->value);
	return ERR_INVAL;
}

/* Check that the 'len' ports from 'iobase' on exist; 'key' gave one of the two. */
static enum status check_ports(struct vm_reader *reader, struct options *options, const char *key,
			       int64_t iobase, int64_t len)
{
	if (len > 0 && iobase + len <= PORTS)
		return OK;
	diag_error(reader->diag, options_place(options, key),
		   "%ld ports from 0x%lx on are not possible", len, iobase);
	return ERR_INVAL;
}

static enum status read_debug_exit(struct vm_reader *reader, struct options *options)
{
	int64_t iobase = DEBUG_EXIT_IOBASE, iosize = DEBUG_EXIT_IOSIZE;
	struct vm_config *vm = reader->vm;

	TRY(options_get_integer(options, "iobase", &type_uint32, reader->diag, &iobase));
	TRY(options_get_integer(options, "iosize", &type_uint32, reader->diag, &iosize));
	TRY(options_check_properties(options, "isa-debug-exit", DEBUG_EXIT_PROPERTIES,
				     reader->diag));
	TRY(check_ports(reader, options, iosize == 0 ? "iosize" : "iobase", iobase, iosize));
	if (vm->has_debug_exit) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "a second isa-debug-exit is not supported yet");
		return ERR_INVAL;
	}
	vm->has_debug_exit = true;
	vm->debug_exit_iobase = (uint16_t)iobase;
	vm->debug_exit_iosize = (uint16_t)iosize;
	return OK;
}

static enum status read_isa_debugcon(struct vm_reader *reader, struct options *options)
{
	const struct chardev_config *chardev;
	struct diag_place place = word_place(options->word, 0);
	int64_t iobase = DEBUGCON_IOBASE;
	const char *id = "";

	TRY(options_get_integer(options, "iobase", &type_uint32, reader->diag, &iobase));
	TRY(options_get_string(options, "chardev", reader->diag, &id));
	TRY(options_check_properties(options, "isa-debugcon", DEBUGCON_PROPERTIES, reader->diag));
	if (*id == '\0') {
		diag_error(reader->diag, place, "Can't create debugcon device, empty char device");
		diag_advice(reader->diag, "write -chardev stdio,id=ID, and here chardev=ID");
		return ERR_INVAL;
	}
	chardev = find_chardev(reader, id);
	if (chardev == NULL) {
		diag_error(reader->diag, options_place(options, "chardev"),
			   "Property 'isa-debugcon.chardev' can't find value '%s'", id);
		return ERR_INVAL;
	}
	TRY(check_ports(reader, options, "iobase", iobase, 1));
	return set_debugcon(reader, place, (uint16_t)iobase, chardev->target);
}

static enum status read_vmgenid(struct vm_reader *reader, struct options *options)
{
	struct vm_config *vm = reader->vm;
	const char *guid = "auto";

	TRY(options_get_string(options, "guid", reader->diag, &guid));
	TRY(options_check_properties(options, "vmgenid", VMGENID_PROPERTIES, reader->diag));
	vm->has_guid = strcmp(guid, "auto") != 0;
	if (vm->has_guid && !identity_parse_guid(guid, vm->guid)) {
		diag_error(reader->diag, options_place(options, "guid"),
			   "Property 'vmgenid.guid' doesn't take value '%s'", guid);
		return ERR_INVAL;
	}
	if (vm->has_vmgenid) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "at most one vmgenid device is permitted");
		return ERR_INVAL;
	}
	vm->has_vmgenid = true;
	return OK;
}

/* The ACPI tables name the port, so there is no other. */
static enum status check_pvpanic_port(struct vm_reader *reader, struct options *options,
				      int64_t ioport)
{
	if (ioport == PVPANIC_PORT)
		return OK;
	diag_error(reader->diag, options_place(options, "ioport"),
		   "pvpanic at port 0x%lx is not supported yet, only at 0x%x", ioport,
		   PVPANIC_PORT);
	return ERR_INVAL;
}

static enum status read_pvpanic(struct vm_reader *reader, struct options *options)
{
	int64_t ioport = PVPANIC_PORT, events = PVPANIC_EVENTS;
	struct vm_config *vm = reader->vm;

	TRY(options_get_integer(options, "ioport", &type_uint16, reader->diag, &ioport));
	TRY(options_get_integer(options, "events", &type_uint8, reader->diag, &events));
	TRY(options_check_properties(options, "pvpanic", PVPANIC_PROPERTIES, reader->diag));
	TRY(check_pvpanic_port(reader, options, ioport));
	if (events & ~(int64_t)PVPANIC_EVENTS) {
		diag_error(reader->diag, options_place(options, "events"),
			   "pvpanic has no events 0x%lx, only 1 (panicked) and 2 (crash loaded)",
			   events & ~(int64_t)PVPANIC_EVENTS);
		return ERR_INVAL;
	}
	if (vm->has_pvpanic) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "a second pvpanic is not possible");
		return ERR_INVAL;
	}
	vm->has_pvpanic = true;
	vm->pvpanic_events = (uint8_t)events;
	return OK;
}

static enum status read_watchdog(struct vm_reader *reader, struct options *options)
{
	TRY(options_check_properties(options, "acpi-watchdog", WATCHDOG_PROPERTIES, reader->diag));
	if (reader->vm->has_watchdog) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "a second acpi-watchdog is not possible");
		return ERR_INVAL;
	}
	reader->vm->has_watchdog = true;
	return OK;
}

/* A device that -device makes. To add one, add a row and its reader. */
struct driver {
	const char *name;
	enum status (*read)(struct vm_reader *reader, struct options *options);
	const char *properties;
};

static const struct driver drivers[] = {
	{"acpi-watchdog", read_watchdog, WATCHDOG_PROPERTIES},
	{"isa-debug-exit", read_debug_exit, DEBUG_EXIT_PROPERTIES},
	{"isa-debugcon", read_isa_debugcon, DEBUGCON_PROPERTIES},
	{"loader", vm_read_loader, LOADER_PROPERTIES},
	{"nvdimm", vm_read_nvdimm, NVDIMM_PROPERTIES},
	{"pc-dimm", vm_read_pc_dimm, PC_DIMM_PROPERTIES},
	{"pvpanic", read_pvpanic, PVPANIC_PROPERTIES},
	{"vhost-vsock-device", vm_read_vhost_vsock, VHOST_VSOCK_PROPERTIES},
	{"virtconsole", vm_read_virtconsole, VIRTIO_PORT_PROPERTIES},
	{"virtio-balloon-device", vm_read_virtio_balloon, VIRTIO_BALLOON_PROPERTIES},
	{"virtio-blk-device", vm_read_virtio_blk, VIRTIO_BLK_PROPERTIES},
	{"virtio-net-device", vm_read_virtio_net, VIRTIO_NET_PROPERTIES},
	{"virtio-pmem-device", vm_read_virtio_pmem, VIRTIO_PMEM_PROPERTIES},
	{"virtio-rng-device", vm_read_virtio_rng, VIRTIO_RNG_PROPERTIES},
	{"virtio-serial-device", vm_read_virtio_serial, VIRTIO_SERIAL_PROPERTIES},
	{"virtserialport", vm_read_virtserialport, VIRTIO_PORT_PROPERTIES},
	{"vmgenid", read_vmgenid, VMGENID_PROPERTIES},
};

/* NULL: no driver has this name. */
static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(name, drivers[i].name) == 0)
			return &drivers[i];
	return NULL;
}

static const char *properties_of(const char *name)
{
	const struct driver *driver = find_driver(name);

	return driver != NULL ? driver->properties : NULL;
}

static enum status refuse_driver(struct vm_reader *reader, const struct options *options,
				 const struct option *driver)
{
	static const char *const known[] = {"virtio-", "vhost-",  "e1000",   "nvme",	"usb-",
					    "scsi-",   "ide-",	  "pci-",    "pcie-",	"isa-",
					    "vfio-",   "intel-",  "VGA",     "rtl8139", "sev-",
					    "tpm-",    "ivshmem", "pvpanic-"};
	struct diag_place place = option_value_place(options, driver);
	const char *names[ARRAY_SIZE(drivers) + 1] = {NULL};

	if (is_listed("diag288 i6300esb ib700", driver->value)) {
		diag_error(reader->diag, place, "device '%s' is not supported yet", driver->value);
		diag_advice(reader->diag, "the watchdog of this machine is -device acpi-watchdog");
		return ERR_INVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strncmp(driver->value, known[i], strlen(known[i])) != 0)
			continue;
		diag_error(reader->diag, place, "device '%s' is not supported yet", driver->value);
		return ERR_INVAL;
	}
	diag_error(reader->diag, place, "'%s' is not a valid device model name", driver->value);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		names[i] = drivers[i].name;
	suggest_value(names, driver->value, reader->diag);
	return ERR_INVAL;
}

/* The id was checked before. */
static enum status read_driver(struct vm_reader *reader, struct options *options)
{
	const struct option *driver = options_find(options, "driver");
	const struct driver *known;

	if (driver == NULL || (driver->json != NULL && driver->json->type != JSON_STRING)) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "Parameter 'driver' is missing");
		return ERR_INVAL;
	}
	known = find_driver(driver->value);
	return known != NULL ? known->read(reader, options)
			     : refuse_driver(reader, options, driver);
}

static enum status keep_json_device(struct vm_reader *reader, const struct options *options)
{
	struct json_device **tail = &reader->json_devices;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(reader->arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	(*tail)->options = *options;
	return OK;
}

enum status vm_read_device(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {.implied = "driver",
						    .properties = properties_of};
	struct options options;

	TRY(options_read(argument, &syntax, reader->arena, reader->diag, &options));
	if (options.is_json)
		return keep_json_device(reader, &options);
	TRY(device_id_note(reader->vm, &options, reader->arena, reader->diag));
	return read_driver(reader, &options);
}

enum status vm_read_json_devices(struct vm_reader *reader)
{
	for (struct json_device *d = reader->json_devices; d != NULL; d = d->next) {
		enum status status =
			device_id_note(reader->vm, &d->options, reader->arena, reader->diag);

		if (status == OK)
			status = read_driver(reader, &d->options);
		if (status == ERR_NOMEM)
			return ERR_NOMEM;
	}
	return OK;
}
