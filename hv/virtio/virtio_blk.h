/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/* VIRTIO 1.2, "Block Device". Its only queue takes requests. */
extern const struct virtio_kind virtio_blk;

#define VIRTIO_BLK_SECTOR    512 /* bytes; the unit of all sector numbers */
#define VIRTIO_BLK_ID_BYTES  20
#define VIRTIO_BLK_BLOCK_MAX MIB(2)

/* Descriptors of data in a request, at most; a walk of a chain takes that long. */
#define VIRTIO_BLK_SEGMENTS_MAX 62

#define VIRTIO_BLK_F_SEG_MAX	  BIT(2)
#define VIRTIO_BLK_F_RO		  BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE	  BIT(6)
#define VIRTIO_BLK_F_FLUSH	  BIT(9)
#define VIRTIO_BLK_F_DISCARD	  BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES BIT(14)

enum virtio_blk_request {
	VIRTIO_BLK_T_IN = 0,
	VIRTIO_BLK_T_OUT = 1,
	VIRTIO_BLK_T_FLUSH = 4,
	VIRTIO_BLK_T_GET_ID = 8,
	VIRTIO_BLK_T_DISCARD = 11,
	VIRTIO_BLK_T_WRITE_ZEROES = 13,
};

enum virtio_blk_status { VIRTIO_BLK_S_OK = 0, VIRTIO_BLK_S_IOERR = 1, VIRTIO_BLK_S_UNSUPP = 2 };

/* The blocks are hidden memory of the VM: all that memory does, cloning above all, they do. */
struct virtio_blk_config {
	struct virtio_config base; /* first */
	gpa_t blocks;		   /* hidden: see hv/guest/region.h */
	uint64_t n_sectors;
	uint32_t block_size; /* bytes, a power of two */
	bool is_private;     /* discarded blocks give their frames back; else they are zeroed */
	char serial[VIRTIO_BLK_ID_BYTES];
};
