/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/clone_name.h"
#include "hv/lib/types.h"

#define VM_LINE_SIZE 256 /* bytes of a guest's line; a longer one is several */

#define GUEST_LINE_N_COLORS 6
#define GUEST_LINE_COLOR    8 /* bytes that switch a color on and off */

#define GUEST_LINE_LABEL 32 /* bytes that are shown of a label; the rest of it is left out */

/* Bytes of a shown line: name and label, ": ", four bytes for each of the guest's, a newline. */
#define GUEST_LINE_MAX \
	(GUEST_LINE_COLOR + CLONE_NAME_SIZE + 1 + GUEST_LINE_LABEL + 2 + 4 * VM_LINE_SIZE + 1)

/* What a line begins with: the VM's name, and "/" and the label if there is one. */
struct guest_line_name {
	unsigned color; /* from 1 to GUEST_LINE_N_COLORS, or 0 */
	const char *name;
	const char *label; /* "": none */
};

/*
 * Write a guest's line, after its VM's name and with a newline, as a terminal may get it; returns
 * its length. A control character becomes ^X and any other byte that is not printable UTF-8
 * becomes \xNN, so that a guest cannot move the cursor over what others have written. 'len' is at
 * most VM_LINE_SIZE. The guest's bytes have no color.
 */
size_t guest_line_show(char text[GUEST_LINE_MAX], const struct guest_line_name *name,
		       const char *bytes, size_t len);
