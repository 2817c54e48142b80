/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a Linux kernel: the magic number is put in, so that nothing else is tried. */
#include "tests/fuzz/loader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	if (size >= 0x206)
		memcpy(copy + 0x202, "HdrS", 4);
	fuzz_load(copy, size, LOADER_NONE);
	free(copy);
	return 0;
}
