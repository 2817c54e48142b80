/* SPDX-License-Identifier: BSD-2-Clause */
/* Any sector as a volume descriptor and as a directory. What is found is on the disc's sectors. */
#include <stdlib.h>
#include <string.h>

#include "boot/iso9660.h"
#include "hv/lib/assert.h"

static void check(const struct iso9660_extent *extent)
{
	assert(extent->start % ISO9660_SECTOR == 0);
	assert(extent->start < UINT64_C(1) << 44 && extent->size < UINT64_C(1) << 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"stencil", "stencil.conf", "ramdisk.cpio", ""};
	uint8_t *sector = calloc(1, ISO9660_SECTOR); /* of its own, so that ASan checks its ends */
	struct iso9660_extent extent;

	assert(sector != NULL);
	memcpy(sector, data, size < ISO9660_SECTOR ? size : ISO9660_SECTOR);
	if (iso9660_root(sector, &extent))
		check(&extent);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (iso9660_find(sector, names[i], &extent))
			check(&extent);
	}
	free(sector);
	return 0;
}
