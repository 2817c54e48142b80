/* SPDX-License-Identifier: BSD-2-Clause */
/* Carries out the actions of a WDAT. Pure: hv/host/acpi_register.c has the accesses. */
#include "hv/host/wdat.h"

#include "hv/host/acpi_register.h"

bool wdat_has(const struct wdat *wdat, enum wdat_action action)
{
	for (unsigned i = 0; i < wdat->n_steps; i++)
		if (wdat->step[i].action == action)
			return true;
	return false;
}

static uint32_t read_field(const struct wdat_step *step)
{
	return acpi_register_read(step->reg, step->size) >> step->shift & step->mask;
}

static void write_field(const struct wdat_step *step, uint32_t value)
{
	uint32_t bits = (value & step->mask) << step->shift;

	if (step->instruction & WDAT_PRESERVE)
		bits |= acpi_register_read(step->reg, step->size) & ~(step->mask << step->shift);
	acpi_register_write(step->reg, step->size, bits);
}

/* False if the field has another value. */
static bool run_step(const struct wdat_step *step, uint32_t operand)
{
	switch (step->instruction & ~WDAT_PRESERVE) {
	case WDAT_READ_VALUE:
		return read_field(step) == step->value;
	case WDAT_WRITE_VALUE:
		write_field(step, step->value);
		return true;
	case WDAT_WRITE_COUNTDOWN:
		write_field(step, operand);
		return true;
	default: /* WDAT_READ_COUNTDOWN: the countdown is not used */
		return true;
	}
}

bool wdat_run(const struct wdat *wdat, enum wdat_action action, uint32_t operand)
{
	bool result = wdat_has(wdat, action);

	for (unsigned i = 0; i < wdat->n_steps; i++)
		if (wdat->step[i].action == action)
			result = run_step(&wdat->step[i], operand) && result;
	return result;
}
