/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/exception.h"

/* An NMI has come: note where, and have the next one sent. For the NMI handler. */
void inject_nmi(const struct interrupt_frame *frame);
