/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The commit that the image was built from: written by boot/make-version at each build. */
extern const char stencil_version[];
