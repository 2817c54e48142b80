/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The length of the printable UTF-8 character at 's', which has 'len' bytes. 0: not one, but a
 * control character (C0, DEL or C1), an overlong form, a surrogate, a code above U+10FFFF, or cut
 * off.
 */
size_t utf8_printable(const char *s, size_t len);
