/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/job_port.h"

static uint64_t job_port_read(void *dev, const struct io_access *access)
{
	const struct job_port *port = dev;

	if (!port->is_there || access->size != 4 || access->off != JOB_AT_PUT)
		return UINT64_MAX;
	return port->is_refused ? JOB_REFUSED : JOB_KEPT;
}

static uint32_t output(const struct io_access *access)
{
	if (access->size != 1 || access->off % 4 != 0)
		return 0;
	return WISH_JOB_OUTPUT | (uint32_t)(access->off / 4) << 8 | (uint32_t)access->value;
}

static uint32_t job_port_write(void *dev, const struct io_access *access)
{
	const struct job_port *port = dev;

	if (!port->is_there)
		return 0;
	if (access->off < JOB_AT_PUT)
		return output(access);
	if (access->size != 4)
		return 0;
	if (access->off == JOB_AT_END)
		return WISH_JOB_END | (uint16_t)access->value;
	if (access->off != JOB_AT_PUT)
		return 0;
	return access->value == JOB_PUT	   ? WISH_JOB_PUT
	       : access->value == JOB_DROP ? WISH_JOB_DROP
					   : 0;
}

const struct device_class job_port_class = {
	.name = "job-port",
	.read = job_port_read,
	.write = job_port_write,
};
