/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * After all backends of all VMs are open, refuse or warn of what QEMU accepts because it sees one
 * VM at a time, and what then silently destroys a template or loses guest writes.
 */
void config_check_sharing(const struct config *config, struct diag *diag);
