/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's name. SDM vol. 2, "CPUID", "Processor Brand String". */
#include "hv/host/processor_name.h"

#include "hv/lib/string.h"

#define LEAF_MAX_EXTENDED UINT32_C(0x80000000)
#define LEAF_NAME	  UINT32_C(0x80000002)

enum { N_LEAVES = 3 };

/* A hypervisor below chooses the text, so it is not trusted. */
static size_t clean(char *to, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && from[i] != '\0'; i++) {
		char c = (char)(from[i] > ' ' && from[i] <= '~' ? from[i] : ' ');

		if (c != ' ' || (n > 0 && to[n - 1] != ' '))
			to[n++] = c;
	}
	return n > 0 && to[n - 1] == ' ' ? n - 1 : n;
}

void processor_name(char name[PROCESSOR_NAME_SIZE], cpuid_source *source)
{
	struct cpuid_regs max, regs[N_LEAVES];
	size_t len;

	source(LEAF_MAX_EXTENDED, 0, &max);
	if (max.eax < LEAF_NAME + N_LEAVES - 1) {
		memcpy(name, "unnamed", sizeof("unnamed"));
		return;
	}
	for (uint32_t i = 0; i < N_LEAVES; i++)
		source(LEAF_NAME + i, 0, &regs[i]);
	len = clean(name, (const char *)regs, sizeof(regs));
	name[len] = '\0';
}
