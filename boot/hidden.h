/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Included before everything else in what goes into the image: no symbol leaves
 * it, so that the compiler need not go through a table to reach one.
 */
#pragma GCC visibility push(hidden)
