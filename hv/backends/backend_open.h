/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/*
 * Find or make the backend's image, by QEMU's rules for files and NUMA nodes and in its order. A
 * missing file is created and an empty one grown, in memory only. Shared memory without a file gets
 * an unnamed image. An image that is not at a page boundary is moved to one. ERR_INVAL: reported;
 * nothing is left behind.
 */
enum status backend_open(struct backend *backend, struct image_list *images, struct diag *diag);
