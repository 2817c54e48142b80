/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a guest talks to Stencil: the control port, and the debug ports through which test guests
 * print and end.
 */
#include "hv/devices/control.h"

static uint64_t control_read(void *dev, const struct io_access *access)
{
	const struct control *control = dev;

	if (access->size != 4 || access->off % 4 != 0)
		return UINT64_MAX;
	switch (access->off) {
	case 0:
		return control->answer;
	case 4:
		return CONTROL_SIGNATURE;
	case 8:
		return control->asked_at;
	default:
		return control->n_reverts;
	}
}

static uint32_t control_write(void *dev, const struct io_access *access)
{
	struct control *control = dev;

	if (access->size != 4 || access->off != 0)
		return 0;
	control->answer = CONTROL_REFUSED;
	if (access->value == CONTROL_FREEZE)
		return WISH_FREEZE;
	if (access->value != CONTROL_REVERT || !control->is_clone)
		return 0;
	control->asked_at = (uint32_t)access->now;
	return WISH_REVERT;
}

const struct device_class control_class = {
	.name = "control",
	.read = control_read,
	.write = control_write,
};

static uint64_t debug_exit_read(void *dev, const struct io_access *access)
{
	(void)dev;
	(void)access;
	return 0;
}

static uint32_t debug_exit_write(void *dev, const struct io_access *access)
{
	struct debug_exit *debug_exit = dev;

	if (debug_exit->requested)
		return 0;
	debug_exit->requested = true;
	debug_exit->status = (uint32_t)(access->value << 1 | 1);
	return WISH_DEBUG_EXIT;
}

static const struct state_field debug_exit_fields[] = {
	STATE_FIELD(struct debug_exit, requested, 1),
	STATE_FIELD(struct debug_exit, status, UINT32_MAX),
};

const struct device_class debug_exit_class = {
	.name = "debug-exit",
	.read = debug_exit_read,
	.write = debug_exit_write,
	.fields = debug_exit_fields,
	.n_fields = ARRAY_SIZE(debug_exit_fields),
};

static uint64_t debugcon_read(void *dev, const struct io_access *access)
{
	(void)dev;
	(void)access;
	return DEBUGCON_READBACK;
}

static uint32_t debugcon_write(void *dev, const struct io_access *access)
{
	(void)dev;
	return WISH_DEBUGCON | (uint32_t)access->value << 8;
}

const struct device_class debugcon_class = {
	.name = "debugcon",
	.read = debugcon_read,
	.write = debugcon_write,
};
