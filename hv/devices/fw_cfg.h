/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/devices/identity.h"
#include "hv/guest/guest_memory.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * QEMU's "fw_cfg": small items that a guest reads by number. Most are files; a directory (item
 * 0x19) gives their names. The guest writes a number to FW_CFG_PORT (16 bits) and then reads the
 * item's bytes one at a time from the next port. Or it places a request in its memory and writes
 * the request's address to FW_CFG_DMA_PORT, big-endian, the lower half last. All this follows
 * QEMU's specification, "docs/specs/fw_cfg". Items cannot be written.
 *
 * Items are computed when they are read; only struct fw_cfg is kept. Texts of the VM's identity are
 * padded with newlines to a fixed length, because drivers ask for lengths only once, perhaps before
 * the VM becomes a template.
 *
 *	opt/stencil/name	64 bytes	the VM's name
 *	opt/stencil/template	64 bytes	the template's name, empty without one
 *	opt/stencil/index	16 bytes	number among the clones, decimal, or empty
 *	opt/stencil/seed	32 bytes	random, binary
 *	opt/stencil/mac		18 bytes	02:xx:xx:xx:xx:xx
 *	opt/stencil/job		4096 bytes	the clone's job of a "map", empty without one
 */
#define FW_CFG_PORT	   0x510
#define FW_CFG_N_PORTS	   2
#define FW_CFG_DMA_PORT	   0x514
#define FW_CFG_DMA_N_PORTS 8

#define FW_CFG_FIRST_FILE 0x20 /* number of the directory's first file */
#define FW_CFG_OWN_FILES  5    /* before those of -fw_cfg; opt/stencil/job comes last */
#define FW_CFG_JOB_SIZE	  4096 /* a job and at least one newline */
#define FW_CFG_MAX_FILES  54   /* our own files, those of -fw_cfg, and those for firmware */

/*
 * A call of fw_cfg_transfer() moves at most this many bytes. The guest repeats its write to the
 * port for each further piece, as it repeats a string instruction, so interrupts come in between.
 */
#define FW_CFG_PIECE KIB(64)

/*
 * A file of -fw_cfg, or one for firmware. Owned by the configuration. Constant after the first VM
 * has started.
 */
#define FW_CFG_NAME_MAX 55 /* bytes, without the NUL */

struct fw_cfg_file {
	struct fw_cfg_file *next;
	const char *name;
	const void *data;
	uint32_t len; /* bytes */
	/*
	 * Its number, one of enum fw_cfg_item, and no name: it is in no directory. 0: a file.
	 * Numbered ones come after all files.
	 */
	uint16_t item;
};

/* Where firmware, or an option ROM, finds the kernel of -kernel, and where it puts it. */
enum fw_cfg_item {
	FW_CFG_KERNEL_ADDR = 0x07, /* addresses and sizes are numbers of 32 bits */
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_KERNEL_DATA = 0x11, /* without its first sectors, which run in real mode: */
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
};

struct fw_cfg {
	const struct fw_cfg_file *files; /* of -fw_cfg and for firmware, after ours; not owned */
	uint64_t ram_size;
	uint16_t n_cpus;
	uint16_t selected;
	uint32_t offset; /* of the next byte */
	uint64_t dma_address;
	uint32_t dma_done; /* bytes that the request at dma_address has moved; 0: none is under way
			    */
	uint8_t reserved;  /* zero; part of saved states */
	uint16_t machine;  /* this machine's number, for the identity's MAC */
	void (*fill_random)(void *buf, size_t len); /* for the identity's seed */
	struct identity identity;
};

/* Return to the state after power-on. Files, sizes and identity remain. */
void fw_cfg_reset(struct fw_cfg *fw_cfg);

/* Claims FW_CFG_PORT and FW_CFG_DMA_PORT. Two-byte reads return ones. */
extern const struct device_class fw_cfg_class;

/* Whether the last fw_cfg_transfer() has left a rest. */
static inline bool fw_cfg_is_busy(const struct fw_cfg *fw_cfg)
{
	return fw_cfg->dma_done != 0;
}

/*
 * Perform the request, or a piece of it, after a write returned WISH_FW_CFG. The VM's lock is held.
 * Errors of the guest are reported to the guest in its request. ERR_NOMEM: no frame for a private
 * copy; the request is not answered.
 */
enum status fw_cfg_transfer(struct fw_cfg *fw_cfg, struct guest_memory *memory);
