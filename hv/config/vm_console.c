/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -device virtio-serial-device and its ports: virtconsole and virtserialport. The words of messages
 * are QEMU's where it has them.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/suggest.h"
#include "hv/lib/string.h"
#include "hv/virtio/virtio_console.h"

static const struct integer_type type_uint32 = {"uint32_t", 0, UINT32_MAX};

#define NR_UNSET UINT32_MAX /* QEMU's, too */

enum status vm_read_virtio_serial(struct vm_reader *reader, struct options *options)
{
	struct virtio_console_config *device = arena_alloc(reader->arena, sizeof(*device));
	int64_t n_ports = VIRTIO_CONSOLE_PORTS_MAX;

	if (device == NULL)
		return ERR_NOMEM;
	device->base.kind = &virtio_console;
	TRY(vm_read_virtio_features(reader, options, &device->base));
	TRY(options_get_integer(options, "max_ports", &type_uint32, reader->diag, &n_ports));
	TRY(options_check_properties(options, virtio_console.driver, VIRTIO_SERIAL_PROPERTIES,
				     reader->diag));
	if (n_ports < 1 || n_ports > VIRTIO_CONSOLE_PORTS_MAX) {
		diag_error(reader->diag, options_place(options, "max_ports"),
			   "maximum ports supported: %u", VIRTIO_CONSOLE_PORTS_MAX);
		return ERR_INVAL;
	}
	device->id = options->id;
	device->n_ports = (unsigned)n_ports;
	device->base.n_absent = n_ports == 1 ? VIRTIO_CONSOLE_QUEUES - 2 : 0;
	device->base.features |= VIRTIO_CONSOLE_F_EMERG_WRITE;
	if (n_ports > 1)
		device->base.features |= VIRTIO_CONSOLE_F_MULTIPORT;
	return vm_link_virtio(reader, options, &device->base);
}

/* The next device for ports after 'from'; NULL: the first one. NULL is returned after the last. */
static struct virtio_console_config *next_device(const struct vm_reader *reader,
						 const struct virtio_console_config *from)
{
	const struct virtio_config *one = from ? from->base.next : reader->vm->virtio;

	while (one != NULL && one->kind != &virtio_console)
		one = one->next;
	return (struct virtio_console_config *)one;
}

static bool is_bus(const struct virtio_console_config *device, const char *bus)
{
	size_t len = device->id ? strlen(device->id) : 0;

	return len > 0 && strncmp(bus, device->id, len) == 0 && strcmp(bus + len, ".0") == 0;
}

/* Port 0 is for a virtconsole alone, and a virtconsole's if it is free. NR_UNSET: none is free. */
static uint32_t free_port(const struct virtio_console_config *device, bool is_console)
{
	for (uint32_t nr = is_console ? 0 : 1; nr < device->n_ports; nr++)
		if (!device->port[nr].is_there)
			return nr;
	return NR_UNSET;
}

static enum status find_device(struct vm_reader *reader, struct options *options, bool is_console,
			       struct virtio_console_config **ret)
{
	struct virtio_console_config *device = next_device(reader, NULL);
	const char *bus = NULL;

	TRY(options_get_string(options, "bus", reader->diag, &bus));
	while (bus && device && !is_bus(device, bus))
		device = next_device(reader, device);
	if (bus && device == NULL) {
		diag_error(reader->diag, options_place(options, "bus"), "Bus '%s' not found", bus);
		return ERR_INVAL;
	}
	for (*ret = device; !bus && device; device = next_device(reader, device)) {
		if (free_port(device, is_console) == NR_UNSET)
			continue;
		*ret = device;
		break;
	}
	if (*ret != NULL)
		return OK;
	diag_error(reader->diag, word_place(options->word, 0),
		   "No 'virtio-serial-bus' bus found for device '%s'",
		   is_console ? "virtconsole" : "virtserialport");
	diag_advice(reader->diag, "write -device virtio-serial-device before it");
	return ERR_INVAL;
}

static enum status check_nr(struct vm_reader *reader, struct options *options, bool is_console,
			    const struct virtio_console_config *device, uint32_t nr)
{
	struct diag_place place = options_place(options, "nr");

	if (nr == NR_UNSET)
		diag_error(reader->diag, word_place(options->word, 0),
			   "virtio-serial-bus: Maximum port limit for this device reached");
	else if (nr >= device->n_ports)
		diag_error(reader->diag, place,
			   "virtio-serial-bus: Out-of-range port id specified, max. allowed: %u",
			   device->n_ports - 1);
	else if (nr == 0 && !is_console)
		diag_error(reader->diag, place,
			   "virtio-serial-bus: Port number 0 on virtio-serial devices reserved for "
			   "virtconsole devices for backward compatibility.");
	else if (device->port[nr].is_there)
		diag_error(reader->diag, place, "virtio-serial-bus: A port already exists by id %u",
			   nr);
	else
		return OK;
	return ERR_INVAL;
}

static enum status get_nr(struct vm_reader *reader, struct options *options, bool is_console,
			  const struct virtio_console_config *device, uint32_t *ret)
{
	int64_t nr = NR_UNSET;

	TRY(options_get_integer(options, "nr", &type_uint32, reader->diag, &nr));
	*ret = nr == NR_UNSET ? free_port(device, is_console) : (uint32_t)nr;
	return check_nr(reader, options, is_console, device, *ret);
}

static bool name_is_taken(const struct virtio_console_config *device, const char *name)
{
	for (unsigned nr = 0; nr < device->n_ports; nr++)
		if (device->port[nr].name != NULL && strcmp(device->port[nr].name, name) == 0)
			return true;
	return false;
}

static enum status get_name(struct vm_reader *reader, struct options *options,
			    const struct virtio_console_config *device, const char **ret)
{
	const char *name = NULL;

	TRY(options_get_string(options, "name", reader->diag, &name));
	*ret = name != NULL && *name != '\0' ? name : NULL;
	if (*ret == NULL)
		return OK;
	if (strlen(name) > VIRTIO_CONSOLE_NAME_MAX) {
		diag_error(reader->diag, options_place(options, "name"),
			   "the name of a port has at most %u bytes", VIRTIO_CONSOLE_NAME_MAX);
		return ERR_INVAL;
	}
	if (!name_is_taken(device, name))
		return OK;
	diag_error(reader->diag, options_place(options, "name"),
		   "virtio-serial-bus: A port already exists by name %s", name);
	return ERR_INVAL;
}

/* Note the chardev that the port names, which may be defined later. */
static enum status note_use(struct vm_reader *reader, struct options *options, const char *driver,
			    struct virtio_console_port *port)
{
	struct port_use *use = arena_alloc(reader->arena, sizeof(*use));
	const char *id = "";

	if (use == NULL)
		return ERR_NOMEM;
	TRY(options_get_string(options, "chardev", reader->diag, &id));
	if (*id == '\0') {
		diag_error(reader->diag, word_place(options->word, 0), "%s needs a chardev",
			   driver);
		diag_advice(reader->diag, "write -chardev stdio,id=ID, and here chardev=ID");
		return ERR_INVAL;
	}
	*use = (struct port_use){reader->port_uses, id, driver, options_place(options, "chardev"),
				 port};
	reader->port_uses = use;
	return OK;
}

static enum status read_port(struct vm_reader *reader, struct options *options, bool is_console)
{
	const char *driver = is_console ? "virtconsole" : "virtserialport", *name;
	struct virtio_console_config *device;
	struct virtio_console_port *port;
	uint32_t nr;

	TRY(find_device(reader, options, is_console, &device));
	TRY(get_name(reader, options, device, &name));
	TRY(get_nr(reader, options, is_console, device, &nr));
	(void)options_find(options, "chardev");
	TRY(options_check_properties(options, driver, VIRTIO_PORT_PROPERTIES, reader->diag));
	port = &device->port[nr];
	*port = (struct virtio_console_port){
		.is_there = true, .is_console = is_console, .name = name};
	return note_use(reader, options, driver, port);
}

enum status vm_read_virtconsole(struct vm_reader *reader, struct options *options)
{
	return read_port(reader, options, true);
}

enum status vm_read_virtserialport(struct vm_reader *reader, struct options *options)
{
	return read_port(reader, options, false);
}

static void take_chardev(struct vm_reader *reader, const struct port_use *use)
{
	struct chardev_config *chardev = reader->vm->chardevs;

	while (chardev != NULL && strcmp(chardev->id, use->id) != 0)
		chardev = chardev->next;
	if (chardev == NULL || chardev->is_taken) {
		diag_error(reader->diag, use->place, "Property '%s.chardev' can't %s value '%s'%s",
			   use->driver, chardev ? "take" : "find", use->id,
			   chardev ? ", it's in use" : "");
		return;
	}
	chardev->is_taken = true;
	use->port->label = chardev->id;
	use->port->is_shown = chardev->target == SERIAL_STDIO;
}

/* The first port whose chardev is stdio is in the place of a COM1 whose is not. */
static void choose_console(struct vm_reader *reader)
{
	struct virtio_console_config *device = next_device(reader, NULL);

	for (; device != NULL; device = next_device(reader, device)) {
		for (unsigned nr = 0; nr < device->n_ports; nr++) {
			if (!device->port[nr].is_shown)
				continue;
			device->port[nr].has_input = true;
			reader->vm->has_console_port = true;
			return;
		}
	}
}

void vm_resolve_console(struct vm_reader *reader)
{
	for (const struct port_use *use = reader->port_uses; use != NULL; use = use->next)
		take_chardev(reader, use);
	if (reader->vm->serial != SERIAL_STDIO)
		choose_console(reader);
}
