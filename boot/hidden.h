/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Included first in every file of the image: no symbol is visible outside the image, so that the
 * compiler accesses symbols without a table.
 */
#pragma GCC visibility push(hidden)
