/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * After all backends of all VMs are open, report errors and warnings about what QEMU accepts
 * because it sees one VM at a time, and what silently destroys a template or loses guest writes.
 */
void config_check_sharing(const struct config *config, struct diag *diag);
