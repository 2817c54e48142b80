/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The version of the file VERSION and the commit that the image was built from, such as
 * "0.1.0 (5117a8e6f0c1)": written by boot/make-version at each build.
 */
extern const char stencil_version[];
