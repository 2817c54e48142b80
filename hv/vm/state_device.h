/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/platform.h"
#include "hv/lib/state_file.h"

void state_put_devices(struct state_writer *writer, const struct platform *platform);
/*
 * 'tsc_hz' is the frequency of the machine that wrote the file, 'then' the first vCPU's TSC when it
 * did.
 */
enum status state_get_devices(struct state_reader *reader, struct platform *platform,
			      uint64_t tsc_hz, uint64_t then);
