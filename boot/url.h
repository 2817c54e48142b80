/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The URL of a folder on a server, as host -fetch names it: http://HOST[:PORT][/PATH] or
 * tftp://ADDRESS[:PORT][/PATH], and below it the files that machines take. HOST is a name or an
 * IPv4 address.
 */
enum { URL_SIZE = 256 }; /* of the longest, with its NUL */

struct url {
	char folder[URL_SIZE];	 /* ends with '/' */
	unsigned host, host_len; /* where in it HOST[:PORT] is */
	bool is_tftp;
	uint8_t address[4]; /* of a TFTP server */
	uint16_t port;	    /* 0: the protocol's */
};

/* Take 'text' apart. Returns what is wrong, "must ...", or NULL. */
const char *url_read(const char *text, uint64_t len, struct url *ret);
/* The length of a NUL-terminated text, or URL_SIZE if it is longer. */
uint64_t url_length(const char *text);
/* "FOLDER/NAME"; false: it is too long. */
bool url_join(const struct url *url, const char *name, char ret[URL_SIZE]);
/* The part of a file's URL that a TFTP server gets: the path, without its first '/'. */
const char *url_tftp_name(const struct url *url, const char *file);
/* Read a decimal number and nothing else; false for more than 64 bits. */
bool url_read_number(const char *text, uint64_t len, uint64_t *ret);
/* The number in decimal. */
enum { URL_NUMBER_SIZE = 21 };
void url_write_number(uint64_t number, char ret[URL_NUMBER_SIZE]);

/*
 * The name of a machine's own folder, as PXELINUX names the file of a machine: the type of the
 * network (1: Ethernet) and the bytes of the hardware address, "01-52-54-00-12-34-56/".
 */
enum { URL_MAC_MAX = 8, URL_OWN_SIZE = 3 * (1 + URL_MAC_MAX) + 1 };

void url_own_folder(uint8_t type, const uint8_t *mac, unsigned mac_len, char ret[URL_OWN_SIZE]);
