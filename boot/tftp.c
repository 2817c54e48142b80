/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a TFTP server. Its option "tsize" tells the length of a file before the transfer
 * (RFC 2349). The firmware repeats lost packets, a number of times.
 */
#include "boot/tftp.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/mtftp4.h"

#define PORT	  69
#define N_TRIES	  6
#define TIMEOUT_S 5

static const struct mtftp4_option large_blocks = {"blksize", "1468"}; /* fills an Ethernet frame */

/* What the callback of a transfer needs. */
struct transfer {
	const char *url;
	uint64_t done, size; /* bytes */
};

static EFI_STATUS configure(const struct net *net, struct mtftp4 *tftp)
{
	struct mtftp4_config config = {.use_default_setting = TRUE,
				       .server_port = net->url.port == 0 ? PORT : net->url.port,
				       .n_tries = N_TRIES,
				       .timeout = TIMEOUT_S};

	CopyMem(config.server.Addr, (void *)net->url.address, sizeof(config.server.Addr));
	return tftp->configure(tftp, &config);
}

static EFI_STATUS open_child(const struct net *net, const char *url, struct net_child *ret)
{
	static const EFI_GUID binding = MTFTP4_BINDING_GUID, protocol = MTFTP4_GUID;
	EFI_STATUS status = net_child_open(net, &binding, &protocol, ret);

	if (status == EFI_UNSUPPORTED)
		return firmware_fail(
			status, L"%a: the firmware does not speak TFTP; use an HTTP server", url);
	if (!EFI_ERROR(status)) {
		status = configure(net, ret->protocol);
		if (EFI_ERROR(status))
			net_child_close(ret);
	}
	if (EFI_ERROR(status))
		return firmware_fail(status, L"%a: the firmware cannot begin a transfer", url);
	return EFI_SUCCESS;
}

/* Never EFI_NOT_FOUND, which is the server's word. */
static EFI_STATUS fail_transfer(EFI_STATUS status, const char *url)
{
	if (status == EFI_NOT_FOUND)
		status = EFI_NO_RESPONSE;
	return firmware_fail(status, L"%a: %s; check the server, its log and the network", url,
			     net_reason(status));
}

/* Find the length in the server's answer. */
static bool find_size(struct mtftp4 *tftp, struct mtftp4_packet *packet, UINT32 len,
		      uint64_t *ret_size)
{
	struct mtftp4_option *options;
	bool is_found = false;
	UINT32 n = 0;

	if (EFI_ERROR(tftp->parse_options(tftp, len, packet, &n, &options)))
		return false;
	for (UINT32 i = 0; i < n && !is_found; i++)
		is_found = strcmpa((const CHAR8 *)options[i].name, (const CHAR8 *)"tsize") == 0 &&
			   url_read_number(options[i].value,
					   strlena((const CHAR8 *)options[i].value), ret_size);
	firmware->BootServices->FreePool(options);
	return is_found;
}

static bool is_missing(EFI_STATUS status, const struct mtftp4_packet *packet, UINT32 len)
{
	return status == EFI_TFTP_ERROR && packet != NULL && len >= sizeof(*packet) &&
	       packet->error == __builtin_bswap16(MTFTP4_FILE_NOT_FOUND);
}

EFI_STATUS tftp_measure(const struct net *net, const char *url, uint64_t *ret_size)
{
	static const struct mtftp4_option tsize = {"tsize", "0"};
	struct mtftp4_packet *packet = NULL;
	struct net_child child;
	struct mtftp4 *tftp;
	UINT32 len = 0;
	EFI_STATUS status = open_child(net, url, &child);

	if (EFI_ERROR(status))
		return status;
	tftp = child.protocol;
	status = tftp->get_info(tftp, NULL, url_tftp_name(&net->url, url), NULL, 1, &tsize, &len,
				&packet);
	if (is_missing(status, packet, len))
		status = EFI_NOT_FOUND;
	else if (EFI_ERROR(status))
		fail_transfer(status, url);
	else if (!find_size(tftp, packet, len, ret_size))
		status = firmware_fail(EFI_PROTOCOL_ERROR,
				       L"%a: the server does not tell the file's length; it must "
				       L"know the option tsize",
				       url);
	if (packet != NULL)
		firmware->BootServices->FreePool(packet);
	net_child_close(&child);
	return status;
}

static EFI_STATUS EFIAPI count_packet(struct mtftp4 *tftp, struct mtftp4_token *token, UINT16 len,
				      struct mtftp4_packet *packet)
{
	struct transfer *transfer = token->context;
	uint64_t before = transfer->done;

	(void)tftp;
	if (packet->opcode == __builtin_bswap16(MTFTP4_OPCODE_DATA) &&
	    len > MTFTP4_DATA_HEADER_SIZE) {
		transfer->done += len - MTFTP4_DATA_HEADER_SIZE;
		net_show_progress(L"reading", transfer->url, before, transfer->done,
				  transfer->size);
	}
	return EFI_SUCCESS;
}

/* EFI_BUFFER_TOO_SMALL, which only a read returns, is not printed. */
static EFI_STATUS run(const struct net *net, const char *url, struct mtftp4_token *token,
		      bool is_write)
{
	struct net_child child;
	struct mtftp4 *tftp;
	EFI_STATUS status = open_child(net, url, &child);

	if (EFI_ERROR(status))
		return status;
	tftp = child.protocol;
	token->name = url_tftp_name(&net->url, url);
	token->n_options = 1;
	token->options = &large_blocks;
	status = is_write ? tftp->write_file(tftp, token) : tftp->read_file(tftp, token);
	if (EFI_ERROR(status) && status != EFI_BUFFER_TOO_SMALL)
		fail_transfer(status, url);
	net_child_close(&child);
	return status;
}

EFI_STATUS tftp_read(const struct net *net, const char *url, void *buffer, uint64_t size)
{
	struct transfer transfer = {.url = url, .size = size};
	struct mtftp4_token token = {
		.size = size, .buffer = buffer, .context = &transfer, .check_packet = count_packet};
	EFI_STATUS status = run(net, url, &token, false);

	if (status == EFI_BUFFER_TOO_SMALL || (!EFI_ERROR(status) && token.size != size))
		status = firmware_fail(EFI_PROTOCOL_ERROR,
				       L"%a: has not the %ld bytes that the server told; try again",
				       url, size);
	return status;
}

EFI_STATUS tftp_write(const struct net *net, const char *url, void *data, uint64_t size)
{
	struct mtftp4_token token = {.size = size, .buffer = data};

	return run(net, url, &token, true);
}
