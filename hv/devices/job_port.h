/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * The ports through which a guest hands over the results of its job: a line of the file that a
 * "map" names, which the guest reads as opt/stencil/job (hv/devices/fw_cfg.h). In a VM without a
 * job all reads are ones, and writes are dropped.
 *
 *	+0	8 bits, write: standard output
 *	+4	8 bits, write: standard error
 *	+8	8 bits, write: a file: its name, a NUL, its contents
 *	+12	32 bits, write: JOB_PUT, the file is complete; JOB_DROP, it is not to be kept
 *		32 bits, read: whether the last file was kept
 *	+16	32 bits, write: the status of the job as wait(2) gives it; the VM ends
 */
#define JOB_PORT    0x5364
#define JOB_N_PORTS 20

enum job_port_offset { JOB_AT_PUT = 12, JOB_AT_END = 16 };

enum job_channel { JOB_STDOUT, JOB_STDERR, JOB_FILE, N_JOB_CHANNELS };

#define JOB_DROP    0
#define JOB_PUT	    1
#define JOB_KEPT    0
#define JOB_REFUSED UINT32_MAX

struct job_port {
	bool is_there;	 /* the VM has a job */
	bool is_refused; /* the last file was not kept */
};

/* Whether the port is a channel's, and of which. */
static inline bool job_port_is_channel(uint16_t port)
{
	return port >= JOB_PORT && port < JOB_PORT + JOB_AT_PUT && (port - JOB_PORT) % 4 == 0;
}

static inline enum job_channel job_port_channel(uint16_t port)
{
	return (enum job_channel)((port - JOB_PORT) / 4);
}

extern const struct device_class job_port_class; /* not saved */
