/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/virtio_mmio.h"

static uint32_t half(uint64_t value, uint32_t select)
{
	return select < 2 ? (uint32_t)(value >> (32 * select)) : 0;
}

static uint32_t read_queue(struct virtio *device, uint64_t off)
{
	const struct virtqueue *queue = virtio_queue(device);

	if (queue == NULL)
		return 0;
	return off == VIRTIO_MMIO_QUEUE_READY ? queue->is_ready : VIRTQUEUE_SIZE_MAX;
}

static uint32_t read_register(struct virtio *device, uint64_t off)
{
	switch (off) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return VIRTIO_MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION_NUMBER:
		return VIRTIO_MMIO_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return device->config->kind->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VIRTIO_MMIO_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return half(virtio_features(device), device->device_features_select);
	case VIRTIO_MMIO_QUEUE_SIZE_MAX:
	case VIRTIO_MMIO_QUEUE_READY:
		return read_queue(device, off);
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return device->interrupts;
	case VIRTIO_MMIO_STATUS:
		return device->status;
	case VIRTIO_MMIO_GENERATION:
		return device->generation;
	case VIRTIO_MMIO_SHM_LENGTH:
	case VIRTIO_MMIO_SHM_LENGTH + 4:
	case VIRTIO_MMIO_SHM_BASE:
	case VIRTIO_MMIO_SHM_BASE + 4:
		return UINT32_MAX; /* no shared memory region */
	default:
		return 0;
	}
}

static void set_half(uint64_t *address, uint64_t off, uint32_t value)
{
	unsigned shift = off % 8 * 8;

	*address = (*address & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

/* Size and addresses of the selected queue, which do not change while it is in use. */
static void set_up_queue(struct virtio *device, uint64_t off, uint32_t value)
{
	struct virtqueue *queue = virtio_queue_idle(device);

	if (queue == NULL)
		return;
	if (off == VIRTIO_MMIO_QUEUE_SIZE)
		queue->size = value <= UINT16_MAX ? (uint16_t)value : 0;
	else if (off < VIRTIO_MMIO_QUEUE_DRIVER)
		set_half(&queue->desc, off, value);
	else if (off < VIRTIO_MMIO_QUEUE_DEVICE)
		set_half(&queue->driver, off, value);
	else
		set_half(&queue->device, off, value);
}

static uint32_t write_register(struct virtio *device, uint64_t off, uint32_t value)
{
	switch (off) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SELECT:
		device->device_features_select = value;
		return 0;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_write_features(device, device->driver_features_select, value);
		return 0;
	case VIRTIO_MMIO_DRIVER_FEATURES_SELECT:
		device->driver_features_select = value;
		return 0;
	case VIRTIO_MMIO_QUEUE_SELECT:
		device->queue_select = value;
		return 0;
	case VIRTIO_MMIO_QUEUE_SIZE:
	case VIRTIO_MMIO_QUEUE_DESC:
	case VIRTIO_MMIO_QUEUE_DESC + 4:
	case VIRTIO_MMIO_QUEUE_DRIVER:
	case VIRTIO_MMIO_QUEUE_DRIVER + 4:
	case VIRTIO_MMIO_QUEUE_DEVICE:
	case VIRTIO_MMIO_QUEUE_DEVICE + 4:
		set_up_queue(device, off, value);
		return 0;
	case VIRTIO_MMIO_QUEUE_READY:
		if (value & 1)
			virtio_start_queue(device);
		else
			virtio_stop_queue(device);
		return WISH_VIRTIO;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_notify(device, value);
		return WISH_VIRTIO;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		device->interrupts &= (uint8_t)~value;
		return WISH_VIRTIO;
	case VIRTIO_MMIO_STATUS:
		virtio_write_status(device, (uint8_t)value);
		return WISH_VIRTIO;
	default:
		return 0;
	}
}

/* The device whose slot has the register at 'off'; NULL: the slot is empty. */
static struct virtio *device_at(void *dev, uint64_t off)
{
	struct virtio *device = dev;

	for (uint64_t slot = off / VIRTIO_MMIO_SIZE; slot < VIRTIO_DEVICES_MAX - 1; slot++) {
		if (device->config->next == NULL)
			return NULL;
		device++;
	}
	return device;
}

static uint32_t read_empty(uint64_t off)
{
	switch (off) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return VIRTIO_MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION_NUMBER:
		return VIRTIO_MMIO_VERSION;
	case VIRTIO_MMIO_VENDOR_ID:
		return VIRTIO_MMIO_VENDOR;
	default:
		return 0;
	}
}

static uint64_t virtio_mmio_read(void *dev, const struct io_access *access)
{
	struct virtio *device = device_at(dev, access->off);
	uint64_t off = access->off % VIRTIO_MMIO_SIZE;

	if (device != NULL && off >= VIRTIO_MMIO_CONFIG)
		return virtio_read_space(device, off - VIRTIO_MMIO_CONFIG, access->size);
	if (access->size != 4)
		return 0;
	return device != NULL ? read_register(device, off) : read_empty(off);
}

static uint32_t virtio_mmio_write(void *dev, const struct io_access *access)
{
	struct virtio *device = device_at(dev, access->off);
	uint64_t off = access->off % VIRTIO_MMIO_SIZE;

	if (device == NULL)
		return 0;
	if (off >= VIRTIO_MMIO_CONFIG) {
		virtio_write_space(device, off - VIRTIO_MMIO_CONFIG, access->size,
				   (uint32_t)access->value);
		return WISH_VIRTIO;
	}
	return access->size == 4 ? write_register(device, off, (uint32_t)access->value) : 0;
}

#define QUEUE_FIELDS(n) \
	STATE_FIELD(struct virtio, queue[n].desc, UINT64_MAX), \
		STATE_FIELD(struct virtio, queue[n].driver, UINT64_MAX), \
		STATE_FIELD(struct virtio, queue[n].device, UINT64_MAX), \
		STATE_FIELD(struct virtio, queue[n].size, UINT16_MAX), \
		STATE_FIELD(struct virtio, queue[n].is_ready, 1), \
		STATE_FIELD(struct virtio, queue[n].has_indirect, 1), \
		STATE_FIELD(struct virtio, queue[n].has_event_index, 1), \
		STATE_FIELD(struct virtio, queue[n].is_packed, 1), \
		STATE_FIELD(struct virtio, queue[n].reserved, 0), \
		STATE_FIELD(struct virtio, queue[n].next_avail, UINT16_MAX), \
		STATE_FIELD(struct virtio, queue[n].next_used, UINT16_MAX), \
		STATE_FIELD(struct virtio, queue[n].done, UINT64_MAX)

static const struct state_field virtio_fields[] = {
	STATE_FIELD(struct virtio, driver_features, UINT64_MAX),
	STATE_FIELD(struct virtio, device_features_select, UINT32_MAX),
	STATE_FIELD(struct virtio, driver_features_select, UINT32_MAX),
	STATE_FIELD(struct virtio, queue_select, UINT32_MAX),
	STATE_FIELD(struct virtio, status, VIRTIO_DRIVER_STATUS | VIRTIO_NEEDS_RESET),
	STATE_FIELD(struct virtio, interrupts, VIRTIO_USED | VIRTIO_CHANGED),
	STATE_FIELD(struct virtio, notified, BITS(VIRTIO_QUEUES_MAX - 1, 0)),
	STATE_FIELD(struct virtio, reserved, 0),
	STATE_FIELD(struct virtio, own, UINT32_MAX),
	STATE_FIELD(struct virtio, generation, UINT32_MAX),
	STATE_FIELD(struct virtio, identity, UINT64_MAX),
	QUEUE_FIELDS(0),
	QUEUE_FIELDS(1),
	QUEUE_FIELDS(2),
	QUEUE_FIELDS(3),
	QUEUE_FIELDS(4),
	QUEUE_FIELDS(5),
};

static enum status virtio_mmio_check(void *dev, struct state_reader *reader)
{
	return virtio_check(dev, reader);
}

const struct device_class virtio_mmio_class = {
	.name = "virtio",
	.read = virtio_mmio_read,
	.write = virtio_mmio_write,
	.fields = virtio_fields,
	.n_fields = ARRAY_SIZE(virtio_fields),
	.check = virtio_mmio_check,
	.since = 5,
};
