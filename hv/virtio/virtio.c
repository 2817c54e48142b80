/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the driver breaks is its device alone: the device asks for a reset, and does nothing until
 * then (VIRTIO 1.2, "Device Status Field").
 */
#include "hv/virtio/virtio.h"

#include "hv/lib/string.h"

#define FEATURES (VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_F_VERSION_1)

void virtio_init(struct virtio *device, const struct virtio_config *config)
{
	*device = (struct virtio){.config = config, .identity = config->identity};
}

void virtio_reset(struct virtio *device)
{
	*device = (struct virtio){
		.config = device->config,
		.generation = device->generation,
		.identity = device->identity,
		.port = device->port,
	};
}

void virtio_change(struct virtio *device)
{
	device->generation++;
	if (device->status & VIRTIO_DRIVER_OK)
		device->interrupts |= VIRTIO_CHANGED;
}

uint64_t virtio_features(const struct virtio *device)
{
	return (FEATURES & ~device->config->without) | device->config->features;
}

static void need_reset(struct virtio *device)
{
	device->status |= VIRTIO_NEEDS_RESET;
	device->notified = 0;
	if (device->status & VIRTIO_DRIVER_OK)
		device->interrupts |= VIRTIO_CHANGED;
}

bool virtio_is_running(const struct virtio *device)
{
	return (device->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

/* Legacy drivers are refused: their rings lie elsewhere. */
static bool features_are_possible(const struct virtio *device)
{
	return !(device->driver_features & ~virtio_features(device)) &&
	       device->driver_features & VIRTIO_F_VERSION_1;
}

void virtio_write_status(struct virtio *device, uint8_t value)
{
	if (value == 0) {
		virtio_reset(device);
		return;
	}
	value &= VIRTIO_DRIVER_STATUS;
	if (!features_are_possible(device))
		value &= (uint8_t)~VIRTIO_FEATURES_OK;
	if (!(value & VIRTIO_FEATURES_OK))
		value &= (uint8_t)~VIRTIO_DRIVER_OK;
	device->status |= value;
}

uint64_t virtio_read_space(const struct virtio *device, uint64_t off, unsigned size)
{
	uint8_t space[VIRTIO_SPACE_SIZE] = {0};
	uint64_t value = 0;

	if (device->config->kind->describe == NULL || off + size > sizeof(space))
		return 0;
	device->config->kind->describe(device, space);
	memcpy(&value, space + off, size);
	return value;
}

void virtio_write_space(struct virtio *device, uint64_t off, unsigned size, uint32_t value)
{
	if (device->config->kind->configure != NULL && size == sizeof(value))
		device->config->kind->configure(device, off, value);
}

void virtio_write_features(struct virtio *device, uint32_t select, uint32_t value)
{
	unsigned shift = select * 32;

	if (select > 1 || device->status & VIRTIO_FEATURES_OK)
		return;
	device->driver_features &= ~((uint64_t)UINT32_MAX << shift);
	device->driver_features |= (uint64_t)value << shift;
}

static unsigned n_queues(const struct virtio *device)
{
	return device->config->kind->n_queues - device->config->n_absent;
}

struct virtqueue *virtio_queue(struct virtio *device)
{
	return device->queue_select < n_queues(device) ? &device->queue[device->queue_select]
						       : NULL;
}

struct virtqueue *virtio_queue_idle(struct virtio *device)
{
	struct virtqueue *queue = virtio_queue(device);

	return queue != NULL && !queue->is_ready ? queue : NULL;
}

static bool size_is_possible(uint16_t size, bool is_packed)
{
	return size != 0 && size <= VIRTQUEUE_SIZE_MAX && (is_packed || (size & (size - 1)) == 0);
}

void virtio_start_queue(struct virtio *device)
{
	struct virtqueue *queue = virtio_queue_idle(device);
	bool is_packed = device->driver_features & VIRTIO_F_RING_PACKED;

	if (queue == NULL)
		return;
	if (!size_is_possible(queue->size, is_packed) || !(device->status & VIRTIO_FEATURES_OK)) {
		need_reset(device);
		return;
	}
	queue->is_ready = true;
	queue->has_indirect = device->driver_features & VIRTIO_F_INDIRECT;
	queue->is_packed = is_packed;
	queue->has_event_index = device->driver_features & VIRTIO_F_EVENT_INDEX;
}

void virtio_stop_queue(struct virtio *device)
{
	struct virtqueue *queue = virtio_queue(device);

	if (queue == NULL)
		return;
	*queue = (struct virtqueue){0};
	device->notified &= (uint8_t)~BIT(device->queue_select);
}

void virtio_notify(struct virtio *device, uint32_t queue)
{
	if (queue < n_queues(device) && device->queue[queue].is_ready && virtio_is_running(device))
		device->notified |= (uint8_t)BIT(queue);
}

/* Hand the chain back if it is done. */
static enum status finish(struct virtio *device, const struct virtio_work *work)
{
	bool tell;

	if (!work->is_done)
		return OK;
	TRY(virtqueue_put(&device->queue[work->queue], &work->chain, work->n_written, &tell));
	device->queue[work->queue].done = 0;
	if (tell)
		device->interrupts |= VIRTIO_USED;
	return OK;
}

static enum status serve_queue(struct virtio *device, struct virtio_host *host, unsigned n)
{
	struct virtqueue *queue = &device->queue[n];
	struct virtio_work work = {.queue = n, .host = host};
	enum status status = virtqueue_get(queue, host->memory, &work.chain);
	bool more;

	if (status == ERR_NOTFOUND) {
		TRY(virtqueue_wait(queue, host->memory, &more));
		if (!more)
			device->notified &= (uint8_t)~BIT(n);
		return OK;
	}
	TRY(status);
	status = device->config->kind->serve(device, &work);
	if (status == ERR_BUSY) {
		device->notified &= (uint8_t)~BIT(n);
		return OK;
	}
	if (status == OK)
		status = finish(device, &work);
	host->at = (gpa_t){work.chain.addr};
	return status;
}

enum status virtio_serve(struct virtio *device, struct virtio_host *host)
{
	enum status status = OK;

	if (device->notified)
		status = serve_queue(device, host, (unsigned)__builtin_ctz(device->notified));
	if (status == OK || status == ERR_NOMEM)
		return status;
	need_reset(device);
	return OK;
}

enum status virtio_check(struct virtio *device, struct state_reader *reader)
{
	if (device->status & (VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK) &&
	    !features_are_possible(device))
		return state_refuse(reader, "cannot have features 0x%lx", device->driver_features);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		const struct virtqueue *queue = &device->queue[i];

		if (queue->is_ready &&
		    (i >= n_queues(device) || !size_is_possible(queue->size, queue->is_packed)))
			return state_refuse(reader, "cannot have a queue %u of %u entries", i,
					    queue->size);
		if (queue->is_packed && queue->next_avail >= 2u * queue->size)
			return state_refuse(reader, "cannot have a position %u in queue %u",
					    queue->next_avail, i);
		if (device->notified & BIT(i) && !(queue->is_ready && virtio_is_running(device)))
			return state_refuse(reader, "cannot have been notified of queue %u", i);
	}
	return OK;
}
