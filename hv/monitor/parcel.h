/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/parcel.h"
#include "hv/backends/image.h"
#include "hv/lib/status.h"

/*
 * Make the parcel of boot/parcel.h of all files of the ramdisk that this run has created, or that
 * VMs may have written to, with its head in 'head', the frame at PARCEL_FRAME. All VMs have ended,
 * and the machine resets next: what this allocates is not freed. '*ret_n' is the number of files;
 * if it is 0, no parcel is made. Logs what it has done. ERR_INVAL, ERR_NOMEM: an error was logged,
 * and no parcel is made.
 */
enum status parcel_make(const struct image *files, enum parcel_after after, struct parcel *head,
			unsigned *ret_n);
