/* SPDX-License-Identifier: BSD-2-Clause */
/* -device virtio-...-device. The words of messages are QEMU's where it has them. */
#include "hv/config/vm_reader.h"

#include "hv/backends/suggest.h"
#include "hv/devices/virtio_mmio.h"
#include "hv/lib/string.h"
#include "hv/virtio/virtio_balloon.h"
#include "hv/virtio/virtio_pmem.h"
#include "hv/virtio/virtio_rng.h"

enum status vm_read_virtio_features(struct vm_reader *reader, struct options *options,
				    struct virtio_config *device)
{
	bool packed = false, indirect_desc = true, event_idx = true;

	TRY(options_get_bool(options, "packed", reader->diag, &packed));
	TRY(options_get_bool(options, "indirect_desc", reader->diag, &indirect_desc));
	TRY(options_get_bool(options, "event_idx", reader->diag, &event_idx));
	if (packed)
		device->features |= VIRTIO_F_RING_PACKED;
	if (!indirect_desc)
		device->without |= VIRTIO_F_INDIRECT;
	if (!event_idx)
		device->without |= VIRTIO_F_EVENT_INDEX;
	return OK;
}

enum status vm_link_virtio(struct vm_reader *reader, const struct options *options,
			   struct virtio_config *device)
{
	const struct virtio_config **tail = &reader->vm->virtio;

	if (reader->vm->n_virtio == VIRTIO_DEVICES_MAX) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "No 'virtio-bus' bus found for device '%s'", device->kind->driver);
		diag_advice(reader->diag, "a vm has at most %u virtio devices", VIRTIO_DEVICES_MAX);
		return ERR_INVAL;
	}
	while (*tail != NULL)
		tail = (const struct virtio_config **)&(*tail)->next;
	*tail = device;
	reader->vm->n_virtio++;
	return OK;
}

enum status vm_add_virtio(struct vm_reader *reader, const struct options *options,
			  const struct virtio_config *read, struct virtio_config **ret)
{
	struct virtio_config *device = arena_alloc(reader->arena, sizeof(*device));

	if (device == NULL)
		return ERR_NOMEM;
	*device = *read;
	*ret = device;
	return vm_link_virtio(reader, options, device);
}

/* Note the object that a device names, which may be defined later. */
static enum status note_use(struct vm_reader *reader, const char *rng, struct diag_place place)
{
	struct virtio_use *use = arena_alloc(reader->arena, sizeof(*use));

	if (use == NULL)
		return ERR_NOMEM;
	*use = (struct virtio_use){reader->virtio_uses, rng, place};
	reader->virtio_uses = use;
	return OK;
}

enum status vm_read_virtio_rng(struct vm_reader *reader, struct options *options)
{
	struct virtio_config read = {.kind = &virtio_rng}, *device;
	const char *rng = "";

	TRY(vm_read_virtio_features(reader, options, &read));
	TRY(options_get_string(options, "rng", reader->diag, &rng));
	TRY(options_check_properties(options, virtio_rng.driver, VIRTIO_RNG_PROPERTIES,
				     reader->diag));
	TRY(vm_add_virtio(reader, options, &read, &device));
	return *rng != '\0' ? note_use(reader, rng, options_place(options, "rng")) : OK;
}

static enum status refuse_second(struct vm_reader *reader, const struct options *options)
{
	for (const struct virtio_config *one = reader->vm->virtio; one != NULL; one = one->next) {
		if (one->kind != &virtio_balloon)
			continue;
		diag_error(reader->diag, word_place(options->word, 0),
			   "Only one balloon device is supported");
		return ERR_INVAL;
	}
	return OK;
}

enum status vm_read_virtio_balloon(struct vm_reader *reader, struct options *options)
{
	struct virtio_config read = {.kind = &virtio_balloon}, *device;
	bool reports = false, deflates = false;
	struct diag *diag = reader->diag;

	TRY(vm_read_virtio_features(reader, options, &read));
	TRY(options_get_bool(options, "free-page-reporting", diag, &reports));
	TRY(options_get_bool(options, "deflate-on-oom", diag, &deflates));
	TRY(options_check_properties(options, virtio_balloon.driver, VIRTIO_BALLOON_PROPERTIES,
				     diag));
	TRY(refuse_second(reader, options));
	if (reports)
		read.features |= VIRTIO_BALLOON_F_REPORTING;
	else
		read.n_absent = 1;
	if (deflates)
		read.features |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
	return vm_add_virtio(reader, options, &read, &device);
}

enum status vm_read_virtio_pmem(struct vm_reader *reader, struct options *options)
{
	struct virtio_pmem_config *device = arena_alloc(reader->arena, sizeof(*device));
	struct dimm_config dimm = {
		.pmem = device,
		.id = options->id,
		.slot = -1,
		.place = word_place(options->word, 0),
	};
	const char *memdev = "";

	if (device == NULL)
		return ERR_NOMEM;
	device->base.kind = &virtio_pmem;
	TRY(vm_read_virtio_features(reader, options, &device->base));
	TRY(options_get_string(options, "memdev", reader->diag, &memdev));
	TRY(options_check_properties(options, virtio_pmem.driver, VIRTIO_PMEM_PROPERTIES,
				     reader->diag));
	dimm.memdev = *memdev != '\0' ? memdev : NULL;
	TRY(vm_add_dimm(reader, &dimm));
	return vm_link_virtio(reader, options, &device->base);
}

static void find_rng(struct vm_reader *reader, const struct virtio_use *use)
{
	struct suggestion near = suggest(use->rng, strlen(use->rng));

	for (const struct rng_object *rng = reader->vm->rngs; rng != NULL; rng = rng->next) {
		if (strcmp(rng->id, use->rng) == 0)
			return;
		suggest_name(&near, rng->id);
	}
	diag_error(reader->diag, use->place, "Device '%s' not found", use->rng);
	suggest_tell(&near, "", reader->diag);
}

void vm_resolve_virtio(struct vm_reader *reader)
{
	for (const struct virtio_use *use = reader->virtio_uses; use != NULL; use = use->next)
		find_rng(reader, use);
}
