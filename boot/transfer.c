/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of a server, by the protocol of its URL. */
#include "boot/transfer.h"

#include "boot/http.h"
#include "boot/tftp.h"

EFI_STATUS transfer_measure(const struct net *net, const char *url, uint64_t *ret_size)
{
	return net->url.is_tftp ? tftp_measure(net, url, ret_size)
				: http_measure(net, url, ret_size);
}

EFI_STATUS transfer_read(const struct net *net, const char *url, void *buffer, uint64_t size)
{
	return net->url.is_tftp ? tftp_read(net, url, buffer, size)
				: http_read(net, url, buffer, size);
}

EFI_STATUS transfer_write(const struct net *net, const char *url, void *data, uint64_t size)
{
	return net->url.is_tftp ? tftp_write(net, url, data, size)
				: http_write(net, url, data, size);
}
