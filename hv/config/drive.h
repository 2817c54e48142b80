/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"
#include "hv/virtio/virtio_blk.h"

/*
 * -drive file=,if=none,id=,format=raw,readonly=,snapshot= or
 * -blockdev driver=raw|file,node-name=,filename=,read-only=: a file of the ramdisk whose blocks a
 * device shows.
 */
struct drive_config {
	struct drive_config *next;
	struct diag_place place, file_place;
	bool readonly, snapshot;
	/*
	 * The image as memory, with the drive's id, the file's path, and raw's offset= and size=
	 * (0: to its end). Not in the VM's list of backends. drives_open() completes it.
	 */
	struct backend backend;
	bool is_open;
	struct virtio_blk_config *device; /* that shows it; NULL: none */
	bool share_rw;			  /* of the device: others may write to the file as well */
};

/* Whether what the guest writes goes to the file, and not to its own copy. */
static inline bool drive_writes_file(const struct drive_config *drive)
{
	return drive->device != NULL && !drive->readonly && !drive->snapshot;
}

/* The drive for which a VM cannot become a template; NULL: there is none. */
const struct drive_config *drives_find_unshared(const struct vm_config *vm);

/* The hidden region of a drive that is open and has a device. */
struct mem_region drive_region(const struct drive_config *drive);
