/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/*
 * VIRTIO 1.2, "PMEM Device": memory that the guest's driver maps like a persistent memory module.
 * The memory itself is a region of the VM's, with the share=, readonly= and rom= of its backend.
 * Its only queue takes requests to flush, which find nothing to do: what the guest has written is
 * where it stays.
 */
extern const struct virtio_kind virtio_pmem;

struct virtio_pmem_config {
	struct virtio_config base; /* first */
	uint64_t start, len;	   /* guest-physical, bytes */
};

enum virtio_pmem_request { VIRTIO_PMEM_REQ_TYPE_FLUSH = 0 };
