/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network by the firmware's drivers and protocols: the card and its address.
 */
#include "boot/net.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/ip4_config2.h"

#define PROGRESS_STEP (UINT64_C(4) << 20) /* bytes */
/* UEFI specification, "Status Codes"; gnu-efi does not declare them. */
#define ERROR_NETWORK_UNREACHABLE EFIERR(100)
#define ERROR_HOST_UNREACHABLE	  EFIERR(101)
#define ERROR_PORT_UNREACHABLE	  EFIERR(103)
#define ERROR_CONNECTION_FIN	  EFIERR(104)
#define ERROR_CONNECTION_RESET	  EFIERR(105)
#define ERROR_CONNECTION_REFUSED  EFIERR(106)

#define ADDRESS_TENTHS 600
#define TENTH_US       100000

static const EFI_GUID config_guid = IP4_CONFIG2_GUID;

static struct ip4_config2 *card_config(EFI_HANDLE card)
{
	EFI_GUID guid = config_guid;
	void *protocol;

	return EFI_ERROR(firmware->BootServices->HandleProtocol(card, &guid, &protocol)) ? NULL
											 : protocol;
}

/* The routes follow the structure, and are not of interest. */
static bool read_interface(struct ip4_config2 *config, struct ip4_config2_interface *ret)
{
	static union {
		struct ip4_config2_interface interface;
		char routes[2048];
	} answer;
	UINTN size = sizeof(answer);

	if (EFI_ERROR(config->get_data(config, IP4_CONFIG2_INTERFACE_INFO, &size, &answer)))
		return false;
	*ret = answer.interface;
	return true;
}

static bool has_address(const struct ip4_config2_interface *interface)
{
	const UINT8 *a = interface->address.Addr;

	return (a[0] | a[1] | a[2] | a[3]) != 0;
}

/* An address that the firmware has already stays. */
static EFI_STATUS get_address(EFI_HANDLE card, struct ip4_config2_interface *interface)
{
	struct ip4_config2 *config = card_config(card);
	UINT32 policy = IP4_CONFIG2_POLICY_DHCP;

	if (config == NULL || !read_interface(config, interface))
		return EFI_UNSUPPORTED;
	if (has_address(interface))
		return EFI_SUCCESS;
	config->set_data(config, IP4_CONFIG2_POLICY, sizeof(policy), &policy);
	for (unsigned i = 0; i < ADDRESS_TENTHS; i++) {
		if (read_interface(config, interface) && has_address(interface))
			return EFI_SUCCESS;
		firmware->BootServices->Stall(TENTH_US);
	}
	return EFI_TIMEOUT;
}

/* The card on whose device path the image's device lies. */
static EFI_HANDLE card_of_image(const EFI_LOADED_IMAGE *image)
{
	EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID, guid = config_guid;
	EFI_DEVICE_PATH *path;
	EFI_HANDLE card;
	void *protocol;

	if (image->DeviceHandle == NULL || EFI_ERROR(firmware->BootServices->HandleProtocol(
						   image->DeviceHandle, &path_guid, &protocol)))
		return NULL;
	path = protocol;
	return EFI_ERROR(firmware->BootServices->LocateDevicePath(&guid, &path, &card)) ? NULL
											: card;
}

/* A firmware that starts from a disk may have left the network's drivers aside. */
static void connect_all(void)
{
	EFI_HANDLE *handles;
	UINTN n = 0;

	if (EFI_ERROR(firmware->BootServices->LocateHandleBuffer(AllHandles, NULL, NULL, &n,
								 &handles)))
		return;
	for (UINTN i = 0; i < n; i++)
		firmware->BootServices->ConnectController(handles[i], NULL, NULL, TRUE);
	firmware->BootServices->FreePool(handles);
}

static UINTN list_cards(EFI_HANDLE **ret)
{
	EFI_GUID guid = config_guid;
	UINTN n = 0;

	return EFI_ERROR(
		       firmware->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &n, ret))
		       ? 0
		       : n;
}

static EFI_STATUS choose_card(const EFI_LOADED_IMAGE *image, struct net *net,
			      struct ip4_config2_interface *interface)
{
	EFI_STATUS status = EFI_UNSUPPORTED;
	EFI_HANDLE *cards;
	UINTN n;

	net->card = card_of_image(image);
	if (net->card != NULL)
		return get_address(net->card, interface);
	n = list_cards(&cards);
	if (n == 0) {
		connect_all();
		n = list_cards(&cards);
	}
	for (UINTN i = 0; i < n && EFI_ERROR(status); i++) {
		net->card = cards[i];
		status = get_address(cards[i], interface);
	}
	if (n > 0)
		firmware->BootServices->FreePool(cards);
	return status;
}

EFI_STATUS net_start(const EFI_LOADED_IMAGE *image, struct net *net, struct boot_info *info)
{
	struct ip4_config2_interface interface = {};
	const UINT8 *a = interface.address.Addr;
	EFI_STATUS status = choose_card(image, net, &interface);

	if (status == EFI_UNSUPPORTED)
		return firmware_fail(status,
				     L"%a: the firmware drives no network card with IPv4; switch "
				     L"its network stack on, or start without host -fetch",
				     net->url.folder);
	if (EFI_ERROR(status))
		return firmware_fail(status,
				     L"%a: no network card gets an address by DHCP; check the "
				     L"cable and the DHCP server",
				     net->url.folder);
	url_own_folder(interface.type, interface.mac.Addr, interface.mac_size, net->own_folder);
	firmware_say(info, L"the network: %d.%d.%d.%d, own folder %a%a", a[0], a[1], a[2], a[3],
		     net->url.folder, net->own_folder);
	return EFI_SUCCESS;
}

EFI_STATUS net_child_open(const struct net *net, const EFI_GUID *binding, const EFI_GUID *protocol,
			  struct net_child *ret)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	EFI_GUID guid = *binding;
	void *found;
	EFI_STATUS status;

	*ret = (struct net_child){};
	status = services->HandleProtocol(net->card, &guid, &found);
	if (EFI_ERROR(status))
		return EFI_UNSUPPORTED;
	ret->binding = found;
	status = ret->binding->CreateChild(ret->binding, &ret->handle);
	if (EFI_ERROR(status))
		return status;
	guid = *protocol;
	status = services->HandleProtocol(ret->handle, &guid, &ret->protocol);
	if (EFI_ERROR(status))
		net_child_close(ret);
	return status;
}

void net_child_close(const struct net_child *child)
{
	child->binding->DestroyChild(child->binding, child->handle);
}

const CHAR16 *net_reason(EFI_STATUS status)
{
	switch (status) {
	case EFI_TIMEOUT:
		return L"no answer in time";
	case ERROR_NETWORK_UNREACHABLE:
	case ERROR_HOST_UNREACHABLE:
		return L"no way to the server";
	case ERROR_PORT_UNREACHABLE:
	case ERROR_CONNECTION_REFUSED:
		return L"no server at that port";
	case ERROR_CONNECTION_FIN:
	case ERROR_CONNECTION_RESET:
		return L"the server has ended the connection";
	default:
		return L"the transfer has failed";
	}
}

void net_show_progress(const CHAR16 *doing, const char *url, uint64_t before, uint64_t done,
		       uint64_t size)
{
	if (size > PROGRESS_STEP &&
	    (before / PROGRESS_STEP != done / PROGRESS_STEP || done == size))
		firmware_show_progress(doing, url, done, size);
}
