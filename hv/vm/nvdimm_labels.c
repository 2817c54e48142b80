/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest reaches labels through ACPI methods only, so they are not in its memory map. The
 * configuration was checked: labels lie inside their backend.
 */
#include "hv/vm/nvdimm_labels.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"
#include "hv/loader/acpi_tables.h"

bool vm_has_nvdimms(const struct vm_config *config)
{
	const struct dimm_config *dimm = config->dimms;

	while (dimm != NULL && !dimm->is_nvdimm)
		dimm = dimm->next;
	return dimm != NULL;
}

static bool has_labels(const struct dimm_config *dimm)
{
	return dimm->is_nvdimm && dimm->label_size > 0;
}

/* Anonymous memory is always private, and starts as zeros. */
static bool has_private_labels(const struct dimm_config *dimm)
{
	return has_labels(dimm) && (dimm->backend->image == NULL || dimm->backend->kind == MEM_COW);
}

/* The image's bytes; NULL: there is no image, the labels are zeros. */
static uint8_t *original_labels(const struct dimm_config *dimm)
{
	const struct backend *backend = dimm->backend;

	if (backend->image == NULL)
		return NULL;
	return (uint8_t *)phys_to_virt(backend->image->base) + backend->offset + backend->size -
	       dimm->label_size;
}

static struct nvdimm_labels make_labels(const struct dimm_config *dimm, uint8_t *private)
{
	struct nvdimm_labels labels = {
		.handle = acpi_nvdimm_handle((uint32_t)dimm->slot),
		.size = dimm->label_size < UINT32_MAX ? (uint32_t)dimm->label_size : UINT32_MAX,
	};
	uint8_t *original = original_labels(dimm);

	if (!has_private_labels(dimm)) {
		labels.bytes = original;
		labels.writable = dimm->backend->kind == MEM_SHARED ? original : NULL;
		return labels;
	}
	if (original != NULL)
		memcpy(private, original, dimm->label_size);
	else
		memset(private, 0, dimm->label_size);
	labels.bytes = labels.writable = private;
	return labels;
}

enum status vm_labels_create(const struct vm_config *config, struct vm_labels *ret)
{
	uint64_t table_len = 0, private_len = 0;
	uint8_t *private;

	*ret = (struct vm_labels){0};
	for (const struct dimm_config *dimm = config->dimms; dimm != NULL; dimm = dimm->next) {
		table_len += has_labels(dimm) ? sizeof(struct nvdimm_labels) : 0;
		private_len += has_private_labels(dimm) ? dimm->label_size : 0;
	}
	if (table_len == 0)
		return OK;
	ret->n_frames = align_up(table_len + private_len, PAGE_SIZE) / PAGE_SIZE;
	ret->frames = frame_alloc_vm_run(ret->n_frames);
	if (ret->frames == 0)
		return ERR_NOMEM;
	ret->labels = phys_to_virt(ret->frames);
	private = (uint8_t *)ret->labels + table_len;
	for (const struct dimm_config *dimm = config->dimms; dimm != NULL; dimm = dimm->next) {
		if (!has_labels(dimm))
			continue;
		ret->labels[ret->n++] = make_labels(dimm, private);
		private += has_private_labels(dimm) ? dimm->label_size : 0;
	}
	return OK;
}

void vm_labels_destroy(struct vm_labels *labels)
{
	if (labels->frames != 0)
		frame_free_vm_run(labels->frames, labels->n_frames);
	*labels = (struct vm_labels){0};
}
