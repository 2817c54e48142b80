/* SPDX-License-Identifier: BSD-2-Clause */
/* The control port: takes requests of the guest, for the run loop to act on. */
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
