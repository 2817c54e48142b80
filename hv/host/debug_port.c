/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/debug_port.h"

#include "hv/host/io.h"

/* Its number, and what a read returns. */
enum { DEBUG_PORT = 0xe9 };

bool debug_port_is_present(void)
{
	return inb(DEBUG_PORT) == DEBUG_PORT;
}

void debug_port_write(const char *data, size_t len)
{
	outsb(DEBUG_PORT, data, len);
}
