/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

const char *backend_type_name(enum backend_type type);
/* The names of its properties, with blanks between them. */
const char *backend_properties(enum backend_type type);

/* Where the value of 'key' was written; the whole argument if 'key' was not given. */
struct diag_place backend_option_place(struct backend *backend, const char *key);

/*
 * Read all options except qom-type and id, with their types and ranges, then refuse unknown ones.
 * ERR_INVAL: reported.
 */
enum status backend_read_options(struct backend *backend, struct diag *diag);

/*
 * Refuse what the setters of QEMU's properties refuse, after all options are read. ERR_INVAL:
 * reported.
 */
enum status backend_check_settings(struct backend *backend, const struct backend_defaults *defaults,
				   struct diag *diag);

/*
 * Set 'kind' from share, readonly and rom, by QEMU's rules. ERR_INVAL: reported in QEMU's words;
 * the backend is broken.
 */
enum status backend_resolve(struct backend *backend, struct diag *diag);
