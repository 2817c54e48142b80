/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Label storage of the NVDIMMs, for their _DSM in hv/loader/nvdimm.dsl: a page of registers and a
 * page through which data pass. This is Stencil's own device; the guest's OS sees only the _DSM.
 * Registers have 32 bits, at multiples of 4.
 */
#define NVDIMM_MMIO_BASE UINT64_C(0xfef00000)
#define NVDIMM_MMIO_SIZE UINT64_C(0x2000)

#define NVDIMM_REG_HANDLE 0x00 /* selects the NVDIMM */
#define NVDIMM_REG_SIZE	  0x04 /* size of its labels in bytes, read-only; 0: no labels */
#define NVDIMM_REG_MAX	  0x08 /* the longest transfer in bytes, read-only */
#define NVDIMM_REG_OFFSET 0x0c /* offset into the labels */
#define NVDIMM_REG_LENGTH 0x10
#define NVDIMM_REG_GO	  0x14 /* write: enum nvdimm_command; read: enum nvdimm_status */
#define NVDIMM_WINDOW	  0x1000

#define NVDIMM_WINDOW_SIZE 4096

/* Function numbers of the _DSM. */
enum nvdimm_command { NVDIMM_GET_LABELS = 5, NVDIMM_SET_LABELS = 6 };

/* What the _DSM returns: "NVDIMM DSM Interface Example", status of an NVDIMM's functions. */
enum nvdimm_status {
	NVDIMM_SUCCESS = 0,
	NVDIMM_UNSUPPORTED = 1, /* unknown command, no labels, or read-only labels */
	NVDIMM_INVALID = 3,	/* beyond the end of the labels, or longer than the window */
};

/* The labels of one NVDIMM. The owner keeps the bytes. */
struct nvdimm_labels {
	uint32_t handle;
	uint32_t size;	      /* bytes */
	const uint8_t *bytes; /* for reading */
	uint8_t *writable;    /* the same bytes, for writing; NULL: read-only */
};

struct nvdimm {
	const struct nvdimm_labels *labels; /* owned by the caller; handles are unique */
	unsigned n_labels;
	uint32_t handle, offset, length, status; /* registers */
	uint8_t *window;			 /* NVDIMM_WINDOW_SIZE bytes, not owned */
};

/* Reset registers and window to their power-on state. The list of labels and their bytes stay. */
void nvdimm_reset(struct nvdimm *nvdimm);

/*
 * A register answers to a 4-byte access at its own address. Other accesses to registers read as
 * zero, and writes are ignored. The window takes any access that ends within it.
 */
extern const struct device_class nvdimm_class;
