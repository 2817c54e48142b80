/* SPDX-License-Identifier: BSD-2-Clause */
/* -device vhost-vsock-device. The words of messages are QEMU's where it has them. */
#include "hv/config/vm_reader.h"

#include "hv/net/vsock.h"
#include "hv/virtio/virtio_vsock.h"

static const struct integer_type type_uint64 = {"uint64_t", 0, UINT64_MAX};

static const struct virtio_config *find(const struct vm_config *vm)
{
	const struct virtio_config *one = vm->virtio;

	while (one != NULL && one->kind != &virtio_vsock)
		one = one->next;
	return one;
}

static enum status check_cid(struct vm_reader *reader, struct options *options, uint64_t cid)
{
	struct diag_place place = options_place(options, "guest-cid");

	if (cid < VSOCK_CID_MIN) {
		diag_error(reader->diag, place, "guest-cid property must be greater than 2");
		return ERR_INVAL;
	}
	if (cid > VIRTIO_VSOCK_CID_MAX) {
		diag_error(reader->diag, place, "guest-cid %lu is not possible, only 3 to %u", cid,
			   VIRTIO_VSOCK_CID_MAX);
		diag_hint(reader->diag, "Those above are for clones.");
		return ERR_INVAL;
	}
	for (const struct vm_config *vm = reader->vms; vm != NULL; vm = vm->next) {
		const struct virtio_config *other = find(vm);

		if (other == NULL || other->identity != cid)
			continue;
		diag_error(reader->diag, place, "guest-cid %lu is that of vm '%s' in line %u", cid,
			   vm->name, vm->place.line);
		return ERR_INVAL;
	}
	return OK;
}

enum status vm_read_vhost_vsock(struct vm_reader *reader, struct options *options)
{
	struct virtio_config read = {.kind = &virtio_vsock, .features = VIRTIO_VSOCK_F_STREAM};
	struct virtio_config *device;
	int64_t cid = 0;

	TRY(vm_read_virtio_features(reader, options, &read));
	TRY(options_get_integer(options, "guest-cid", &type_uint64, reader->diag, &cid));
	TRY(options_check_properties(options, virtio_vsock.driver, VHOST_VSOCK_PROPERTIES,
				     reader->diag));
	if (find(reader->vm) != NULL) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "a second vhost-vsock-device is not possible");
		return ERR_INVAL;
	}
	TRY(check_cid(reader, options, (uint64_t)cid));
	read.identity = (uint64_t)cid;
	return vm_add_virtio(reader, options, &read, &device);
}
