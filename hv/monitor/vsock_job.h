/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The operator's end of a stream to a guest's socket. As CID 2 it connects to a port of a CID,
 * sends one line and nothing after it, and says what comes, until the guest ends the stream too.
 */

/* Begin the job that does so. 'text' may be NULL: then no line is sent. No job is running. */
void vsock_job_start(uint64_t cid, uint32_t dst_port, const char *text);
