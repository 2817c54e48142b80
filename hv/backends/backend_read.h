/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

const char *backend_type_name(enum backend_type type);

/* Where the value of 'key' was written; the whole argument if it was not. */
struct diag_place backend_option_place(struct backend *backend, const char *key);

/* Types and ranges of all options but qom-type and id, then unknown ones. ERR_INVAL: said. */
enum status backend_read_options(struct backend *backend, struct diag *diag);

/* What the setters of QEMU's properties refuse, once all is understood. ERR_INVAL: said. */
enum status backend_check_settings(struct backend *backend, const struct backend_defaults *defaults,
				   struct diag *diag);

/* QEMU's rules for share x readonly x rom, and its words for what it refuses. */
enum status backend_resolve(struct backend *backend, struct diag *diag);
