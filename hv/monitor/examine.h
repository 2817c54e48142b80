/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/regs.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The arguments and the answers of QEMU's monitor commands "x" and "xp", except the disassembly.
 */
struct examine {
	uint64_t n_left; /* bytes */
	char format;	 /* one of "oxduc" */
	uint8_t size;	 /* bytes of an item: 1, 2, 4 or 8 */
	bool is_physical;
	int8_t reg; /* whose value is added to the address: hv/lib/regs.h, or below */
	uint64_t address;
};
enum { EXAMINE_NO_REGISTER = -1, EXAMINE_RIP = 16 };

/* What a refusal needs. */
#define EXAMINE_WHY_MAX 80

/*
 * Read "/fmt": a count, a format and a size, each of which may be missing. Format and size are
 * those of the last command then, the count is 1. ERR_INVAL: '*ret' is unchanged, 'why' has the
 * reason.
 */
enum status examine_read_format(const char *text, struct examine *ret, char why[EXAMINE_WHY_MAX]);
/*
 * Read an address: numbers, and at most one register such as $rsp, with '+' and '-' in between;
 * the register is added. ERR_INVAL as above.
 */
enum status examine_read_address(const char *text, struct examine *ret, char why[EXAMINE_WHY_MAX]);

/* How many bytes the next line shows, at most EXAMINE_BYTES_MAX. 0: that was the last line. */
#define EXAMINE_BYTES_MAX 16
#define EXAMINE_LINE_MAX  160
unsigned examine_line_bytes(const struct examine *examine);
/*
 * The line of these bytes, which are then no longer left. NULL: they cannot be read, and nothing is
 * left.
 */
void examine_line(struct examine *examine, const uint8_t *bytes, char line[EXAMINE_LINE_MAX]);
