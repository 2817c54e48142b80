/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/pack_file.h"

#include "hv/frame/frame.h"

#define WORK_FRAMES (align_up(sizeof(struct memory_pack_work), PAGE_SIZE) / PAGE_SIZE)

static void begin_part(struct pack_file *file)
{
	file->start = file->pack;
	file->size = file->made = 0;
	file->out_len = file->out_at = 0;
	file->is_measured = false;
}

enum status pack_file_begin(struct pack_file *file, struct guest_memory *memory, uint64_t id,
			    phys_t below)
{
	phys_t work = frame_alloc_run(WORK_FRAMES, PAGE_SIZE);

	if (work == 0)
		return ERR_NOMEM;
	file->work = phys_to_virt(work);
	memory_pack_begin(&file->pack, memory, file->work);
	file->pack.id = id;
	file->pack.below = below;
	begin_part(file);
	return OK;
}

void pack_file_end(struct pack_file *file)
{
	if (file->work)
		frame_free_run(virt_to_phys(file->work), WORK_FRAMES);
	file->work = NULL;
}

void pack_file_measure(struct pack_file *file)
{
	file->size += memory_pack_some(&file->pack);
	if (!file->pack.is_at_end)
		return;
	file->pack = file->start;
	file->is_measured = true;
}

enum status pack_file_bytes(struct pack_file *file, const void **ret, size_t *ret_len)
{
	if (file->out_at == file->out_len && !file->pack.is_at_end) {
		file->out_at = 0;
		file->out_len = memory_pack_some(&file->pack);
		file->made += file->out_len;
	}
	*ret = file->work->out + file->out_at;
	*ret_len = file->out_len - file->out_at;
	return file->made > file->size || (file->pack.is_at_end && file->made < file->size)
		       ? ERR_BUSY
		       : OK;
}

void pack_file_took(struct pack_file *file, size_t len)
{
	file->out_at += len;
}

bool pack_file_next(struct pack_file *file)
{
	if (file->pack.is_last)
		return false;
	memory_pack_next_part(&file->pack);
	begin_part(file);
	return true;
}
