/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unpack a raw LZMA stream of boot/pack, 'len' bytes: three bits of the byte before choose the
 * probabilities of a literal (lc=3), the position chooses none (lp=0, pb=0), and an end mark is
 * last. True: the stream is whole, and has given exactly 'size' bytes at 'out'. False: 'out' is
 * undefined. Nothing outside 'in' is read, and nothing outside 'out' is written or read.
 *
 * The stream may lie in 'out' itself, as long as each of its bytes is read before a byte is
 * written there. Needs 15 KiB of stack.
 */
bool lzma_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t size);
