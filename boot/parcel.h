/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The files that a run hands over to the next start through a reset that keeps memory: the
 * hypervisor makes the parcel, boot/deliver.c writes its files to the disk. The head is in a frame
 * that no VM ever gets, so that no guest can make one. Table and files are anywhere in free memory.
 * The firmware may have written to any of them since: each has a checksum.
 */
#define PARCEL_FRAME   UINT64_C(0x1fe000) /* the address of the head */
#define PARCEL_MAGIC   UINT64_C(0x6c63726170636e74)
#define PARCEL_VERSION 1

/* What the next start does when it has written the files. */
enum parcel_after { PARCEL_SWITCH_OFF, PARCEL_BOOT };

enum { PARCEL_FILES_MAX = 1024, PARCEL_NAME_SIZE = 232 };

struct parcel {
	uint64_t magic;
	uint64_t checksum;	 /* of what follows */
	uint32_t version, after; /* enum parcel_after */
	uint64_t table, n_files; /* physical address of so many struct parcel_file */
	uint64_t table_checksum; /* of all its bytes */
};

/* An archive's file, which is contiguous in memory. */
struct parcel_file {
	uint64_t start, size; /* a multiple of 4 KiB, and bytes; never 0 bytes */
	uint64_t checksum;
	char name[PARCEL_NAME_SIZE]; /* absolute path, NUL-terminated */
};

/* The archive is a file on FAT, which holds less than 4 GiB, and has room for its headers. */
#define PARCEL_SIZE_MAX (UINT64_C(4000) << 20)

/*
 * Detects writes by firmware that knows nothing of parcels; not cryptographic. In both programs
 * from here, so that they agree.
 */
static inline uint64_t parcel_checksum(const void *data, uint64_t len)
{
	const unsigned char *bytes = data;
	uint64_t sum = len, word;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		__builtin_memcpy(&word, bytes, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b185ebca87);
		sum ^= sum >> 32;
	}
	word = 0;
	__builtin_memcpy(&word, bytes, len);
	sum = (sum ^ word) * UINT64_C(0x9e3779b185ebca87);
	return sum ^ sum >> 32;
}

/* The checksum of the head. */
static inline uint64_t parcel_head_checksum(const struct parcel *parcel)
{
	return parcel_checksum(&parcel->version,
			       sizeof(*parcel) - __builtin_offsetof(struct parcel, version));
}

/* Whether the head is whole, and of this version. */
bool parcel_is_sound(const struct parcel *parcel);
/*
 * Whether the table of a sound head is whole, and each file in it is described as it must be. The
 * files' memory is not looked at.
 */
bool parcel_table_is_sound(const struct parcel *parcel, const struct parcel_file *table);
