/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Length of the printable UTF-8 character that 's' (at most 'len' bytes) begins with; 0 if it is
 * none: a control character (C0, DEL or C1), an overlong form, a surrogate, beyond U+10FFFF, or cut
 * off.
 */
size_t utf8_printable(const char *s, size_t len);
