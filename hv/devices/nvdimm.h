/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Label storage of the NVDIMMs, as their _DSM in hv/loader/nvdimm.dsl reaches it: a page of
 * registers and a page which data pass through. It is a device of ours, no real one's; the guest's
 * OS sees only the _DSM. Registers have 32 bits, at multiples of 4.
 */
#define NVDIMM_MMIO_BASE UINT64_C(0xfef00000)
#define NVDIMM_MMIO_SIZE UINT64_C(0x2000)

#define NVDIMM_REG_HANDLE 0x00 /* which NVDIMM */
#define NVDIMM_REG_SIZE	  0x04 /* of its labels in bytes, read-only; 0: it has none */
#define NVDIMM_REG_MAX	  0x08 /* the longest transfer in bytes, read-only */
#define NVDIMM_REG_OFFSET 0x0c /* into the labels */
#define NVDIMM_REG_LENGTH 0x10
#define NVDIMM_REG_GO	  0x14 /* write: enum nvdimm_command; read: enum nvdimm_status */
#define NVDIMM_WINDOW	  0x1000

#define NVDIMM_WINDOW_SIZE 4096

/* Function numbers of the _DSM. */
enum nvdimm_command { NVDIMM_GET_LABELS = 5, NVDIMM_SET_LABELS = 6 };

/* What the _DSM returns: "NVDIMM DSM Interface Example", status of an NVDIMM's functions. */
enum nvdimm_status {
	NVDIMM_SUCCESS = 0,
	NVDIMM_UNSUPPORTED = 1, /* no such command, no labels, or labels that cannot be written */
	NVDIMM_INVALID = 3,	/* beyond the labels' end, or longer than the window */
};

/* The labels of one NVDIMM; the bytes are the owner's. */
struct nvdimm_labels {
	uint32_t handle;
	uint32_t size;	      /* bytes */
	const uint8_t *bytes; /* to be read */
	uint8_t *writable;    /* the same, to be written; NULL: read-only */
};

struct nvdimm {
	const struct nvdimm_labels *labels; /* the owner's; each handle once */
	unsigned n_labels;
	uint32_t handle, offset, length, status; /* registers */
	uint8_t window[NVDIMM_WINDOW_SIZE];
};

/* Registers and window as after power-on; labels stay, and which ones they are. */
void nvdimm_reset(struct nvdimm *nvdimm);

/*
 * Registers answer to 4 bytes at their own address, and read as
 * zero, or ignore a write, in any other way; the window takes any access that ends in it.
 */
extern const struct device_class nvdimm_class;
