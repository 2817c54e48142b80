/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosted: writes a test image to standard output.
 *	make_pattern SIZE [TABLES BASE [accessed]]
 * 8 bytes at offset o hold 0x5354454e00000000 + o. With TABLES, an offset, the four pages
 * of tables.h lie there, made for an image mapped at guest-physical BASE;
 * with "accessed" their accessed and dirty bits are set.
 */
#include "tests/guest/region/tables.h"

#include <stdio.h>
#include <stdlib.h>

#define PATTERN	       UINT64_C(0x5354454e00000000)
#define ACCESSED_DIRTY 0x60

static uint64_t word_at(uint64_t o, uint64_t tables, uint64_t base, uint64_t bits)
{
	uint64_t page = (o - tables) / 4096;
	uint64_t entry;

	if (o < tables || page >= TABLES_DATA)
		return PATTERN + o;
	entry = tables_entry(base + tables, (unsigned)page, (unsigned)(o % 4096 / 8));
	return entry != 0 ? entry | bits : 0;
}

int main(int argc, char **argv)
{
	uint64_t size = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	uint64_t tables = argc >= 4 ? strtoull(argv[2], NULL, 0) : size / 4096 * 4096 + 4096;
	uint64_t base = argc >= 4 ? strtoull(argv[3], NULL, 0) : 0;
	uint64_t bits = argc == 5 ? ACCESSED_DIRTY : 0;

	if (size == 0 || size % 8 != 0 || argc == 3 || argc > 5 || tables % 4096 != 0) {
		fprintf(stderr, "usage: make_pattern SIZE [TABLES BASE [accessed]] > FILE\n");
		return 1;
	}
	for (uint64_t o = 0; o < size; o += 8) {
		uint64_t word = word_at(o, tables, base, bits);

		if (fwrite(&word, sizeof(word), 1, stdout) != 1)
			break;
	}
	if (fclose(stdout) != 0) {
		perror("make_pattern");
		return 1;
	}
	return 0;
}
