/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/* What backend.c and backend_open.c share for their messages. */

const char *backend_type_name(enum backend_type type);

/* Where the value of 'key' was written; the whole argument if it was not. */
struct diag_place backend_option_place(struct backend *backend, const char *key);
