/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a parcel's head and table. With an odd first byte the checksums are made right, so
 * that what they protect is reached. What is taken stays within its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/newc.h"
#include "boot/parcel.h"
#include "hv/lib/assert.h"

enum { FILES = 4 };

static void check(const struct parcel *head, const struct parcel_file *table)
{
	struct newc archive = {0};
	char header[NEWC_HEADER_MAX];
	uint64_t filler;

	assert(head->after <= PARCEL_BOOT && head->n_files > 0);
	for (uint64_t i = 0; i < head->n_files; i++) {
		assert(table[i].size > 0 && table[i].start > 0 && table[i].start % 4096 == 0);
		assert(strnlen(table[i].name, PARCEL_NAME_SIZE) < PARCEL_NAME_SIZE);
		(void)newc_add_filler(&archive, table[i].name, table[i].size, header, &filler);
		(void)newc_add(&archive, table[i].name, table[i].size, header);
		assert(archive.at < UINT64_C(4) << 30);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parcel head;
	struct parcel_file *table;

	if (size < 1 + sizeof(head))
		return 0;
	memcpy(&head, data + 1, sizeof(head));
	if (head.n_files > FILES && data[0] & 1)
		head.n_files = 1 + head.n_files % FILES;
	table = calloc(FILES, sizeof(*table)); /* of its own, so that ASan checks its ends */
	assert(table != NULL);
	size -= 1 + sizeof(head);
	memcpy(table, data + 1 + sizeof(head),
	       size < FILES * sizeof(*table) ? size : FILES * sizeof(*table));
	if (data[0] & 1) {
		head.magic = PARCEL_MAGIC;
		head.version = PARCEL_VERSION;
		head.table_checksum = parcel_checksum(table, head.n_files * sizeof(*table));
		head.checksum = parcel_head_checksum(&head);
	}
	if (parcel_is_sound(&head) && head.n_files <= FILES && parcel_table_is_sound(&head, table))
		check(&head, table);
	free(table);
	return 0;
}
