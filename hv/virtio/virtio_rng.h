/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/virtio/virtio.h"

/* VIRTIO 1.2, "Entropy Device": its only queue takes buffers, and random bytes come back. */
extern const struct virtio_kind virtio_rng;
