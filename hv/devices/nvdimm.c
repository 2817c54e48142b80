/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Label storage. Every offset and length comes from the guest and is checked here, even if the
 * guest's AML has checked it. The labels may be bytes of a file that other VMs change concurrently;
 * the code does not interpret them.
 */
#include "hv/devices/nvdimm.h"

#include "hv/lib/string.h"

void nvdimm_reset(struct nvdimm *nvdimm)
{
	nvdimm->handle = nvdimm->offset = nvdimm->length = nvdimm->status = 0;
	memset(nvdimm->window, 0, NVDIMM_WINDOW_SIZE);
}

/* The labels that the handle register selects; NULL: none. */
static const struct nvdimm_labels *find_labels(const struct nvdimm *nvdimm)
{
	for (unsigned i = 0; i < nvdimm->n_labels; i++)
		if (nvdimm->labels[i].handle == nvdimm->handle)
			return &nvdimm->labels[i];
	return NULL;
}

/* As in QEMU: an invalid range is reported as such even if writing is not supported. */
static enum nvdimm_status transfer(struct nvdimm *nvdimm, uint32_t command)
{
	const struct nvdimm_labels *labels = find_labels(nvdimm);

	if (labels == NULL || (command != NVDIMM_GET_LABELS && command != NVDIMM_SET_LABELS))
		return NVDIMM_UNSUPPORTED;
	if (nvdimm->length > NVDIMM_WINDOW_SIZE || nvdimm->length > labels->size ||
	    nvdimm->offset > labels->size - nvdimm->length)
		return NVDIMM_INVALID;
	if (command == NVDIMM_GET_LABELS)
		memcpy(nvdimm->window, labels->bytes + nvdimm->offset, nvdimm->length);
	else if (labels->writable != NULL)
		memcpy(labels->writable + nvdimm->offset, nvdimm->window, nvdimm->length);
	else
		return NVDIMM_UNSUPPORTED;
	return NVDIMM_SUCCESS;
}

static uint32_t read_register(const struct nvdimm *nvdimm, uint64_t off)
{
	const struct nvdimm_labels *labels;

	switch (off) {
	case NVDIMM_REG_HANDLE:
		return nvdimm->handle;
	case NVDIMM_REG_SIZE:
		labels = find_labels(nvdimm);
		return labels ? labels->size : 0;
	case NVDIMM_REG_MAX:
		return NVDIMM_WINDOW_SIZE;
	case NVDIMM_REG_OFFSET:
		return nvdimm->offset;
	case NVDIMM_REG_LENGTH:
		return nvdimm->length;
	case NVDIMM_REG_GO:
		return nvdimm->status;
	default:
		return 0;
	}
}

static void write_register(struct nvdimm *nvdimm, uint64_t off, uint32_t value)
{
	switch (off) {
	case NVDIMM_REG_HANDLE:
		nvdimm->handle = value;
		break;
	case NVDIMM_REG_OFFSET:
		nvdimm->offset = value;
		break;
	case NVDIMM_REG_LENGTH:
		nvdimm->length = value;
		break;
	case NVDIMM_REG_GO:
		nvdimm->status = transfer(nvdimm, value);
		break;
	default:
		break;
	}
}

static bool is_in_window(uint64_t off, unsigned size)
{
	return off >= NVDIMM_WINDOW && off - NVDIMM_WINDOW <= NVDIMM_WINDOW_SIZE - size;
}

static uint64_t nvdimm_read(void *dev, const struct io_access *access)
{
	const struct nvdimm *nvdimm = dev;
	uint64_t value = 0;

	if (is_in_window(access->off, access->size))
		memcpy(&value, nvdimm->window + (access->off - NVDIMM_WINDOW), access->size);
	else if (access->size == sizeof(uint32_t))
		value = read_register(nvdimm, access->off);
	return value;
}

static uint32_t nvdimm_write(void *dev, const struct io_access *access)
{
	struct nvdimm *nvdimm = dev;

	if (is_in_window(access->off, access->size))
		memcpy(nvdimm->window + (access->off - NVDIMM_WINDOW), &access->value,
		       access->size);
	else if (access->size == sizeof(uint32_t))
		write_register(nvdimm, access->off, (uint32_t)access->value);
	return 0;
}

/* The labels themselves are part of a memory object. */
static const struct state_field nvdimm_fields[] = {
	STATE_FIELD(struct nvdimm, handle, UINT32_MAX),
	STATE_FIELD(struct nvdimm, offset, UINT32_MAX),
	STATE_FIELD(struct nvdimm, length, UINT32_MAX),
	STATE_FIELD(struct nvdimm, status, UINT32_MAX),
	STATE_BYTES_AT(struct nvdimm, window, NVDIMM_WINDOW_SIZE),
};

const struct device_class nvdimm_class = {
	.name = "nvdimm",
	.read = nvdimm_read,
	.write = nvdimm_write,
	.fields = nvdimm_fields,
	.n_fields = ARRAY_SIZE(nvdimm_fields),
};
