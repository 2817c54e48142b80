/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/nvdimm.h"

bool vm_has_nvdimms(const struct vm_config *config);

/*
 * The labels of a VM's NVDIMMs: of a ROM backend the image's bytes, read-only; of a shared one the
 * image's bytes; of a private one a copy in frames of its own, made when the VM is.
 */
struct vm_labels {
	struct nvdimm_labels *labels; /* in the first of the frames; NULL: none */
	unsigned n;
	phys_t frames;
	uint64_t n_frames;
};

/* ERR_NOMEM: nothing was taken. */
enum status vm_labels_create(const struct vm_config *config, struct vm_labels *ret);
void vm_labels_destroy(struct vm_labels *labels);
