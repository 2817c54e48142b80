/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/network.h"

#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/net/hub.h"
#include "hv/net/vsock.h"

/* Of the current job: the next port of a hub, then that of the sockets. */
static unsigned hub, slot, list, index;
static bool has_title; /* of the hub, or the sockets */

static void say_port(const struct net_port_line *line)
{
	const struct net_counts *counts = &line->counts;

	say(" \\ %s: virtio-net-device.%u: %u addresses, %lu frames received, %lu sent, "
	    "%lu dropped, %lu malformed",
	    line->name, line->device, line->n_addresses, counts->n_received, counts->n_sent,
	    counts->n_dropped, counts->n_malformed);
}

static enum job_state list_socket(void)
{
	struct vsock_line line;

	if (!vsock_describe(&list, &index, &line))
		return JOB_IS_DONE;
	if (!has_title) {
		has_title = true;
		say("sockets");
		return JOB_GOES_ON;
	}
	if (line.is_closed)
		say(" \\ %s: vhost-vsock-device.%u: CID %lu, no driver", line.name, line.device,
		    line.cid);
	else
		say(" \\ %s: vhost-vsock-device.%u: CID %lu, %u packets wait", line.name,
		    line.device, line.cid, line.n_waiting);
	index++;
	return JOB_GOES_ON;
}

static enum job_state list_port(void)
{
	struct net_port_line line;

	if (hub == NET_HUBS)
		return list_socket();
	if (!net_describe(hub, &slot, &line)) {
		slot = 0;
		has_title = false;
		hub++;
		return JOB_GOES_ON;
	}
	if (!has_title) {
		has_title = true;
		say("hub %u", hub);
		return JOB_GOES_ON;
	}
	say_port(&line);
	slot++;
	return JOB_GOES_ON;
}

void answer_network(void)
{
	static const struct job job = {.step = list_port};

	hub = slot = list = index = 0;
	has_title = false;
	job_begin(&job);
}
