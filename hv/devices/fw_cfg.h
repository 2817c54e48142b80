/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/devices/identity.h"
#include "hv/guest/guest_memory.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * QEMU's "fw_cfg": small items that a guest reads, each by its number; most are files, which a
 * directory (item 0x19) gives names to. A number is written to FW_CFG_PORT (16 bits), bytes of the
 * item then come from the port behind it, one at a time; or the guest leaves a request in its
 * memory, and writes the address to FW_CFG_DMA_PORT, big-endian, the lower half last. As in QEMU's
 * specification, "docs/specs/fw_cfg"; items cannot be written.
 *
 * Items are computed when they are read: nothing is kept but what is below. Texts of the VM's
 * identity have newlines behind them up to a fixed length, as drivers ask for lengths only once,
 * perhaps before the VM becomes a template.
 *
 *	opt/stencil/name	64 bytes	the VM's name
 *	opt/stencil/template	64 bytes	that of its template, empty if it has none
 *	opt/stencil/index	16 bytes	its number among the clones, decimal, or empty
 *	opt/stencil/seed	32 bytes	random, binary
 *	opt/stencil/mac		18 bytes	02:xx:xx:xx:xx:xx
 */
#define FW_CFG_PORT	   0x510
#define FW_CFG_N_PORTS	   2
#define FW_CFG_DMA_PORT	   0x514
#define FW_CFG_DMA_N_PORTS 8

#define FW_CFG_FIRST_FILE 0x20 /* the number of the directory's first file */
#define FW_CFG_OWN_FILES  5
#define FW_CFG_MAX_FILES  32 /* ours and -fw_cfg's, as in QEMU */

/* A request that reads on behind its item's end gets at most so many zeros. */
#define FW_CFG_MAX_ZEROS KIB(64)

/* A file that -fw_cfg gives to a guest: the configuration owns it. Constant once the first VM runs.
 */
#define FW_CFG_NAME_MAX 55 /* bytes, without the NUL */

struct fw_cfg_file {
	struct fw_cfg_file *next;
	const char *name;
	const void *data;
	uint32_t len; /* bytes */
};

struct fw_cfg {
	const struct fw_cfg_file *files; /* those of -fw_cfg, behind ours; not owned */
	uint64_t ram_size;
	uint16_t n_cpus;
	uint16_t selected;
	uint32_t offset; /* of the next byte */
	uint64_t dma_address;
	uint8_t reserved; /* zero; in saved states */
	struct identity identity;
};

/* As after power-on; files, sizes and identity stay. */
void fw_cfg_reset(struct fw_cfg *fw_cfg);

/* At FW_CFG_PORT and FW_CFG_DMA_PORT. A read of two bytes is none. */
extern const struct device_class fw_cfg_class;

/*
 * Do what the write that returned WISH_FW_CFG requests: the VM's lock is held. What the guest did
 * wrong it reads in its request. ERR_NOMEM: no frame for a private copy; the request is not
 * answered.
 */
enum status fw_cfg_transfer(struct fw_cfg *fw_cfg, struct guest_memory *memory);
