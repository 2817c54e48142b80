/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/virtio/virtio.h"

/*
 * Virtio over MMIO, register layout version 2: VIRTIO 1.2, "Virtio Over MMIO". Addresses and
 * interrupts are those of QEMU's microvm with ACPI and one I/O APIC. As there, the first device has
 * the highest slot. Slot 0 stays empty: its interrupt is the generation counter's.
 */
#define VIRTIO_MMIO_BASE    UINT64_C(0xfeb00000)
#define VIRTIO_MMIO_SIZE    UINT64_C(0x200) /* bytes of a slot */
#define VIRTIO_MMIO_SLOTS   8
#define VIRTIO_MMIO_START   (VIRTIO_MMIO_BASE + VIRTIO_MMIO_SIZE) /* of slot 1 */
#define VIRTIO_MMIO_LENGTH  (VIRTIO_DEVICES_MAX * VIRTIO_MMIO_SIZE)
#define VIRTIO_DEVICES_MAX  7
#define VIRTIO_MMIO_MAGIC   0x74726976u /* "virt" */
#define VIRTIO_MMIO_VERSION 2
#define VIRTIO_MMIO_VENDOR  0x434e5453u /* "STNC" */

enum virtio_mmio_register {
	VIRTIO_MMIO_MAGIC_VALUE = 0x00,
	VIRTIO_MMIO_VERSION_NUMBER = 0x04,
	VIRTIO_MMIO_DEVICE_ID = 0x08,
	VIRTIO_MMIO_VENDOR_ID = 0x0c,
	VIRTIO_MMIO_DEVICE_FEATURES = 0x10,
	VIRTIO_MMIO_DEVICE_FEATURES_SELECT = 0x14,
	VIRTIO_MMIO_DRIVER_FEATURES = 0x20,
	VIRTIO_MMIO_DRIVER_FEATURES_SELECT = 0x24,
	VIRTIO_MMIO_QUEUE_SELECT = 0x30,
	VIRTIO_MMIO_QUEUE_SIZE_MAX = 0x34,
	VIRTIO_MMIO_QUEUE_SIZE = 0x38,
	VIRTIO_MMIO_QUEUE_READY = 0x44,
	VIRTIO_MMIO_QUEUE_NOTIFY = 0x50,
	VIRTIO_MMIO_INTERRUPT_STATUS = 0x60,
	VIRTIO_MMIO_INTERRUPT_ACK = 0x64,
	VIRTIO_MMIO_STATUS = 0x70,
	VIRTIO_MMIO_QUEUE_DESC = 0x80,
	VIRTIO_MMIO_QUEUE_DRIVER = 0x90,
	VIRTIO_MMIO_QUEUE_DEVICE = 0xa0,
	VIRTIO_MMIO_SHM_LENGTH = 0xb0,
	VIRTIO_MMIO_SHM_BASE = 0xb8,
	VIRTIO_MMIO_GENERATION = 0xfc,
	VIRTIO_MMIO_CONFIG = 0x100,
};

/* Of the devices in the order of the configuration, from 0. */
static inline unsigned virtio_mmio_slot(unsigned index)
{
	return VIRTIO_MMIO_SLOTS - 1 - index;
}

/* The level-triggered line of a slot. */
static inline unsigned virtio_mmio_gsi(unsigned slot)
{
	return 16 + slot;
}

/*
 * The registers of all slots but slot 0. 'dev' is an array of devices, in the order of the
 * configuration. A slot without a device has device ID 0. Registers answer to a 4-byte access at
 * their own address, the configuration space to all accesses that lie inside it; other accesses
 * read as zero, and writes are ignored. A write returns WISH_VIRTIO if the device may have work, or
 * its interrupt line may have changed.
 */
extern const struct device_class virtio_mmio_class;
