/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found in memory after a reset: nothing of it is believed before it was checked. */
#include "boot/parcel.h"

#define PAGE	      UINT64_C(4096)
#define ADDRESS_LIMIT (UINT64_C(1) << 52) /* the architecture's largest physical address */

bool parcel_is_sound(const struct parcel *parcel)
{
	return parcel->magic == PARCEL_MAGIC && parcel->checksum == parcel_head_checksum(parcel) &&
	       parcel->version == PARCEL_VERSION && parcel->after <= PARCEL_BOOT &&
	       parcel->n_files > 0 && parcel->n_files <= PARCEL_FILES_MAX &&
	       parcel->table % PAGE == 0 && parcel->table > 0 && parcel->table < ADDRESS_LIMIT;
}

/* An absolute path without characters that would disturb a console. */
static bool is_path(const char name[PARCEL_NAME_SIZE])
{
	unsigned len = 0;

	while (len < PARCEL_NAME_SIZE && name[len] != '\0') {
		unsigned char c = (unsigned char)name[len++];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return len > 1 && len < PARCEL_NAME_SIZE && name[0] == '/';
}

static bool file_is_sound(const struct parcel_file *file)
{
	return file->start % PAGE == 0 && file->start > 0 && file->start < ADDRESS_LIMIT &&
	       file->size > 0 && is_path(file->name);
}

bool parcel_table_is_sound(const struct parcel *parcel, const struct parcel_file *table)
{
	uint64_t size = parcel->n_files * sizeof(*table), sum = 0;

	if (parcel_checksum(table, size) != parcel->table_checksum)
		return false;
	for (uint64_t i = 0; i < parcel->n_files; i++) {
		if (!file_is_sound(&table[i]) || table[i].size > PARCEL_SIZE_MAX - sum)
			return false;
		sum += table[i].size;
	}
	return true;
}
