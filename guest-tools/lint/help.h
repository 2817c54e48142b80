/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The options whose argument may be "help" or "NAME,help". */
enum lint_help_option {
	LINT_HELP_NONE,
	LINT_HELP_OBJECT,
	LINT_HELP_DEVICE,
	LINT_HELP_MACHINE,
	LINT_HELP_CPU
};

/* Whether an option's argument asks for help. */
bool lint_is_help(const char *text);
/* Answer it on standard output. False: nothing has this name, which is reported. */
bool lint_help(enum lint_help_option which, const char *text);
