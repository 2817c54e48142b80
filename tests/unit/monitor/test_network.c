/* SPDX-License-Identifier: BSD-2-Clause */
/* "info network". */
#include "hv/monitor/network.h"

#include <stdio.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/net/hub.h"
#include "hv/net/vsock.h"
#include "tests/unit/support.h"

static char said[1000];

void say(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list args;

	va_start(args, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, args);
	va_end(args);
	strcat(said, "\n");
}

void job_begin(const struct job *job)
{
	while (job->step() == JOB_GOES_ON)
		;
}

static void wake(void *owner)
{
}

static struct net_port *plug(unsigned hub, const char *name)
{
	struct net_port *port;

	assert_int_equal(net_connect(
				 &(struct net_port_config){
					 .name = name, .hub = hub, .device = hub, .wake = wake},
				 &port),
			 OK);
	return port;
}

static void hubs_and_ports_are_listed(void **state)
{
	struct net_port *a = plug(0, "a"), *b = plug(0, "b"), *c = plug(NET_HUBS - 1, "c");
	uint64_t progress = 0;

	memset(a->frame, 0xff, 6);
	a->frame[6] = 2;
	assert_true(net_send(a, 60, &progress));
	net_flush(b);
	answer_network();
	assert_string_equal(said,
			    "hub 0\n"
			    " \\ a: virtio-net-device.0: 1 addresses, 0 frames received, 1 sent, "
			    "0 dropped, 0 malformed\n"
			    " \\ b: virtio-net-device.0: 0 addresses, 1 frames received, 0 sent, "
			    "0 dropped, 0 malformed\n"
			    "hub 63\n"
			    " \\ c: virtio-net-device.63: 0 addresses, 0 frames received, 0 sent, "
			    "0 dropped, 0 malformed\n");
	net_disconnect(a);
	net_disconnect(b);
	net_disconnect(c);
	said[0] = '\0';
	answer_network();
	assert_string_equal(said, "");
}

static void sockets_are_listed_behind_the_hubs(void **state)
{
	struct net_port_config config = {.name = "a", .device = 2, .wake = wake};
	struct net_port *hub = plug(1, "h"), *port[3];

	assert_int_equal(vsock_connect(&config, 7, &port[0]), OK);
	assert_int_equal(vsock_connect(&config, 7 + 512, &port[1]), OK); /* in the same list */
	assert_int_equal(vsock_connect(&config, 9, &port[2]), OK);
	port[2]->is_closed = true;
	((struct vsock_header *)port[0]->frame)->dst_cid = 7;
	assert_int_equal(vsock_send(port[0]), OK);
	said[0] = '\0';
	answer_network();
	assert_string_equal(said, "hub 1\n"
				  " \\ h: virtio-net-device.1: 0 addresses, 0 frames received, "
				  "0 sent, 0 dropped, 0 malformed\n"
				  "sockets\n"
				  " \\ a: vhost-vsock-device.2: CID 519, 0 packets wait\n"
				  " \\ a: vhost-vsock-device.2: CID 7, 1 packets wait\n"
				  " \\ a: vhost-vsock-device.2: CID 9, no driver\n");
	net_disconnect(hub);
	for (unsigned i = 0; i < ARRAY_SIZE(port); i++)
		vsock_disconnect(port[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hubs_and_ports_are_listed),
		cmocka_unit_test(sockets_are_listed_behind_the_hubs),
	};

	frame_reset();
	(void)phys_arena(MIB(2), MIB(2));
	frame_add_range(MIB(2), MIB(2));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
