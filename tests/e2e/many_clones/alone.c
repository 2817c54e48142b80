/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only process of a guest: becomes a template as stencilctl does; each clone prints its number
 * and eight random bytes, as those of init do, and stays. It starts no programs, whose pages each
 * clone would have for itself.
 */
#define main stencilctl_main
#include "guest-tools/stencilctl.c"
#undef main

#include <inttypes.h>
#include <sys/mount.h>
#include <sys/random.h>

int main(void)
{
	uint32_t number;
	uint64_t bytes;

	if (mount("dev", "/dev", "devtmpfs", 0, NULL) != 0)
		return 1;
	number = become_template();
	if (getrandom(&bytes, sizeof(bytes), 0) != sizeof(bytes))
		return 1;
	printf("clone %" PRIu32 " random %016" PRIx64 "\n", number, bytes);
	for (;;)
		pause();
}
