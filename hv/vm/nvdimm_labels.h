/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/nvdimm.h"

bool vm_has_nvdimms(const struct vm_config *config);

/*
 * The labels of a VM's NVDIMMs. For a ROM backend, the image's bytes, read-only; for a shared one,
 * the image's bytes; for a private one, a copy in frames of the VM.
 */
struct vm_labels {
	struct nvdimm_labels *labels; /* at the start of the frames; NULL: none */
	unsigned n;
	phys_t frames;
	uint64_t n_frames;
};

/* ERR_NOMEM: nothing is allocated. */
enum status vm_labels_create(const struct vm_config *config, struct vm_labels *ret);
void vm_labels_destroy(struct vm_labels *labels);
