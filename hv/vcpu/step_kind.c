/* SPDX-License-Identifier: BSD-2-Clause */
/* Find the instructions that would show the guest the trap flag with which it is stepped. */
#include "hv/vcpu/step_kind.h"

static bool is_prefix(uint8_t byte, bool code64)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64 ... 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return code64 && (byte & 0xf0) == 0x40; /* REX */
	}
}

enum step_kind step_kind(const uint8_t *bytes, size_t n, bool code64)
{
	size_t i = 0;

	while (i < n && is_prefix(bytes[i], code64))
		i++;
	if (i == n)
		return STEP_PLAIN;
	switch (bytes[i]) {
	case 0x9c:
		return STEP_PUSHF;
	case 0x9d:
	case 0xcf:
		return STEP_LOADS;
	case 0x0f:
		return i + 1 < n && bytes[i + 1] == 0x05 ? STEP_SYSCALL : STEP_PLAIN;
	default:
		return STEP_PLAIN;
	}
}
