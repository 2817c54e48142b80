/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Once all backends of all VMs are open: refuse and warn of what QEMU lets pass because it sees one
 * VM at a time, and what then silently destroys a template or loses what a guest writes.
 */
void config_check_sharing(const struct config *config, struct diag *diag);
