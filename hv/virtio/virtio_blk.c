/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests are read again for each piece of them, and checked again: the driver may change them
 * meanwhile, and gets what it then asks for. What a request asks for wrongly fails it; a chain that
 * is not a request breaks the device.
 *
 * Blocks are memory, so that a flush has nothing to do.
 */
#include "hv/virtio/virtio_blk.h"

#include "hv/guest/hidden_memory.h"
#include "hv/lib/string.h"

#define WRITE_ZEROES_UNMAP 1u /* flag of a range */

/* Steps of a discard at once: pages, or 2 MiB that were never written. */
#define DISCARDS_AT_ONCE 64

/* Sectors of a range, at most: all. */
#define RANGE_MAX UINT32_MAX

struct header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};
_Static_assert(sizeof(struct header) == 16, "VIRTIO 1.2, struct virtio_blk_req");

struct range {
	uint64_t sector;
	uint32_t n_sectors;
	uint32_t flags;
};
_Static_assert(sizeof(struct range) == 16, "VIRTIO 1.2, struct virtio_blk_discard_write_zeroes");

struct space {
	uint64_t capacity;
	uint32_t size_max, seg_max;
	uint8_t geometry[4];
	uint32_t blk_size;
	uint8_t topology[8];
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[7];
};
_Static_assert(sizeof(struct space) == 64 && sizeof(struct space) <= VIRTIO_SPACE_SIZE,
	       "VIRTIO 1.2, struct virtio_blk_config, with padding at its end");

/* A request, and how far it is done. */
struct request {
	const struct virtio_blk_config *config;
	struct virtio_work *work;
	uint64_t *done; /* bytes */
	struct header header;
	struct virtqueue_chain data; /* behind the header */
	uint64_t readable;	     /* bytes of data that the device reads */
	uint64_t writable;	     /* that it writes, without the status */
};

static const struct virtio_blk_config *config_of(const struct virtio *device)
{
	return (const struct virtio_blk_config *)device->config;
}

static void describe(const struct virtio *device, uint8_t space[VIRTIO_SPACE_SIZE])
{
	const struct virtio_blk_config *config = config_of(device);
	struct space is = {
		.capacity = config->n_sectors,
		.seg_max = VIRTIO_BLK_SEGMENTS_MAX,
		.blk_size = config->block_size,
		.num_queues = 1,
	};

	if (config->base.features & VIRTIO_BLK_F_DISCARD) {
		is.max_discard_sectors = RANGE_MAX;
		is.max_discard_seg = 1;
		is.discard_sector_alignment = PAGE_SIZE / VIRTIO_BLK_SECTOR;
	}
	if (config->base.features & VIRTIO_BLK_F_WRITE_ZEROES) {
		is.max_write_zeroes_sectors = RANGE_MAX;
		is.max_write_zeroes_seg = 1;
		is.write_zeroes_may_unmap = 1;
	}
	memcpy(space, &is, sizeof(is));
}

/* Whether so many bytes from a sector on are whole blocks of the device's. */
static bool are_blocks(const struct virtio_blk_config *config, uint64_t sector, uint64_t len)
{
	return sector <= config->n_sectors &&
	       len <= (config->n_sectors - sector) * VIRTIO_BLK_SECTOR &&
	       is_aligned(sector * VIRTIO_BLK_SECTOR | len, config->block_size);
}

static gpa_t block_at(const struct request *request, uint64_t sector, uint64_t done)
{
	return gpa_add(request->config->blocks, sector * VIRTIO_BLK_SECTOR + done);
}

/* Write the status, which is the chain's last byte, and end the request. */
static enum status answer(struct request *request, enum virtio_blk_status status)
{
	struct virtqueue_chain end = request->data;
	uint8_t byte = (uint8_t)status;

	TRY(virtqueue_skip(&end, true, request->writable));
	TRY(virtqueue_write(&end, &byte, 1));
	request->work->n_written += 1;
	request->work->is_done = true;
	return OK;
}

/* The rest of 'len' bytes, or a piece of it. ERR_CORRUPT: the driver has shortened the request. */
static enum status next_piece(const struct request *request, uint64_t len, uint64_t *ret)
{
	if (*request->done > len)
		return ERR_CORRUPT;
	*ret = len - *request->done < VIRTIO_PIECE ? len - *request->done : VIRTIO_PIECE;
	return OK;
}

/* From the blocks into the chain. */
static enum status copy_in(struct request *request, uint64_t n)
{
	struct guest_memory *memory = request->work->host->memory;
	struct virtqueue_chain to = request->data;

	TRY(virtqueue_skip(&to, true, *request->done));
	while (n > 0) {
		gpa_t block = block_at(request, request->header.sector, *request->done);
		uint64_t part = part_in_page(block.raw, n);
		const void *bytes = hidden_byte(memory, block);

		if (bytes == NULL)
			return ERR_RANGE;
		TRY(virtqueue_write(&to, bytes, part));
		*request->done += part;
		n -= part;
	}
	return OK;
}

/* Write a buffer of the guest's to where the request is. Its pages lie anywhere. */
static enum status store(struct request *request, gpa_t gpa, uint64_t len)
{
	struct guest_memory *memory = request->work->host->memory;

	while (len > 0) {
		gpa_t block = block_at(request, request->header.sector, *request->done);
		uint64_t part = part_in_page(gpa.raw, len);
		const void *bytes = guest_byte(memory, gpa);

		if (bytes == NULL)
			return ERR_RANGE;
		TRY(hidden_write(memory, block, bytes, part));
		*request->done += part;
		gpa = gpa_add(gpa, part);
		len -= part;
	}
	return OK;
}

/* From the chain into the blocks. */
static enum status copy_out(struct request *request, uint64_t n)
{
	struct virtqueue_chain from = request->data;

	TRY(virtqueue_skip(&from, false, *request->done));
	while (n > 0) {
		uint64_t len;
		gpa_t gpa;

		TRY(virtqueue_take(&from, false, n, &gpa, &len));
		TRY(store(request, gpa, len));
		n -= len;
	}
	return OK;
}

/* IN and OUT. */
static enum status transfer(struct request *request, bool is_out)
{
	uint64_t len = is_out ? request->readable : request->writable, n;

	if (!are_blocks(request->config, request->header.sector, len) ||
	    (is_out && request->config->base.features & VIRTIO_BLK_F_RO))
		return answer(request, VIRTIO_BLK_S_IOERR);
	TRY(next_piece(request, len, &n));
	TRY(is_out ? copy_out(request, n) : copy_in(request, n));
	if (*request->done < len)
		return OK;
	request->work->n_written = is_out ? 0 : (uint32_t)len;
	return answer(request, VIRTIO_BLK_S_OK);
}

static enum status get_id(struct request *request)
{
	struct virtqueue_chain to = request->data;
	uint64_t n =
		request->writable < VIRTIO_BLK_ID_BYTES ? request->writable : VIRTIO_BLK_ID_BYTES;

	TRY(virtqueue_write(&to, request->config->serial, n));
	request->work->n_written = (uint32_t)n;
	return answer(request, VIRTIO_BLK_S_OK);
}

/* Zero some of the n bytes from a block on. Returns how many. */
static enum status zero_some(struct request *request, gpa_t block, uint64_t n, uint64_t *ret)
{
	*ret = n < VIRTIO_PIECE ? n : VIRTIO_PIECE;
	return hidden_zero(request->work->host->memory, block, *ret);
}

/*
 * The same without frames for the zeros where that is possible: whole pages of private memory. A
 * discard need not zero the others.
 */
static enum status unmap_some(struct request *request, gpa_t block, uint64_t n, bool zeroes,
			      uint64_t *ret)
{
	struct guest_memory *memory = request->work->host->memory;
	uint64_t part = part_in_page(block.raw, n), done = 0, more;

	if (!request->config->is_private)
		return zero_some(request, block, n, ret);
	if (part < PAGE_SIZE) {
		*ret = part;
		return zeroes ? hidden_zero(memory, block, part) : OK;
	}
	n = align_down(n, PAGE_SIZE);
	for (unsigned i = 0; i < DISCARDS_AT_ONCE && done < n; i++, done += more)
		TRY(hidden_discard(memory, gpa_add(block, done), n - done, &more));
	*ret = done;
	return OK;
}

/* DISCARD and WRITE_ZEROES. Zeros twice do no harm, so that an error may repeat a piece. */
static enum status clear(struct request *request, bool zeroes)
{
	const struct virtio_blk_config *config = request->config;
	uint64_t feature = zeroes ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD, len, n;
	struct virtqueue_chain from = request->data;
	struct range range;
	gpa_t block;

	if (!(config->base.features & feature) || request->readable != sizeof(range))
		return answer(request, VIRTIO_BLK_S_UNSUPP);
	TRY(virtqueue_read(&from, &range, sizeof(range)));
	if (range.flags & ~(zeroes ? WRITE_ZEROES_UNMAP : 0))
		return answer(request, VIRTIO_BLK_S_UNSUPP);
	len = (uint64_t)range.n_sectors * VIRTIO_BLK_SECTOR;
	if (!are_blocks(config, range.sector, len))
		return answer(request, VIRTIO_BLK_S_IOERR);
	if (*request->done > len)
		return ERR_CORRUPT;
	if (*request->done < len) {
		block = block_at(request, range.sector, *request->done);
		if (zeroes && !(range.flags & WRITE_ZEROES_UNMAP))
			TRY(zero_some(request, block, len - *request->done, &n));
		else
			TRY(unmap_some(request, block, len - *request->done, zeroes, &n));
		*request->done += n;
	}
	return *request->done < len ? OK : answer(request, VIRTIO_BLK_S_OK);
}

static enum status serve_request(struct request *request)
{
	switch (request->header.type) {
	case VIRTIO_BLK_T_IN:
		return transfer(request, false);
	case VIRTIO_BLK_T_OUT:
		return transfer(request, true);
	case VIRTIO_BLK_T_FLUSH:
		return answer(request, VIRTIO_BLK_S_OK);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(request);
	case VIRTIO_BLK_T_DISCARD:
		return clear(request, false);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return clear(request, true);
	default:
		return answer(request, VIRTIO_BLK_S_UNSUPP);
	}
}

/* The header may lie in several buffers, and there is a byte for the status. */
static enum status serve(struct virtio *device, struct virtio_work *work)
{
	struct request request = {
		.config = config_of(device),
		.work = work,
		.done = &device->queue[work->queue].done,
		.data = work->chain,
	};

	TRY(virtqueue_read(&request.data, &request.header, sizeof(request.header)));
	TRY(virtqueue_measure(&request.data, &request.readable, &request.writable));
	if (request.writable == 0)
		return ERR_CORRUPT;
	request.writable--;
	return serve_request(&request);
}

const struct virtio_kind virtio_blk = {
	.driver = "virtio-blk-device",
	.id = 2,
	.n_queues = 1,
	.serve = serve,
	.describe = describe,
};
