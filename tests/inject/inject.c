/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration asks for. */
#include "tests/inject/inject.h"

#include "boot/boot_info.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static const struct boot_info *boot;

static uint64_t number_at(uint64_t at)
{
	uint64_t number = 0;

	while (at < boot->config_len && boot->config[at] == ' ')
		at++;
	for (; at < boot->config_len && boot->config[at] >= '0' && boot->config[at] <= '9'; at++)
		number = number * 10 + (uint64_t)(boot->config[at] - '0');
	return number;
}

bool inject_asked(const char *name, uint64_t *ret)
{
	char text[64];
	size_t len = format(text, sizeof(text), "inject %s", name);

	for (uint64_t i = 0; i + len <= boot->config_len; i++) {
		if (memcmp(boot->config + i, text, len) != 0)
			continue;
		*ret = number_at(i + len);
		return true;
	}
	return false;
}

uint64_t inject_random(uint64_t below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % below;
}

_Noreturn void __real_hv_main(const struct boot_info *info);
_Noreturn void __wrap_hv_main(const struct boot_info *info)
{
	boot = info;
	__real_hv_main(info);
}
