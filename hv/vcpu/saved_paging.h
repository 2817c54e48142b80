/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_paging.h"

struct vcpu;

/* What decides how the addresses of a vCPU that is not loaded translate, in its VM's memory. */
void vcpu_read_saved_paging(const struct vcpu *vcpu, struct guest_memory *memory,
			    struct guest_paging *ret);
