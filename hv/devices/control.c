/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a guest speaks to Stencil: the control port, which takes requests for the run loop to act on,
 * and the debug ports that test guests use to speak and to end. The debug console
 * has no state of its own: platform.c connects its port to debugcon_output().
 */
#include "hv/devices/control.h"

uint64_t control_read(const struct control *control, uint64_t off, unsigned size)
{
	if (size != 4 || off % 4 != 0)
		return UINT64_MAX;
	switch (off) {
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

void control_write(struct control *control, uint64_t off, unsigned size, uint64_t value,
		   uint64_t now)
{
	if (size != 4 || off != 0)
		return;
	control->answer = CONTROL_REFUSED;
	if (value == CONTROL_FREEZE)
		control->freeze_requested = true;
	if (value != CONTROL_REVERT || !control->is_clone)
		return;
	control->revert_requested = true;
	control->asked_at = (uint32_t)now;
}

void debug_exit_write(struct debug_exit *dev, uint64_t value)
{
	if (dev->requested)
		return;
	dev->requested = true;
	dev->status = (uint32_t)(value << 1 | 1);
}
