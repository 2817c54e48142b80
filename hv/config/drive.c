/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/config/drive.h"

struct mem_region drive_region(const struct drive_config *drive)
{
	return (struct mem_region){
		.gpa = drive->device->blocks,
		.len = align_up(drive->backend.size, PAGE_SIZE),
		.kind = drive->backend.kind,
		.image = drive->backend.image,
		.offset = drive->backend.offset,
		.backend = &drive->backend,
	};
}

const struct drive_config *drives_find_unshared(const struct vm_config *vm)
{
	const struct drive_config *drive = vm->drives;

	while (drive != NULL && (!drive_writes_file(drive) || drive->share_rw))
		drive = drive->next;
	return drive;
}
