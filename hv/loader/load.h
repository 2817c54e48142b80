/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/*
 * Puts a kernel, its command line and its initrd or modules into a VM's memory, and returns how the
 * first vCPU starts.
 */

/* The kind of kernel that the bytes claim to be; loader_load() may still refuse them. */
enum loader_kind loader_detect(const void *kernel, uint64_t len);

/*
 * Load input->kernel into 'memory'. On an error '*ret' is not written, the
 * memory may be partly written, and 'error' (of 'error_size' bytes) holds a
 * sentence without a newline that starts with the kernel's name:
 * ERR_CORRUPT     the file contradicts its own format
 * ERR_UNSUPPORTED not a kernel of a known kind, or too old
 * ERR_RANGE       does not fit the guest's memory, or exceeds a limit of the kernel
 */
enum status loader_load(struct guest_memory *memory, const struct loader_input *input,
			struct loader_state *ret, char *error, size_t error_size);
