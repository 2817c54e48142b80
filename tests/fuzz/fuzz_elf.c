/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a PVH kernel, as one of either version of Multiboot, or as a plain ELF file. */
#include "tests/fuzz/loader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loader_detect(data, size) != LOADER_LINUX)
		fuzz_load(data, size, LOADER_NONE);
	fuzz_load(data, size, LOADER_PLAIN);
	return 0;
}
