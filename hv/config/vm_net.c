/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -netdev hubport and -device virtio-net-device. The words of messages are QEMU's where it has
 * them.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/suggest.h"
#include "hv/lib/string.h"
#include "hv/net/hub.h"
#include "hv/virtio/virtio_net.h"

#define HUBPORT_PROPERTIES "type id hubid"

/* QEMU's first address; a device without mac= has the next one that no such device has. */
#define MAC_FIRST UINT64_C(0x525400123456)

static const struct integer_type type_hubid = {"an integer", 0, INT32_MAX};

static enum status refuse_type(struct vm_reader *reader, const struct options *options,
			       const struct option *type)
{
	static const char *const real[] = {"bridge", "l2tpv3",	   "passt", "socket", "stream",
					   "dgram",  "vhost-user", "tap",   "user",   "vde"};
	struct diag_place place = option_value_place(options, type);
	static const char *const names[] = {"hubport", NULL};

	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		if (strcmp(type->value, real[i]) != 0)
			continue;
		diag_error(reader->diag, place,
			   "-netdev %s is not supported: there is no host network", type->value);
		diag_advice(reader->diag,
			    "write -netdev hubport,id=%s,hubid=0 for a network between VMs",
			    options->id ? options->id : "ID");
		return ERR_INVAL;
	}
	diag_error(reader->diag, place, "Parameter 'type' does not accept value '%s'", type->value);
	suggest_value(names, type->value, reader->diag);
	return ERR_INVAL;
}

static struct netdev_config *find(const struct vm_reader *reader, const char *id)
{
	struct netdev_config *netdev = reader->netdevs;

	while (netdev != NULL && strcmp(netdev->id, id) != 0)
		netdev = netdev->next;
	return netdev;
}

static enum status add_netdev(struct vm_reader *reader, struct options *options, int64_t hub)
{
	struct netdev_config *netdev;

	if (find(reader, options->id) != NULL) {
		diag_error(reader->diag, options_id_place(options), "Duplicate ID '%s' for netdev",
			   options->id);
		return ERR_INVAL;
	}
	netdev = arena_alloc(reader->arena, sizeof(*netdev));
	if (netdev == NULL)
		return ERR_NOMEM;
	*netdev = (struct netdev_config){reader->netdevs, options->id, (unsigned)hub, false};
	reader->netdevs = netdev;
	return OK;
}

static enum status read_hubport(struct vm_reader *reader, struct options *options)
{
	int64_t hub = 0;

	TRY(options_check_given(options, "id", reader->diag));
	TRY(options_check_given(options, "hubid", reader->diag));
	TRY(options_get_integer(options, "hubid", &type_hubid, reader->diag, &hub));
	TRY(options_check_known(options, HUBPORT_PROPERTIES, reader->diag));
	if (hub >= NET_HUBS) {
		diag_error(reader->diag, options_place(options, "hubid"),
			   "there is no hub %ld, only 0 to %u", hub, NET_HUBS - 1);
		return ERR_INVAL;
	}
	return add_netdev(reader, options, hub);
}

enum status vm_read_netdev(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {.implied = "type"};
	const struct option *type;
	struct options options;

	TRY(options_read(argument, &syntax, reader->arena, reader->diag, &options));
	TRY(options_check_id(&options, reader->diag));
	type = options_find(&options, "type");
	if (type == NULL || (type->json != NULL && type->json->type != JSON_STRING)) {
		diag_error(reader->diag, word_place(argument, 0), "Parameter 'type' is missing");
		return ERR_INVAL;
	}
	return strcmp(type->value, "hubport") == 0 ? read_hubport(reader, &options)
						   : refuse_type(reader, &options, type);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "52:54:00:12:34:56" or with "-", as the guest sees it. False: not an address. */
static bool parse_mac(const char *text, uint8_t ret[6])
{
	for (unsigned i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
		if (i == 5 ? text[2] != '\0' : text[2] != ':' && text[2] != '-')
			return false;
	}
	return true;
}

static enum status get_mac(struct vm_reader *reader, struct options *options, uint64_t *ret)
{
	const char *text = NULL;
	uint8_t bytes[6];

	TRY(options_get_string(options, "mac", reader->diag, &text));
	if (text == NULL)
		return OK;
	if (!parse_mac(text, bytes)) {
		diag_error(reader->diag, options_place(options, "mac"),
			   "Property 'virtio-net-device.mac' doesn't take value '%s'", text);
		return ERR_INVAL;
	}
	*ret = net_mac(bytes);
	if (!net_is_group(*ret) && *ret != 0)
		return OK;
	diag_error(reader->diag, options_place(options, "mac"),
		   "%s is not the address of a device: it is %s", text,
		   *ret == 0 ? "zero" : "that of a group");
	return ERR_INVAL;
}

/* Note the netdev that the device names, which may be defined later. */
static enum status note_use(struct vm_reader *reader, struct options *options,
			    struct virtio_config *device)
{
	struct netdev_use *use = arena_alloc(reader->arena, sizeof(*use));
	const char *id = "";

	if (use == NULL)
		return ERR_NOMEM;
	TRY(options_get_string(options, "netdev", reader->diag, &id));
	if (*id == '\0') {
		diag_error(reader->diag, word_place(options->word, 0),
			   "virtio-net-device needs a netdev");
		diag_advice(reader->diag,
			    "write -netdev hubport,id=ID,hubid=0, and here netdev=ID");
		return ERR_INVAL;
	}
	*use = (struct netdev_use){reader->netdev_uses, id, options_place(options, "netdev"),
				   device};
	reader->netdev_uses = use;
	return OK;
}

static void take_netdev(struct vm_reader *reader, const struct netdev_use *use)
{
	struct netdev_config *netdev = find(reader, use->id);

	if (netdev == NULL || netdev->is_taken) {
		diag_error(reader->diag, use->place,
			   "Property 'virtio-net-device.netdev' can't %s value '%s'%s",
			   netdev ? "take" : "find", use->id, netdev ? ", it's in use" : "");
		return;
	}
	netdev->is_taken = true;
	use->device->hub = netdev->hub;
}

void vm_resolve_net(struct vm_reader *reader)
{
	for (const struct netdev_use *use = reader->netdev_uses; use != NULL; use = use->next)
		take_netdev(reader, use);
}

static uint64_t default_mac(uint64_t n)
{
	uint64_t mac = MAC_FIRST + n;
	uint8_t bytes[6];

	for (unsigned i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
	return net_mac(bytes);
}

enum status vm_read_virtio_net(struct vm_reader *reader, struct options *options)
{
	struct virtio_config read = {.kind = &virtio_net, .features = VIRTIO_NET_FEATURES}, *device;

	TRY(vm_read_virtio_features(reader, options, &read));
	TRY(get_mac(reader, options, &read.identity));
	(void)options_find(options, "netdev");
	TRY(options_check_properties(options, virtio_net.driver, VIRTIO_NET_PROPERTIES,
				     reader->diag));
	if (read.identity == 0)
		read.identity = default_mac((*reader->n_default_macs)++);
	TRY(vm_add_virtio(reader, options, &read, &device));
	return note_use(reader, options, device);
}
