/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/*
 * Find the backend's image, or make one: QEMU's file rules and its NUMA rules, in its order. A
 * file that is missing is created and an empty one grown, in memory; what an
 * error leaves behind is nothing. Shared memory without a file gets an image without a name. An
 * image that is not at a page boundary is moved to one. ERR_INVAL: said.
 */
enum status backend_open(struct backend *backend, struct image_list *images, struct diag *diag);
